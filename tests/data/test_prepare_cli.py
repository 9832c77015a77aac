import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rrnn_lit.data import prepare_cli
from rrnn_lit.data.prepare_cli import main, parse
from rrnn_lit.data.prepared import PreparedData
from tests.data.conftest import sentences

ROOT = Path(__file__).parents[2]
FAST = ["--words.word_dim", "8", "--words.epochs", "1", "--text.language_threshold", "0"]
FAST += ["--splits.tune", "0.1", "--splits.test", "0.1", "--splits.holdout", "0.1"]


@pytest.fixture(autouse=True)
def _working_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_the_presets_are_complete_and_valid() -> None:
    paper = parse(["--source", "wmt", "--out", "x"])
    assert (paper.text.max_words, paper.words.std, paper.splits.tune) == (60, 0.05, 0.01)
    assert paper.source.years == list(range(2007, 2018))
    assert paper.words.separation == "none"  # the paper's
    demo = parse(["--config", str(ROOT / "configs" / "prepare_demo.yaml")])
    assert demo.source.kind == "docstrings"


def test_short_forms_take_several_values() -> None:
    config = parse(["--source", "files", "--files", "a.xz", "b 2.gz", "--out", "data/news"])
    assert config.source.files == ["a.xz", "b 2.gz"]
    assert config.out == "data/news"
    assert parse(["--source=wmt", "--years", "2008", "2009"]).source.years == [2008, 2009]
    assert parse(["--source=files", "--files=a"]).source.files == ["a"]


def test_a_preset_of_the_working_folder_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "configs").mkdir()
    text = (ROOT / "configs" / "prepare.yaml").read_text()
    (tmp_path / "configs" / "prepare.yaml").write_text(text.replace("0.05", "0.07"))
    monkeypatch.chdir(tmp_path)
    assert parse([]).words.std == 0.07


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sorce", "files"], "sorce"),
        (["--words.stdd", "1"], "words.stdd"),
        (["--words.word_dim", "many"], "words.word_dim"),
        (["--source", "internet"], "source.kind"),
        (["--words.std", "0"], "words.std: wanted a number above 0, got 0"),
        (["--words.separation", "some"], "words.separation"),
        (
            ["--words.separation_threshold", "1"],
            "words.separation_threshold: wanted a cosine in [0, 1)",
        ),
        (["--source", "files"], "source.files: wanted at least one file"),
        (["--years", "x"], "source.years"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        (["--processes", "0"], "processes: wanted 1 or more"),
    ],
)
def test_bad_options_are_one_line_and_exit_64(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 64
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert not printed.out


def test_an_unknown_key_in_a_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "configs" / "prepare.yaml").read_text()
    (tmp_path / "c.yaml").write_text(text.replace("max_words:", "maximum_words:"))
    assert main(["--config", str(tmp_path / "c.yaml")]) == 64
    assert "maximum_words" in capsys.readouterr().err


def test_the_word_for_word_command_writes_a_folder_and_shows_it(
    tmp_path: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "data" / "news"
    arguments = ["--source", "files", "--files", str(text_file), "--out", str(out), *FAST]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    first = PreparedData(out).store("tune").sentence(0).tolist()
    assert " ".join(PreparedData(out).word_vectors.decode(first)) in printed
    assert "raw duplicates" in printed
    assert main([*arguments, "--words.separation", "none"]) == 0
    assert main([*arguments, "--words.std", "0.2"]) == 64
    assert "--overwrite" in capsys.readouterr().err


def test_number_words_are_separated_on_request(tmp_path: Path, text_file: Path) -> None:
    out = tmp_path / "out"
    arguments = ["--source", "files", "--files", str(text_file), "--out", str(out), *FAST]
    options = ["--words.separation", "groups", "--words.separation_threshold", "0.3"]
    assert main([*arguments, "--words.word_dim", "20", *options]) == 0
    recorded = PreparedData(out).manifest["config"]["words"]
    assert (recorded["separation"], recorded["separation_threshold"]) == ("groups", 0.3)


def test_bad_input_is_65(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    arguments = ["--source", "files", "--files", str(tmp_path / "latin.txt")]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 65
    assert "latin.txt, line 1: wanted UTF-8" in capsys.readouterr().err


def test_without_the_extra_prep_nothing_is_begun(
    tmp_path: Path,
    text_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "nltk", None)  # as if it were not installed
    out = tmp_path / "out"
    assert main(["--source", "files", "--files", str(text_file), "--out", str(out)]) == 65
    errors = capsys.readouterr().err
    assert "got no nltk; run pip install 'rrnn_lit[prep]'" in errors
    assert errors.count("\n") == 1
    assert not out.exists()


def test_a_disk_that_cannot_be_written_is_74(
    tmp_path: Path,
    text_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(prepare_cli, "prepare", full)
    assert main(["--source", "files", "--files", str(text_file), "--out", "x"]) == 74
    assert "cannot write x: [Errno 28] No space left on device" in capsys.readouterr().err


def test_ctrl_c_ends_the_workers_and_says_how_to_continue(tmp_path: Path) -> None:
    path, out = tmp_path / "text.txt", tmp_path / "out"
    path.write_text(
        "\n".join(f"{line} Number {i}." for i, line in enumerate(sentences(0, 60_000)))
    )
    child = subprocess.Popen(
        [sys.executable, "-m", "rrnn_lit.data.prepare_cli", "--source", "files", "--files"]
        + [str(path), "--out", str(out), "--processes", "2", *FAST],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # in a job behind `&` a shell has it ignored, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not list(out.glob(".work/*/read.json")) and child.poll() is None:
        time.sleep(0.01)
    time.sleep(0.3)  # now in the stage that makes tokens
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    assert child.returncode == 130
    assert f"interrupted; the same command continues in {out}" in errors
    assert "Traceback" not in errors
    assert not (out / "manifest.json").exists()
