from dataclasses import replace

import optuna
import pytest
from optuna.trial import TrialState

from rrnn_lit.search import attributes
from rrnn_lit.search.claims import claim_trial
from rrnn_lit.search.ladder import extend
from rrnn_lit.search.settings import PrunerSettings
from rrnn_lit.search.space import suggest
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study import load_study, open_study
from rrnn_lit.search.study_file import Definition
from tests.search.finished_studies import SPACE, define, start, trials_of


@pytest.fixture
def study(sqlite_storage: SweepStorage) -> optuna.Study:
    """Four complete trials, the best last, one pruned; with published values and a pruner."""
    space = tuple(
        replace(d, published=p) for d, p in zip(SPACE[:2], (1e-3, 1 - 1e-6), strict=True)
    )
    definition = define(space=space, pruner=PrunerSettings("median"))
    study, _ = open_study(definition, sqlite_storage)
    for value in (50.0, 10.0, 30.0, 60.0):
        study.tell(start(study, definition), value)
    study.tell(start(study, definition), state=TrialState.PRUNED)
    return study


def origins(study: optuna.Study) -> list[int]:
    return [trial.user_attrs[attributes.ORIGIN] for trial in trials_of(study)]


def test_extend_queues_the_best_with_their_parameters(
    study: optuna.Study, sqlite_storage: SweepStorage
) -> None:
    rung, definition = extend("paper", 3, 500, sqlite_storage)
    assert rung.study_name == definition.name == "paper-500"
    assert rung.user_attrs[attributes.RUNG_OF] == "paper"
    assert rung.user_attrs[attributes.TOKEN] == study.user_attrs[attributes.TOKEN]
    assert (definition.steps, definition.stopping.trials) == (500, 3)
    assert definition.pruner.kind == "none"
    assert origins(rung) == [3, 0, 2]
    before = trials_of(study)
    for origin in origins(rung):
        claim = claim_trial(rung, sqlite_storage, wanted=3)
        assert claim is not None
        suggest(claim.trial, definition.space)
        assert claim.trial.params == before[origin].params
    assert load_study("paper-500", sqlite_storage)[1] == definition


def test_extend_twice_queues_nothing_twice_and_more_when_asked(
    study: optuna.Study, sqlite_storage: SweepStorage
) -> None:
    extend("paper", 2, 500, sqlite_storage)
    rung, _ = extend("paper", 2, 500, sqlite_storage)
    assert origins(rung) == [3, 0]
    rung, definition = extend("paper", 4, 500, sqlite_storage)
    assert origins(rung) == [3, 0, 2, 1]
    assert definition.stopping.trials == 4


def test_later_results_do_not_grow_a_rung(
    study: optuna.Study, sqlite_storage: SweepStorage
) -> None:
    extend("paper", 2, 500, sqlite_storage)
    study.tell(start(study, define(space=SPACE[:2])), 1000.0)
    rung, _ = extend("paper", 2, 500, sqlite_storage)
    assert origins(rung) == [3, 0]


def test_a_rung_of_a_rung_keeps_root_and_origin(
    study: optuna.Study, sqlite_storage: SweepStorage
) -> None:
    rung, definition = extend("paper", 2, 500, sqlite_storage)
    for value in (5.0, 8.0):  # origins 3 and 0: their order turns round
        rung.tell(start(rung, definition), value)
    higher, _ = extend("paper-500", 2, 2000, sqlite_storage)
    assert higher.study_name == "paper-2000"
    assert higher.user_attrs[attributes.RUNG_OF] == "paper"
    assert origins(higher) == [0, 3]
    waiting = [trial.state is TrialState.WAITING for trial in trials_of(higher)]
    assert waiting == [True, True]


@pytest.mark.parametrize(
    ("best", "steps", "message"),
    [
        (0, 500, r"--best: wanted at least 1 .* got 0; complete are 4"),
        (5, 500, r"--best: wanted at least 1 .* got 5; complete are 4"),
        (2, 200, r"--steps: wanted more than the 200 of study paper, got 200"),
    ],
)
@pytest.mark.usefixtures("study")
def test_a_rung_that_cannot_be_is_refused(
    sqlite_storage: SweepStorage, best: int, steps: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        extend("paper", best, steps, sqlite_storage)
    assert optuna.get_all_study_names(sqlite_storage) == ["paper"]


def finish(rung: optuna.Study, definition: Definition) -> None:
    for value in range(len(trials_of(rung))):
        rung.tell(start(rung, definition), float(value))


@pytest.mark.parametrize("steps", [300, 499])
def test_a_rung_below_one_that_went_on_with_the_same_runs_is_refused(
    study: optuna.Study, sqlite_storage: SweepStorage, steps: int
) -> None:
    finish(*extend("paper", 2, 500, sqlite_storage))
    wanted = rf"--steps: wanted more than the 500 of study paper-500, .* got {steps}"
    with pytest.raises(ValueError, match=wanted):
        extend("paper", 2, steps, sqlite_storage)
    assert optuna.get_all_study_names(sqlite_storage) == ["paper", "paper-500"]


def test_a_rung_that_has_ended_may_be_asked_for_again_but_not_grow(
    study: optuna.Study, sqlite_storage: SweepStorage
) -> None:
    finish(*extend("paper", 2, 500, sqlite_storage))
    finish(*extend("paper-500", 2, 2000, sqlite_storage))
    rung, _ = extend("paper", 2, 500, sqlite_storage)
    assert origins(rung) == [3, 0]
    with pytest.raises(ValueError, match="wanted more than the 2000 of study paper-2000"):
        extend("paper", 3, 500, sqlite_storage)
    assert origins(rung) == [3, 0]


@pytest.mark.parametrize("runs", [False, True])
def test_two_rungs_never_write_into_the_same_runs_at_once(
    study: optuna.Study, sqlite_storage: SweepStorage, runs: bool
) -> None:
    rung, definition = extend("paper", 1, 500, sqlite_storage)
    if runs:
        start(rung, definition)
    with pytest.raises(ValueError, match="study paper-500: wanted it to have ended .* got 1 tri"):
        extend("paper", 2, 2000, sqlite_storage)
    rung, _ = extend("paper", 2, 500, sqlite_storage)  # it may go on and grow itself
    assert origins(rung) == [3, 0]


def test_a_rung_of_another_study_of_that_name_is_refused(
    study: optuna.Study, sqlite_storage: SweepStorage
) -> None:
    extend("paper", 2, 500, sqlite_storage)
    study.set_user_attr(attributes.TOKEN, "11111111")  # the root was deleted and made again
    with pytest.raises(ValueError, match="study paper-500: wanted a rung of this study paper"):
        extend("paper", 2, 500, sqlite_storage)


def test_a_rung_whose_maker_died_is_finished(
    study: optuna.Study, sqlite_storage: SweepStorage
) -> None:
    rung, definition = extend("paper", 2, 500, sqlite_storage)
    optuna.delete_study(study_name="paper-500", storage=sqlite_storage)
    rung, _ = open_study(definition, sqlite_storage)  # and no more
    again, _ = extend("paper", 2, 500, sqlite_storage)
    assert again.user_attrs[attributes.RUNG_OF] == "paper"
    assert again.user_attrs[attributes.TOKEN] == study.user_attrs[attributes.TOKEN]
    assert origins(rung) == [3, 0]
