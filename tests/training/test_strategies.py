from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.pytorch.strategies import DDPStrategy, StrategyRegistry
from torch.nn.parallel import DistributedDataParallel

from rrnn_lit import cli as command
from rrnn_lit.models.autoencoder import SentenceAutoencoder
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.metrics_log import read_metrics
from rrnn_lit.training.module_options import check_memory
from rrnn_lit.training.sharding import ShardedStrategy
from rrnn_lit.training.strategies import (
    SHARDED_WAIT,
    WAIT,
    ReplicatedStrategy,
    check_strategy,
    check_strategy_name,
    cluster_plugins,
    is_first_process,
    register_strategies,
)
from tests.models.test_autoencoder import PAPER
from tests.training.conftest import Fit, WriteConfig
from tests.training.ranks import run_ranks
from tests.training.tiny import Options, load

LAST = "checkpoints/last.ckpt"
# shares of unequal size; dropout draws other masks in every process
UNEVEN: Options = {"model.dropout": 0.0, "data.batch_size": 9}
OWN_TIME = ("time", "life", "train/sentences_per_second", "train/matching_time_share")


def furthest(first: Path, second: Path) -> float:
    """Return the largest difference of two weights of the same name."""
    a, b = (load(folder / LAST)["state_dict"] for folder in (first, second))
    assert a.keys() == b.keys()
    return max(float((a[name] - b[name]).abs().max()) for name in a)


def records(folder: Path) -> list[dict[str, Any]]:
    """Return what a run logged, but for the time it took."""
    lines = read_metrics(folder / "metrics.jsonl")
    return [{k: v for k, v in line.items() if k not in OWN_TIME} for line in lines]


def test_two_processes_train_as_one(write_config: WriteConfig, fit: Fit, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    fit({**UNEVEN, "run.folder": str(one)})
    ddp = {"trainer.strategy": "ddp", "trainer.devices": 2, "run.folder": str(two)}
    config = write_config({**UNEVEN, **ddp})

    def train() -> int:
        original = AutoencoderModule.training_step

        def training_step(self: AutoencoderModule, *given: Any) -> Any:
            model = self.trainer.strategy.model
            assert isinstance(model, DistributedDataParallel)
            assert not model.will_sync_module_buffers()
            return original(self, *given)

        setattr(AutoencoderModule, "training_step", training_step)  # noqa: B010
        return command.main(["fit", "--config", str(config)])

    log = tmp_path / "log"
    assert run_ranks(2, train, log) == [0, 0], Path(f"{log}.0").read_text(encoding="utf-8")
    assert furthest(one, two) < 1e-6
    for line, other in zip(records(one), records(two), strict=True):
        assert line == pytest.approx(other, rel=1e-5)
        assert {k: v for k, v in line.items() if "/matched_words" in k} == {
            k: v for k, v in other.items() if "/matched_words" in k
        }
    samples = [(f / "reconstructions.jsonl").read_text(encoding="utf-8") for f in (one, two)]
    assert samples[0].count("\n") == samples[1].count("\n") == 3
    # the other process is silent
    assert "stopped:" in Path(f"{log}.0").read_text(encoding="utf-8")
    assert "stopped:" not in Path(f"{log}.1").read_text(encoding="utf-8")


def trainer_with(strategy: Any, precision: str = "32-true") -> pl.Trainer:
    """Return what `check_strategy` looks at."""
    return SimpleNamespace(strategy=strategy, precision=precision)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("task", "command_name", "seed", "precision", "message"),
    [
        ("compressor", "fit", 1, "32-true", "trainer.strategy: wanted auto or ddp, got fsdp2"),
        ("autoencoder", "predict", 1, "32-true", "trainer.strategy: wanted auto or ddp"),
        ("autoencoder", "fit", False, "32-true", "seed_everything: wanted a seed"),
        ("autoencoder", "fit", 1, "16-mixed", "trainer.precision: wanted bf16-mixed or 32-true"),
    ],
)
def test_what_shared_out_weights_cannot_do_is_refused_by_name(
    task: str, command_name: str, seed: int, precision: str, message: str
) -> None:
    trainer = trainer_with(ShardedStrategy(WAIT), precision)
    with pytest.raises(ValueError, match=f"^{message}"):
        check_strategy(trainer, task, command_name, seed)


@pytest.mark.parametrize("strategy", [DDPStrategy, ReplicatedStrategy])
def test_strategies_that_work_are_taken(strategy: type[DDPStrategy]) -> None:
    check_strategy(trainer_with(strategy()), "compressor", "predict", False)


@pytest.mark.parametrize("name", ["ddp_spawn", "ddp_fork_find_unused_parameters_false"])
def test_processes_that_forget_the_run_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"^trainer.strategy: wanted ddp, got {name}"):
        check_strategy_name(name)


def test_lean_memory_is_refused_for_shared_out_weights() -> None:
    trainer = trainer_with(ShardedStrategy(WAIT))
    with pytest.raises(ValueError, match=r"^model\.memory: wanted standard with .* fsdp2"):
        check_memory({"memory": "lean"}, trainer)


@pytest.mark.parametrize(
    ("variables", "is_first"),
    [
        ({}, True),
        ({"LOCAL_RANK": "0"}, True),
        ({"LOCAL_RANK": "1"}, False),
        ({"RANK": "2", "LOCAL_RANK": "0"}, False),
        ({"NODE_RANK": "1"}, False),
        ({"SLURM_PROCID": "3"}, False),
    ],
)
def test_launchers_number_processes(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], is_first: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert is_first_process() == is_first


def test_processes_wait_for_the_save_of_the_largest_network() -> None:
    register_strategies()
    assert StrategyRegistry["fsdp2"]["init_params"] == {"timeout": SHARDED_WAIT}
    with torch.device("meta"):
        network = SentenceAutoencoder(replace(PAPER, hidden_size=40_000))
    largest = 12 * sum(weight.numel() for weight in network.parameters())
    # written, and read again to see what was written, by a disk of 200 MB a second
    assert SHARDED_WAIT.total_seconds() > 2 * largest / 200e6


def test_slurm_jobs_go_back_to_the_queue_by_their_script_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert cluster_plugins() == []
    monkeypatch.setenv("SLURM_NTASKS", "1")
    monkeypatch.setenv("SLURM_JOB_NAME", "rrnn-fit")
    (environment,) = cluster_plugins()
    assert isinstance(environment, SLURMEnvironment)
    assert not environment.auto_requeue
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")  # torchrun inside a job
    assert cluster_plugins() == []
