"""Whether the runs of a study log its objective, and often enough for its pruner.

A run that does not fails as a trial only when all its training is done.
"""

from collections.abc import Mapping
from typing import Any

from rrnn_lit.search.options import did_you_mean
from rrnn_lit.search.study_file import Definition
from rrnn_lit.training.metric_keys import SPLIT_FIGURES, TRAIN_FIGURES, split_key

# holdout is not seen before `rrnn test`
_METRICS = (
    *(split_key(split, figure) for split in ("tune", "test") for figure in SPLIT_FIGURES),
    *TRAIN_FIGURES,
)
_EVALUATION, _LOG_LINE = "trainer.val_check_interval", "trainer.log_every_n_steps"
_ACCUMULATED = "trainer.accumulate_grad_batches"


def check_objective(definition: Definition, options: Mapping[str, Any]) -> None:
    """Refuse a study whose trials would have no result or never reach their pruner.

    Args:
        definition: the study.
        options: every option of its runs with its value, by dotted name.

    Raises:
        ValueError: names the option of the study, what was wanted and what was got.
    """
    metric, steps = definition.metric, definition.steps
    if metric not in _METRICS:
        raise ValueError(
            f"objective.metric: wanted a figure that a run logs, got {metric!r}"
            f"{did_you_mean(metric, _METRICS) or f'; one is {_METRICS[0]}'}"
        )
    is_trained = metric in TRAIN_FIGURES
    name = _LOG_LINE if is_trained else _EVALUATION
    interval = options.get(name)
    varied = {dimension.option for dimension in definition.space}
    if not isinstance(interval, int) or interval < 1 or name in varied:
        return  # a share of an epoch, one that the run refuses, or another in every trial
    if not is_trained:  # counted in batches, several of which may be one step
        interval = max(1, interval // (options.get(_ACCUMULATED) or 1))
    # the evaluation at the end of a run comes always, a log line does not
    if is_trained and interval > steps:
        raise ValueError(
            f"budget.steps: wanted at least {name}, {interval}, for a value of {metric},"
            f" got {steps}"
        )
    last = (steps - 1) // interval * interval
    if definition.pruner.kind != "none" and last < max(definition.pruner.min_steps, 1):
        raise ValueError(
            f"pruner: wanted a value of {metric} between step {definition.pruner.min_steps} of"
            f" pruner.min_steps and the last step {steps}, got {name} {interval}"
        )
