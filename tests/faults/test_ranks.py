"""Rows 4 and 5: processes of one training that die, and that are fewer or more than before."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from rrnn_lit import cli as command
from rrnn_lit.bench.faults.saves import die
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.lightning_cli import RRNNCLI
from tests.training.ranks import rank, run_command, run_ranks, start_ranks, wait_for
from tests.training.tiny import Options, differences, load, read_json, tiny_config

LAST = "checkpoints/last.ckpt"
# with 2 sentences left for the last batch of a pass: fewer than 4 processes
UNEVEN: Options = {"data.batch_size": 23, "data.eval_batch_size": 6, "data.max_passes": None}
Got = Callable[[str], None]
WriteConfig = Callable[..., Path]


@pytest.fixture
def write(prepared_folder: Path, tmp_path: Path) -> WriteConfig:
    """Write the tiny config of a run and return its path."""

    def write_config(run: str, options: Options) -> Path:
        path = tmp_path / f"{run}.yaml"
        config = tiny_config(prepared_folder, tmp_path / run, options)
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return path

    return write_config


def ddp(count: int) -> Options:
    """Return the options of so many processes."""
    return {"trainer.strategy": "ddp", "trainer.devices": count} if count > 1 else {}


def killed_at(name: str, step: int, arguments: list[str]) -> Callable[[], int]:
    """Return a training whose process 1 dies in a method of the module at a step."""

    def run() -> int:
        original = getattr(AutoencoderModule, name)

        def method(self: AutoencoderModule, *given: Any, **options: Any) -> Any:
            if rank() == 1 and self.global_step == step:
                die()
            return original(self, *given, **options)

        setattr(AutoencoderModule, name, method)
        return command.main(arguments)

    return run


def keeping_weights(arguments: list[str], path: Path) -> Callable[[], int]:
    """Return a training that stores the last weights of every process in `<path>.<rank>`."""

    def run() -> int:
        cli = RRNNCLI([arguments[0], *command.expand_run("fit", arguments[1:])])
        torch.save(cli.model.state_dict(), f"{path}.{rank()}")
        return 0

    return run


@pytest.mark.promise(4)
@pytest.mark.timeout(120)
def test_a_dead_rank_costs_the_steps_since_the_last_checkpoint(
    write: WriteConfig, tmp_path: Path, got: Got
) -> None:
    log, straight, weights = tmp_path / "log", tmp_path / "straight", tmp_path / "weights"
    config = write("straight", ddp(2))
    assert run_ranks(2, keeping_weights(["fit", "--config", str(config)], weights), log) == [0, 0]
    # in the forward pass, and between the exchange of gradients and the update
    plans = [("training_step", step) for step in (5, 6, 8)]
    plans += [("on_before_optimizer_step", step) for step in (3, 7, 9)]
    identical, seconds = 0, []
    for number, (name, step) in enumerate(plans):
        run = tmp_path / f"run{number}"
        dying = killed_at(name, step, ["fit", "--config", str(write(run.name, ddp(2)))])
        first, second = wait_for(start_ranks(2, dying, log), 30.0)
        assert (second.code, first.code in (0, -9)) == (-9, False), "not as planned"
        seconds.append(first.at - second.at)
        resumed = tmp_path / f"weights{number}"
        again = keeping_weights(["fit", "--resume", str(run)], resumed)
        assert run_ranks(2, again, log) == [0, 0]
        found = differences(load(straight / LAST), load(run / LAST))
        for r in range(2):
            found += differences(load_weights(weights, r), load_weights(resumed, r))
        identical += not found
    got(f"{identical} of 6 identical; the other rank ends {max(seconds):.1f} s after the death")
    assert identical == 6
    assert max(seconds) < 30


def load_weights(path: Path, r: int) -> dict[str, Any]:
    """Return what `keeping_weights` stored for process r."""
    return load(Path(f"{path}.{r}"))


def noting_sentences(arguments: list[str], notes: Path, die_at: int = -1) -> Callable[[], int]:
    """Return a training that notes (step, sentences) of its processes in `<notes>.<rank>`."""

    def run() -> int:
        original = AutoencoderModule.training_step

        def training_step(self: AutoencoderModule, batch: Any, *given: Any) -> Any:
            if self.global_step == die_at:
                die()
            numbers = batch["sentence_numbers_B"].tolist() if batch["loss_share"] else []
            with open(f"{notes}.{rank()}", "a", encoding="utf-8") as file:
                file.write(json.dumps([self.global_step, numbers]) + "\n")
            return original(self, batch, *given)

        setattr(AutoencoderModule, "training_step", training_step)  # noqa: B010
        return command.main(arguments)

    return run


def sentences_by_step(notes: Path, up_to: int = 40) -> list[list[int]]:
    """Return the sentences of all processes of each step, those of the last life of a step."""
    steps: dict[int, list[int]] = {}
    for path in sorted(notes.parent.glob(f"{notes.name}.*")):
        lines = path.read_text(encoding="utf-8").splitlines()
        own = {step: numbers for step, numbers in map(json.loads, lines) if step < up_to}
        for step, numbers in own.items():
            steps[step] = sorted([*steps.get(step, []), *numbers])
    return [steps[step] for step in sorted(steps)]


def rule_of(run: Path) -> dict[str, Any]:
    """Return the state of the stop rule in a run's last checkpoint."""
    states = load(run / LAST)["callbacks"]
    return dict(next(v for name, v in states.items() if "MatchedWordsStopping" in name))


