"""Fixtures: the tiny config as a file, and a training with it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from rrnn_lit.training.lightning_cli import RRNNCLI
from tests.training.compressing import fit_compressor
from tests.training.tiny import Options, tiny_config

WriteConfig = Callable[..., Path]
Fit = Callable[..., RRNNCLI]


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """The folder that the tiny config names."""
    return tmp_path / "runs" / "demo"


@pytest.fixture
def write_config(prepared_folder: Path, tmp_path: Path, run_folder: Path) -> WriteConfig:
    """Write the tiny config with further dotted options and return its path."""

    def write(options: Options | None = None) -> Path:
        path = tmp_path / "tiny.yaml"
        config = tiny_config(prepared_folder, run_folder, options)
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return path

    return write


@pytest.fixture
def fit(write_config: WriteConfig) -> Fit:
    """Train with the tiny config, options and further arguments; return the finished RRNNCLI."""

    def train(options: Options | None = None, *arguments: str) -> RRNNCLI:
        return RRNNCLI(["fit", "--config", str(write_config(options)), *arguments])

    return train


@pytest.fixture
def build(write_config: WriteConfig) -> Fit:
    """Build trainer, model and data of the tiny config without training."""

    def construct(options: Options | None = None) -> RRNNCLI:
        return RRNNCLI(["--config", str(write_config(options))], run=False)

    return construct


@pytest.fixture(scope="session")
def straight_run(prepared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny config's run from start to end without a stop; tests only read it."""
    folder = tmp_path_factory.mktemp("straight")
    config = folder / "tiny.yaml"
    content = tiny_config(prepared_folder, folder / "run")
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    return RRNNCLI(["fit", "--config", str(config)]).folder


@pytest.fixture(scope="session")
def straight_compressor(
    prepared_folder: Path, straight_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The run of the tiny compressor behind `straight_run`; tests only read it."""
    folder = tmp_path_factory.mktemp("straight_compressor") / "run"
    return fit_compressor(prepared_folder, straight_run, folder).folder
