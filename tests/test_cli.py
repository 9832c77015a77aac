import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rrnn_lit import __version__, cli
from tests.training.tiny import tiny_config


@pytest.fixture
def config(prepared_folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    content = tiny_config(prepared_folder, tmp_path / "run", {"trainer.max_steps": 4})
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was printed on stderr; Lightning's note about the seed is no complaint."""
    lines = capsys.readouterr().err.splitlines()
    return "\n".join(line for line in lines if not line.startswith("Seed set to"))


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_every_command(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 0
    text = capsys.readouterr().out
    for command in ("fit", "validate", "test", "predict", "encode", "decode", "report"):
        assert f"\n  {command} " in text


def test_a_reader_that_has_enough_is_no_mistake() -> None:
    command = [sys.executable, "-m", "rrnn_lit.cli", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == cli.EXIT_BROKEN_PIPE


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"rrnn_lit {__version__}\n"


def test_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fot"]) == cli.EXIT_BAD_CONFIG
    assert "wanted one of the commands below, got 'fot'" in complaint(capsys)


LIMIT = (
    "trainer.limit_val_batches: wanted null, got 0; "
    "give data.tune_sentences and data.test_sentences instead"
)


@pytest.mark.parametrize(
    ("mistake", "code", "line"),
    [
        (
            ["--model.hiden_size", "3"],
            64,
            "unrecognized arguments: --model.hiden_size 3; see `rrnn fit --help`",
        ),
        (
            ["--model.hidden_size", "3.5"],
            64,
            "Parser key \"model.hidden_size\": Expected a <class 'int'>. Got value: 3.5; "
            "see `rrnn fit --help`",
        ),
        (
            ["--model.dropout", "1.5"],
            65,
            "model.dropout: wanted a probability in [0, 1), got 1.5",
        ),
        (["--trainer.accelerator", "gpu"], 65, "No supported gpu backend found!"),
        (["--data.batch_size", "0"], 65, "data.batch_size: wanted a number of at least 1, got 0"),
        (["--trainer.limit_val_batches", "0"], 65, LIMIT),
        (["--ckpt_path", "nowhere"], 65, "ckpt_path: wanted a checkpoint file, got 'nowhere'"),
        (["--trainer.max_steps", "-1"], 65, "trainer.max_steps: wanted at least 1, got -1"),
    ],
    ids=[
        "misspelt",
        "wrong type",
        "out of range",
        "no GPU",
        "no batch",
        "no check",
        "no file",
        "endless",
    ],
)
def test_a_mistake_is_one_line(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    mistake: list[str],
    code: int,
    line: str,
) -> None:
    if mistake[-1] == "gpu":
        torch = pytest.importorskip("torch")
        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU")
    assert cli.main(["fit", "--config", str(config), *mistake]) == code
    assert complaint(capsys) == f"rrnn fit: {line}"
    assert not config.with_name("run").exists()


@pytest.mark.parametrize(
    ("group", "key", "value", "words"),
    [
        ("model", "hiden_size", 16, ["does not accept option", "model.hiden_size"]),
        ("data", "batch_size", "many", ["data.batch_size", "many"]),
    ],
)
def test_a_mistake_in_a_file_is_one_line(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    group: str,
    key: str,
    value: object,
    words: list[str],
) -> None:
    content = yaml.safe_load(config.read_text(encoding="utf-8"))
    content[group][key] = value
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    assert cli.main(["fit", "--config", str(config)]) == cli.EXIT_BAD_CONFIG
    line = complaint(capsys)
    assert "\n" not in line
    for word in words:
        assert word in line


def test_printed_config_can_be_fed_back(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model.hidden_size", "12", "--print_config"]
    with pytest.raises(SystemExit) as done:
        cli.main(["fit", "--config", str(config), *options])
    printed = capsys.readouterr().out
    assert done.value.code == 0
    assert yaml.safe_load(printed)["model"]["hidden_size"] == 12
    config.write_text(printed, encoding="utf-8")
    with pytest.raises(SystemExit):
        cli.main(["fit", "--config", str(config), "--print_config"])
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize(
    ("command", "option"),
    [("fit", "--resume"), ("validate", "--run"), ("test", "--run"), ("predict", "--run")],
)
def test_a_folder_without_a_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, option: str
) -> None:
    assert cli.main([command, option, str(tmp_path)]) == cli.EXIT_BAD_INPUT
    line = f"rrnn {command}: {option}: wanted the folder of a run with config.yaml, got {tmp_path}"
    assert complaint(capsys) == line
    assert cli.main([command, option]) == cli.EXIT_BAD_INPUT
    assert "wanted the folder of a run" in complaint(capsys)


@pytest.mark.parametrize(("command", "option"), [("fit", "--resume"), ("test", "--run")])
def test_a_run_without_a_checkpoint_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, option: str
) -> None:
    (tmp_path / "config.yaml").touch()
    assert cli.main([command, f"{option}={tmp_path}"]) == cli.EXIT_BAD_INPUT
    assert complaint(capsys).endswith("holds no last.ckpt yet; start it anew")


@pytest.mark.parametrize(
    ("command", "option", "best", "checkpoint"),
    [
        ("fit", "--resume", True, "last.ckpt"),
        ("test", "--run", True, "best.ckpt"),
        ("test", "--run", False, "last.ckpt"),
    ],
)
@pytest.mark.parametrize("joined", [False, True])
def test_a_run_stands_for_its_config_folder_and_checkpoint(
    tmp_path: Path, command: str, option: str, best: bool, checkpoint: str, joined: bool
) -> None:
    (tmp_path / "checkpoints").mkdir()
    for name in ("config.yaml", "checkpoints/last.ckpt", *["checkpoints/best.ckpt"] * best):
        (tmp_path / name).touch()
    given = [f"{option}={tmp_path}"] if joined else [option, str(tmp_path)]
    assert cli.expand_run(command, ["--a", "1", *given, "--b", "2"]) == [
        *("--a", "1"),
        *("--config", str(tmp_path / "config.yaml")),
        *("--run.folder", str(tmp_path)),
        *("--ckpt_path", str(tmp_path / "checkpoints" / checkpoint)),
        *("--b", "2"),
    ]


def test_life_of_a_run(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = config.with_name("run")
    assert cli.main(["fit", "--config", str(config)]) == 0
    output = capsys.readouterr().out
    assert str(run) in output.replace("\n", "")
    for name in ("config.yaml", "summary.json", "curves.png", "reconstructions.jsonl"):
        assert (run / name).is_file()
    for command in ("validate", "test", "predict"):
        assert cli.main([command, "--run", str(run)]) == 0
    assert (run / "predictions" / "tune" / "sentence_vectors-00000.npy").is_file()


def test_the_program_answers_without_loading_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from rrnn_lit.cli import main; main(['--help']); main(['fot']);"
        "main(['fit', '--resume', 'nowhere']);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'lightning', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize("command", ["validate", "test", "predict"])
def test_untrained_weights_are_not_evaluated(
    config: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert cli.main([command, "--config", str(config)]) == cli.EXIT_BAD_INPUT
    assert "ckpt_path: wanted the run" in complaint(capsys)


@pytest.mark.parametrize(
    ("command", "wrong", "right"), [("fit", "--run", "--resume"), ("test", "--resume", "--run")]
)
def test_the_other_commands_option_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, wrong: str, right: str
) -> None:
    for given in ([wrong, str(tmp_path)], [f"{wrong}={tmp_path}"]):
        assert cli.main([command, *given]) == cli.EXIT_BAD_INPUT
        line = f"rrnn {command}: {wrong}: wanted {right} RUN for `rrnn {command}`, got {wrong}"
        assert complaint(capsys) == line
    assert cli.main([command, right, "a", right, "b"]) == cli.EXIT_BAD_INPUT
    assert complaint(capsys) == f"rrnn {command}: {right}: wanted one run, got 2"


def test_ctrl_c_at_any_time_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "expand_run", interrupt)
    assert cli.main(["validate"]) == cli.EXIT_INTERRUPTED
    assert complaint(capsys) == "rrnn validate: interrupted; the same command starts again"


def test_lack_of_memory_is_one_line(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model.hidden_size", "99999999999"]
    assert cli.main(["fit", "--config", str(config), *options]) == cli.EXIT_OUT_OF_MEMORY
    line = complaint(capsys)
    assert line.startswith("rrnn fit: out of memory; lower model.hidden_size, data.batch_size")
    assert "\n" not in line


def test_a_programming_error_keeps_its_trace(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rrnn_lit.training import lightning_cli

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(lightning_cli, "RRNNCLI", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        cli.main(["fit", "--config", str(config)])


def test_no_config_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fit"]) == cli.EXIT_BAD_CONFIG
    assert "no --config FILE was given" in complaint(capsys)
