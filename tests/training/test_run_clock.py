import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning.pytorch as pl
import pytest

from rrnn_lit.training.owner import RunOwnedError
from rrnn_lit.training.preemption import RunStoppedError
from rrnn_lit.training.run_clock import RunClock, process_began
from rrnn_lit.training.run_events import EVENTS_FILE, read_events
from tests.training.tiny import in_child


@pytest.fixture
def idle(tmp_path: Path) -> tuple[pl.Trainer, pl.LightningModule]:
    trainer = pl.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        default_root_dir=tmp_path,
    )
    return trainer, pl.LightningModule()


def test_counts_all_starts_up_to_their_last_checkpoint(
    monkeypatch: pytest.MonkeyPatch, idle: tuple[pl.Trainer, pl.LightningModule]
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    first = RunClock()
    assert first.seconds == 0
    first.on_train_start(*idle)
    now[0] = 130.0
    saved = first.state_dict()
    now[0] = 170.0  # killed here: the time since the checkpoint is done again
    second = RunClock()
    second.load_state_dict(saved)
    now[0] = 1000.0
    second.on_train_start(*idle)
    now[0] = 1005.0
    second.on_train_end(*idle)
    now[0] = 2000.0
    assert second.seconds == 35.0


def test_starts_and_ends_are_on_record_with_their_reasons(
    idle: tuple[pl.Trainer, pl.LightningModule], tmp_path: Path
) -> None:
    first = RunClock()
    first.on_exception(*idle, ValueError("before training"))
    first.on_train_start(*idle)
    first.on_exception(*idle, RunStoppedError(tmp_path, "at step 0", "SIGTERM"))
    second = RunClock()
    second.load_state_dict(first.state_dict())
    second.on_train_start(*idle)
    second.on_exception(*idle, KeyboardInterrupt())
    events = read_events(tmp_path)
    assert [(e.event, e.reason) for e in events] == [
        ("start", "new"),
        ("end", "SIGTERM"),
        ("start", "new"),
        ("end", "KeyboardInterrupt"),
    ]
    assert events[1].seconds == events[2].seconds
    figures = second.effective(idle[0])
    assert figures is not None
    assert figures.starts == 2


def test_a_process_knows_when_it_began() -> None:
    before = time.time()

    def tell() -> int:
        # the system counts in hundredths of a second
        return int(not before - 0.05 <= process_began() <= time.time())

    assert process_began() < before
    assert in_child(tell) == 0


@pytest.mark.parametrize("error", [OSError(28, "No space left"), RunOwnedError(Path("run"), "p")])
def test_an_end_that_cannot_be_noted_does_not_hide_why_the_run_ends(
    idle: tuple[pl.Trainer, pl.LightningModule], tmp_path: Path, error: Exception
) -> None:
    is_free = True

    @contextmanager
    def held() -> Iterator[None]:
        if not is_free:
            raise error
        yield

    clock = RunClock(held)
    clock.on_train_start(*idle)
    is_free = False
    clock.on_exception(*idle, ValueError("a loss is not finite"))
    assert [e.event for e in read_events(tmp_path)] == ["start"]


def test_a_start_without_its_end_is_ended_by_the_clock_of_its_checkpoint(
    idle: tuple[pl.Trainer, pl.LightningModule], tmp_path: Path
) -> None:
    RunClock().on_train_start(*idle)  # killed behind its last checkpoint
    resumed = RunClock()
    resumed.load_state_dict({"seconds": 40.0})
    figures = resumed.effective(idle[0])
    assert figures is not None
    assert figures.starts == 1
    assert [(e.event, e.seconds) for e in read_events(tmp_path)] == [("start", 0), ("end", 40)]
    assert resumed.effective(idle[0]) == figures, "ended once"


def test_a_record_that_does_not_tell_gives_no_figures(
    idle: tuple[pl.Trainer, pl.LightningModule], tmp_path: Path
) -> None:
    clock = RunClock()
    assert clock.effective(idle[0]) is None
    torn = '{"event": "end", "step": 1, "time": "x", "life": 1, "seconds": 2, "reason": ""}'
    clock.on_train_start(*idle)
    with (tmp_path / EVENTS_FILE).open("a") as file:
        file.write(torn + "\n")
    assert clock.effective(idle[0]) is None