FORTY: Options = {
    **UNEVEN,
    "trainer.max_steps": 40,
    "trainer.val_check_interval": 16,
    "checkpoint.every_n_steps": 5,
    "model.dropout": 0.0,
}


@pytest.mark.promise(5)
@pytest.mark.timeout(120)
def test_any_number_of_ranks_sees_the_same_sentences_in_every_step(
    write: WriteConfig, tmp_path: Path, got: Got
) -> None:
    for count in (1, 2, 4):
        config = write(f"run{count}", {**FORTY, **ddp(count)})
        training = noting_sentences(["fit", "--config", str(config)], tmp_path / f"ids{count}")
        assert run_ranks(count, training, tmp_path / "log") == [0] * count
    straight = sentences_by_step(tmp_path / "ids1")
    assert (len(straight), min(map(len, straight))) == (40, 2)
    # two processes die in step 37, and one goes on from the checkpoint of step 35
    config = write("fewer", {**FORTY, **ddp(2)})
    dying = noting_sentences(["fit", "--config", str(config)], tmp_path / "ids_a", die_at=37)
    assert run_ranks(2, dying, tmp_path / "log") == [-9, -9]
    on = ["fit", "--resume", str(tmp_path / "fewer"), "--trainer.devices", "1"]
    assert run_ranks(1, noting_sentences(on, tmp_path / "ids_b"), tmp_path / "log") == [0]
    fewer = [*sentences_by_step(tmp_path / "ids_a", 35), *sentences_by_step(tmp_path / "ids_b")]
    others = [sentences_by_step(tmp_path / f"ids{count}") for count in (2, 4)]
    different = sum(
        len({*map(tuple, step)}) > 1 for step in zip(straight, fewer, *others, strict=True)
    )
    got(f"{different} of 40 steps differ (1, 2, 4 and 2 to 1 ranks)")
    assert different == 0
    assert len(fewer) == 40
    assert rule_of(tmp_path / "fewer") == rule_of(tmp_path / "run1")


@pytest.mark.promise(5)
@pytest.mark.parametrize("change", [(1, 2), (2, 4)], ids=["1 to 2", "2 to 4"])
def test_more_ranks_than_before_train_the_same_weights(
    write: WriteConfig, tmp_path: Path, got: Got, change: tuple[int, int]
) -> None:
    # dropout would draw other masks
    options = {**UNEVEN, "model.dropout": 0.0}
    config = write("straight", options)
    assert run_ranks(
        1, lambda: command.main(["fit", "--config", str(config)]), tmp_path / "l"
    ) == [0]
    first, second = change
    config = write("more", {**options, **ddp(first), "trainer.max_steps": 5})
    assert run_command(first, ["fit", "--config", str(config)], tmp_path / "l") == [0] * first
    on = ["fit", "--resume", str(tmp_path / "more"), "--trainer.max_steps", "10"]
    assert run_command(second, [*on, "--trainer.strategy", "ddp"], tmp_path / "l") == [0] * second
    wanted = load(tmp_path / "straight" / LAST)["state_dict"]
    weights = load(tmp_path / "more" / LAST)["state_dict"]
    furthest = max(float((weights[n] - w).abs().max()) for n, w in wanted.items())
    got(f"{first} to {second} ranks: weights differ by at most {furthest:.0e}")
    assert furthest < 1e-5
    assert rule_of(tmp_path / "more") == rule_of(tmp_path / "straight")


@pytest.mark.promise(5)
def test_any_number_of_ranks_counts_the_same_words(
    write: WriteConfig, tmp_path: Path, got: Got
) -> None:
    run, counts = tmp_path / "run", []
    config = write("run", {**UNEVEN, "model.dropout": 0.0})
    assert run_ranks(
        1, lambda: command.main(["fit", "--config", str(config)]), tmp_path / "l"
    ) == [0]
    for count in (1, 2, 3, 4):
        test = ["test", "--run", str(run), f"--trainer.strategy={'ddp' if count > 1 else 'auto'}"]
        assert run_command(count, test, tmp_path / "l") == [0] * count
        counts.append(read_json(run / "summary.json")["splits"]["holdout"])
    different = sum(c != counts[0] for c in counts)
    got(f"{different} of 4 counts of holdout differ (1, 2, 3, 4 ranks)")
    assert different == 0
    assert counts[0]["num_sentences"] == 20
    assert counts[0]["matched_words"] > 0
