from typing import Any

import pytest

from rrnn_lit.search.objective import check_objective
from rrnn_lit.search.settings import PrunerSettings
from rrnn_lit.search.space import Dimension
from tests.search.finished_studies import define

OPTIONS = {"trainer.val_check_interval": 50, "trainer.log_every_n_steps": 20}
ASHA = PrunerSettings("asha", min_steps=100)
INTERVAL = Dimension("trainer.val_check_interval", "int_uniform", 10, 500, step=10)


@pytest.mark.parametrize(
    "metric", ["tune/matched_words", "test/exact_sentence_rate", "train/loss", "train/sentences"]
)
@pytest.mark.parametrize("pruner", [PrunerSettings("none"), ASHA], ids=["none", "asha"])
def test_what_a_run_logs_is_an_objective(metric: str, pruner: PrunerSettings) -> None:
    check_objective(define(metric=metric, pruner=pruner), OPTIONS)


@pytest.mark.parametrize(
    ("metric", "end"),
    [
        ("tune/matched_word", "; did you mean tune/matched_words\\?"),
        ("tune/loss", "; did you mean train/loss\\?"),
        ("holdout/matched_words", "; did you mean t[a-z]+/matched_words\\?"),
        ("fp16/loss_scale", ""),
        ("a/b", "; one is tune/matched_words"),
    ],
)
def test_another_objective_is_refused_with_the_nearest(metric: str, end: str) -> None:
    with pytest.raises(
        ValueError,
        match=f"^objective.metric: wanted a figure that a run logs, got '{metric}'.*{end}$",
    ):
        check_objective(define(metric=metric), OPTIONS)


@pytest.mark.parametrize("interval", [None, 7, 199, 200, 20000, 0.5, "00:01:00:00"])
def test_without_a_pruner_the_evaluation_at_the_end_is_enough(interval: Any) -> None:
    check_objective(define(), {**OPTIONS, "trainer.val_check_interval": interval})


@pytest.mark.parametrize(
    ("interval", "is_late"),
    [(50, False), (100, False), (199, False), (200, True), (20000, True), (90, False)],
)
def test_a_pruner_needs_an_evaluation_between_its_first_step_and_the_last(
    interval: int, is_late: bool
) -> None:
    definition = define(pruner=ASHA)
    options = {**OPTIONS, "trainer.val_check_interval": interval}
    if not is_late:
        check_objective(definition, options)
        return
    with pytest.raises(
        ValueError,
        match="pruner: wanted a value of tune/matched_words between step 100 of pruner.min_steps "
        f"and the last step 200, got trainer.val_check_interval {interval}$",
    ):
        check_objective(definition, options)


def test_the_last_evaluation_before_the_end_may_be_before_the_pruners_first_step() -> None:
    late = define(pruner=PrunerSettings("median", min_steps=190))
    with pytest.raises(ValueError, match="between step 190 of pruner.min_steps"):
        check_objective(late, {"trainer.val_check_interval": 60})


def test_batches_that_are_one_step_are_counted_as_one() -> None:
    options = {"trainer.val_check_interval": 400, "trainer.accumulate_grad_batches": 4}
    check_objective(define(pruner=ASHA), options)
    with pytest.raises(ValueError, match="trainer.val_check_interval 200$"):
        check_objective(define(pruner=ASHA), {**options, "trainer.accumulate_grad_batches": 2})


def test_an_interval_that_is_searched_is_left_alone() -> None:
    definition = define(pruner=ASHA, space=(INTERVAL,))
    check_objective(definition, {"trainer.val_check_interval": 20000})


def test_figures_of_training_need_a_log_line() -> None:
    with pytest.raises(
        ValueError,
        match="budget.steps: wanted at least trainer.log_every_n_steps, 201, for a value of"
        " train/loss, got 200",
    ):
        check_objective(define(metric="train/loss"), {"trainer.log_every_n_steps": 201})
