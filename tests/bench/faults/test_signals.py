import os
import signal
from pathlib import Path

import lightning.pytorch as pl
import pytest

from rrnn_lit.bench.faults.signals import SignalAt, arm
from tests.bench.faults.toy import train
from tests.training.tiny import in_child


class Note(pl.Callback):
    """Ends training when the signal has come; `seen` are the steps done then."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._trainer = trainer

    def note(self, *_: object) -> None:
        self.seen.append(self._trainer.global_step)
        self._trainer.should_stop = True


@pytest.mark.parametrize(
    "hook",
    ["on_train_batch_start", "on_before_backward", "on_after_backward", "on_train_batch_end"],
)
def test_the_signal_comes_once_at_its_hook_and_step(hook: str) -> None:
    note = Note()
    before = signal.signal(signal.SIGUSR1, note.note)
    try:
        trainer = train(note, SignalAt(hook, 2, "SIGUSR1"), steps=9)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert note.seen == [2]
    assert trainer.global_step == (2 if hook == "on_train_batch_end" else 3)


def test_a_kill_ends_the_process() -> None:
    def run() -> int:
        train(SignalAt("on_after_backward", 1, "SIGKILL"))
        return 0

    assert in_child(run) == -signal.SIGKILL


def test_a_stopped_process_stands_still_until_it_is_woken() -> None:
    child = os.fork()
    if child == 0:
        try:
            train(SignalAt("on_train_batch_start", 1, "SIGSTOP"))
        finally:
            os._exit(5)
    _, status = os.waitpid(child, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def test_with_a_file_it_happens_in_one_start_only(tmp_path: Path) -> None:
    once = tmp_path / "once"

    def run() -> int:
        train(SignalAt("on_train_batch_start", 1, "SIGKILL", str(once)))
        return 0

    assert [in_child(run), in_child(run)] == [-signal.SIGKILL, 0]


def test_armed_callbacks_are_in_every_later_training() -> None:
    def run() -> int:
        arm(SignalAt("on_train_batch_start", 1, "SIGKILL"))
        train()
        return 0

    assert in_child(run) == -signal.SIGKILL


@pytest.mark.parametrize("hook", ["training_step", "on_lunch", "state_dict"])
def test_an_unknown_hook_is_refused(hook: str) -> None:
    with pytest.raises(ValueError, match=f"hook: wanted a method .*, got '{hook}'"):
        SignalAt(hook, 1, "SIGTERM")
