"""Whether a finished run has anything left to train: steps, patience or time."""

from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import Timer

from rrnn_lit.training.checkpoint_file import read_checkpoint
from rrnn_lit.training.run_folder import is_finished
from rrnn_lit.training.stopping import MatchedWordsStopping, time_is_up


class RunCompleteError(Exception):
    """`--resume` of a run that its options would end at once.

    Args:
        folder: the run's folder.
        reason: why it is complete.
        option: the option that a higher value of would extend it.
    """

    def __init__(self, folder: Path, reason: str, option: str) -> None:
        super().__init__(
            f"{folder} is complete: {reason}. Nothing was changed; give a higher "
            f"--{option} to train on"
        )


def check_unfinished(folder: Path, checkpoint: Path, options: Any) -> None:
    """Return unless the run in a folder is finished and these options leave it nothing to do.

    Args:
        folder: the run's folder.
        checkpoint: the run's own that is to be resumed.
        options: of the new start, with the groups `trainer` and `stopping`.

    Raises:
        RunCompleteError: names the option that would extend the run.
    """
    if not is_finished(folder):
        return
    content = read_checkpoint(checkpoint)
    step, states = content["global_step"], content["callbacks"]
    limit, max_time = options.trainer.max_steps, options.trainer.max_time
    if step >= limit:
        reason = f"{step} steps are done, trainer.max_steps is {limit}"
        raise RunCompleteError(folder, reason, "trainer.max_steps")
    stopping = states[MatchedWordsStopping.__qualname__]
    patience = options.stopping.patience
    if stopping["reason"] is not None and stopping["checks_without_gain"] >= patience:
        raise RunCompleteError(folder, stopping["reason"], "stopping.patience")
    if max_time is not None:
        timer = Timer(max_time)
        timer.load_state_dict(states.get(Timer.__qualname__, {}))
        if time_is_up(timer):
            reason = f"trainer.max_time {max_time} is used up"
            raise RunCompleteError(folder, reason, "trainer.max_time")
