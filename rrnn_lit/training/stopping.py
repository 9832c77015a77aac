"""Stop when matched words on the test split no longer rise significantly (paper section 2.5)."""

from dataclasses import asdict, dataclass
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback, Timer

from rrnn_lit.training.metric_keys import split_key

MONITOR = split_key("test", "matched_words")


@dataclass(frozen=True)
class StopState:
    """What the stop rule remembers between checks.

    Attributes:
        best_count: highest count so far that was a significant gain; 0 before the first check.
        best_step: global_step at which it was counted.
        checks_without_gain: checks since then.
    """

    best_count: int = 0
    best_step: int = 0
    checks_without_gain: int = 0


def check_stop(
    state: StopState, count: int, step: int, patience: int, min_relative_gain: float
) -> tuple[StopState, str | None]:
    """Return the state after a check, and the reason to stop or None (decision D-30).

    A gain is significant when `count > best * (1 + min_relative_gain)`; small gains add up,
    because the best count only moves with a significant one. A first count of 0 is a check
    without gain.
    """
    if count > state.best_count * (1 + min_relative_gain):
        return StopState(count, step, 0), None
    after = StopState(state.best_count, state.best_step, state.checks_without_gain + 1)
    if after.checks_without_gain < patience:
        return after, None
    return after, (
        f"{MONITOR} did not rise by {min_relative_gain:.3%} in {patience} checks: best "
        f"{state.best_count} at step {state.best_step}, now {count} at step {step}"
    )


def check_is_due(trainer: pl.Trainer) -> bool:
    """Return whether the evaluation at this step is a check of the stop rule.

    Lightning adds one wherever a timer or another callback stops training. Counting it would
    make a run that is stopped and resumed differ from one that never stopped.
    """
    interval = trainer.val_check_batch
    if not isinstance(interval, int):
        return True  # trainer.val_check_interval is a time: no step is more due than another
    return (trainer.fit_loop.batch_idx + 1) % interval == 0


def precedes_a_check(trainer: pl.Trainer) -> bool:
    """Return whether the next step ends with a check of the stop rule."""
    interval = trainer.val_check_batch
    if not isinstance(interval, int):
        return False  # a time: nobody knows
    return (trainer.fit_loop.batch_idx + 1 + trainer.accumulate_grad_batches) % interval == 0


def ends_a_step(trainer: pl.Trainer) -> bool:
    """Return whether this batch ended with an update: False inside of an accumulation."""
    return (trainer.fit_loop.batch_idx + 1) % trainer.accumulate_grad_batches == 0


def time_is_up(timer: Timer) -> bool:
    """Return whether `trainer.max_time` has passed."""
    remaining = timer.time_remaining()
    return remaining is not None and remaining <= 0


class MatchedWordsStopping(Callback):
    """Early stopping on the matched words of a fixed part of the test split.

    Args:
        patience: checks without a significant gain before training stops; a check is one
            evaluation (`trainer.val_check_interval` updates), not an epoch.
        min_relative_gain: smallest gain that counts, relative to the best count; 0 counts any.

    Raises:
        ValueError: an option is out of range.
    """

    def __init__(self, patience: int, min_relative_gain: float) -> None:
        if patience < 1:
            raise ValueError(f"stopping.patience: wanted at least 1 check, got {patience}")
        if min_relative_gain < 0:
            raise ValueError(
                f"stopping.min_relative_gain: wanted a gain of at least 0, got {min_relative_gain}"
            )
        self.patience = patience
        self.min_relative_gain = min_relative_gain
        self.state = StopState()
        self.reason: str | None = None

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Check once per evaluation during training."""
        if trainer.sanity_checking or trainer.state.fn != "fit" or not check_is_due(trainer):
            return
        count = int(trainer.callback_metrics[MONITOR])
        self.state, self.reason = check_stop(
            self.state, count, trainer.global_step, self.patience, self.min_relative_gain
        )
        if self.reason is not None:
            trainer.should_stop = True

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop at once when the resumed run had stopped and the patience is not longer now."""
        if self.state.checks_without_gain < self.patience:
            self.reason = None
        if self.reason is not None:
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the rule and the reason."""
        return {**asdict(self.state), "reason": self.reason}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue where the checkpoint's run was."""
        fields = dict(state_dict)
        self.reason = fields.pop("reason")
        self.state = StopState(**fields)
