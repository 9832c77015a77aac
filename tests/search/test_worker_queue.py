"""What a host starts when trials are not simply drawn: grids and later rungs."""

from pathlib import Path

import yaml
from optuna.trial import TrialState

from rrnn_lit.search.attributes import DETAIL, ENDS, ORIGIN, REASON
from rrnn_lit.search.ladder import extend
from rrnn_lit.search.settings import SamplerSettings, StopSettings
from rrnn_lit.search.space import Dimension
from rrnn_lit.search.storage import SweepStorage
from tests.search.sweeping import NAME, RATE, run_host, states, toy_definition

COMPLETE, FAIL = TrialState.COMPLETE, TrialState.FAIL


def test_every_point_of_a_grid_is_tried_once_also_one_that_fails(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    points = (1e-4, 1e-3, 1e-2)
    definition = toy_definition(
        {"trial-0001": "nan"},
        space=(Dimension(RATE, "categorical", values=points),),
        sampler=SamplerSettings("grid"),
        stopping=StopSettings(trials=3),
    )
    reason, trials = run_host(definition, sqlite_storage, tmp_path)
    assert reason == "3 results"
    assert states(trials) == [COMPLETE, FAIL, COMPLETE]
    assert [trial.params[RATE] for trial in trials] == list(points)


def test_a_failed_trial_of_a_rung_is_not_replaced_by_a_new_draw(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    definition = toy_definition(stopping=StopSettings(trials=3))
    run_host(definition, sqlite_storage, tmp_path)
    study, rung = extend(NAME, 2, 9, sqlite_storage)
    folder = f"trial-{study.get_trials()[0].user_attrs[ORIGIN]:04d}"
    config = tmp_path / NAME / folder / "config.yaml"
    options = yaml.safe_load(config.read_text(encoding="utf-8"))
    options["toy"]["modes"] = {folder: "nan"}
    config.write_text(yaml.safe_dump(options), encoding="utf-8")
    reason, trials = run_host(rung, sqlite_storage, tmp_path)
    assert reason == "all trials of the rung have ended, some failed"
    assert states(trials) == [FAIL, COMPLETE]


def test_a_rung_without_the_checkpoints_of_its_root_fails_instead_of_training_anew(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    run_host(toy_definition(stopping=StopSettings(trials=2)), sqlite_storage, tmp_path)
    _, rung = extend(NAME, 2, 9, sqlite_storage)
    _, trials = run_host(rung, sqlite_storage, tmp_path / "another machine")
    assert states(trials) == [FAIL, FAIL]
    for trial in trials:
        assert trial.user_attrs[REASON] == "data"
        folder = f"trial-{trial.user_attrs[ORIGIN]:04d}"
        detail = trial.user_attrs[DETAIL]
        assert str(tmp_path / "another machine" / NAME / folder / "checkpoints") in detail
        assert "--out has to be the folder of that study" in detail
        assert ENDS not in trial.system_attrs
    assert not (tmp_path / "another machine").exists()
