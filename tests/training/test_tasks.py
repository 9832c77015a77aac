from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit import cli as command
from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.data.vector_datamodule import SentenceVectorDataModule
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.compressor_module import CompressorModule
from rrnn_lit.training.lightning_cli import RRNNCLI, OptionError
from rrnn_lit.training.say_memory import SayMemory
from rrnn_lit.training.tasks import choose_task
from tests.training.compressing import write_compressor
from tests.training.conftest import Fit, WriteConfig


@pytest.fixture
def compressor(prepared_folder: Path, straight_run: Path, tmp_path: Path) -> Path:
    return write_compressor(prepared_folder, straight_run, tmp_path / "runs" / "compressor")


@pytest.mark.parametrize(
    ("arguments", "task"),
    [
        ([], "autoencoder"),
        (["--task", "compressor"], "compressor"),
        (["--task=compressor"], "compressor"),
        (["--config", "FILE"], "compressor"),
        (["--config=FILE"], "compressor"),
        (["-c", "FILE"], "compressor"),
        (["--config", "FILE", "--task", "autoencoder"], "autoencoder"),
        (["--config", "FILE", "--config", "OTHER"], "compressor"),
        (["--config", "OTHER"], "autoencoder"),
        (["--config", "nowhere.yaml"], "autoencoder"),
    ],
)
def test_the_last_word_decides(tmp_path: Path, arguments: list[str], task: str) -> None:
    (tmp_path / "file.yaml").write_text("task: compressor\nmodel:\n  task: nothing\n")
    (tmp_path / "other.yaml").write_text("model: {}\n")
    files = {"FILE": str(tmp_path / "file.yaml"), "OTHER": str(tmp_path / "other.yaml")}
    for name, path in files.items():
        arguments = [argument.replace(name, path) for argument in arguments]
    assert choose_task(["fit", *arguments]) == task


def test_each_task_has_its_own_parts(build: Fit, compressor: Path) -> None:
    autoencoder = build()
    assert (type(autoencoder.model), type(autoencoder.datamodule)) == (
        AutoencoderModule,
        SentenceDataModule,
    )
    cli = RRNNCLI(["--config", str(compressor)], run=False)
    assert type(cli.model) is CompressorModule
    assert type(cli.datamodule) is SentenceVectorDataModule
    assert cli.model.hparams["sentence_vector_size"] == 16
    assert cli.model.hparams["match_margin"] == 0.1
    kinds = {type(c) for c in cli.trainer.callbacks}  # type: ignore[attr-defined]
    assert SayMemory not in kinds


def test_an_unknown_task_is_one_line(
    write_config: WriteConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_config()
    path.write_text("task: compresor\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(OptionError, match="wanted autoencoder or compressor, got 'compresor'"):
        RRNNCLI(["fit", "--config", str(path)])
    assert command.main(["fit", "--config", str(path)]) == command.EXIT_BAD_CONFIG
    message = "task: wanted autoencoder or compressor, got 'compresor'"
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_options_of_the_other_task_are_unknown(compressor: Path) -> None:
    with pytest.raises(OptionError, match="hidden_size"):
        RRNNCLI(["fit", "--config", str(compressor), "--model.hidden_size", "3"])
    with pytest.raises(OptionError, match="model"):
        RRNNCLI(["fit", "--config", str(compressor), "--task", "autoencoder"])


def test_the_whole_config_of_a_run_names_its_task(
    straight_run: Path, straight_compressor: Path
) -> None:
    def config(run: Path) -> Any:
        return yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))

    assert config(straight_run)["task"] == "autoencoder"
    assert config(straight_compressor)["task"] == "compressor"
    assert "sentence_vector_size" not in config(straight_compressor)["model"]


def test_print_config_needs_no_autoencoder(
    compressor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = ["--data.autoencoder", "nowhere", "--print_config"]
    with pytest.raises(SystemExit) as done:
        RRNNCLI(["fit", "--config", str(compressor), *nowhere])
    assert done.value.code == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    assert printed["data"]["autoencoder"] == "nowhere"
    assert (printed["task"], printed["model"]["bits"]) == ("compressor", 4)


def test_an_autoencoder_that_is_not_there_is_one_line(
    compressor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--config", str(compressor), "--data.autoencoder", "nowhere"]
    assert command.main(["fit", *options]) == command.EXIT_BAD_INPUT
    assert "nowhere: wanted the folder of a run or of a bundle" in capsys.readouterr().err
