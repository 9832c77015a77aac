"""Who ends bad trials early. Reports are by step of the run, so are all numbers here."""

import optuna
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
)

from rrnn_lit.search.study_file import Definition


def make_pruner(definition: Definition) -> BasePruner:
    """Return the pruner of a study.

    A pruner acts only at an evaluation: with too rare evaluations it has nothing to compare.

    Raises:
        ValueError: the definition names a pruner that is not offered.
    """
    settings = definition.pruner
    if settings.kind == "none":
        return NopPruner()
    if settings.kind == "asha":
        return SuccessiveHalvingPruner(
            min_resource=settings.min_steps,
            reduction_factor=settings.reduction_factor,
            min_early_stopping_rate=0,
        )
    if settings.kind == "median":
        return MedianPruner(
            n_startup_trials=settings.startup_trials, n_warmup_steps=settings.min_steps
        )
    if settings.kind == "hyperband":
        return _with_brackets(
            HyperbandPruner(
                min_resource=settings.min_steps,
                max_resource=definition.steps,
                reduction_factor=settings.reduction_factor,
            )
        )
    raise ValueError(
        f"pruner.kind: wanted one of none, asha, median, hyperband, got {settings.kind!r}"
    )


def _with_brackets(pruner: HyperbandPruner) -> HyperbandPruner:
    """Return the pruner, its brackets made.

    It makes them at its first use, without a lock, and worker threads share it.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    study.ask()
    pruner.prune(study, study.get_trials()[0])
    return pruner
