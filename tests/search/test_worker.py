from pathlib import Path

import pytest
from optuna.trial import TrialState

from rrnn_lit.search.attributes import (
    ATTEMPT,
    DETAIL,
    ENDS,
    FIGURES,
    FOLDER,
    REASON,
    SECONDS,
    WORKER,
)
from rrnn_lit.search.ladder import extend
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study_file import (
    LimitSettings,
    PrunerSettings,
    StopSettings,
)
from tests.search import toy_trial
from tests.search.sweeping import (
    NAME,
    RATE,
    lines_of,
    make_host,
    params_of,
    run_host,
    states,
    toy_definition,
)

FAIL, COMPLETE, PRUNED, WAITING = (
    TrialState.FAIL,
    TrialState.COMPLETE,
    TrialState.PRUNED,
    TrialState.WAITING,
)


def test_a_good_trial_is_told_with_values_and_attributes(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    reason, trials = run_host(
        toy_definition(stopping=StopSettings(trials=2)), sqlite_storage, tmp_path
    )
    assert reason == "2 results"
    assert states(trials) == [COMPLETE, COMPLETE]
    trial = trials[1]
    rate = trial.params[RATE]
    assert trial.intermediate_values == {n: 1000 * rate + n for n in range(1, 6)}
    assert trial.value == 1000 * rate + 5
    assert trial.user_attrs[FOLDER] == str(tmp_path / NAME / "trial-0001")
    assert trial.user_attrs[FIGURES] == {toy_trial.METRIC: trial.value, "train/loss": 0.2}
    assert trial.user_attrs[SECONDS] > 0


def test_one_bad_trial_never_stops_the_sweep(sqlite_storage: SweepStorage, tmp_path: Path) -> None:
    modes = {
        "trial-0000": "oom",
        "trial-0001": "sigkill",
        "trial-0002": "nan",
        "trial-0003": "system_exit",
        "trial-0004": "busy",
        "trial-0005": "exception",
        "trial-0007": "no_value",
        "trial-0008": "nan_value",
    }
    definition = toy_definition(modes, limits=LimitSettings(seconds=2.0))
    reason, trials = run_host(definition, sqlite_storage, tmp_path)
    assert reason == "4 results"
    failed = {trial.number: trial for trial in trials if trial.state is FAIL}
    reasons = {number: trial.user_attrs[REASON] for number, trial in failed.items()}
    assert reasons == {
        0: "oom",
        1: "killed",
        2: "nan",
        3: "error",
        4: "timeout",
        5: "error",
        7: "error",
        8: "nan",
    }
    assert states([t for t in trials if t.number not in failed]) == [COMPLETE] * 4
    attempts = {n: t.system_attrs.get(ATTEMPT, 0) for n, t in failed.items()}
    assert attempts == {0: 0, 1: 3, 2: 0, 3: 1, 4: 0, 5: 1, 7: 0, 8: 0}
    assert failed[3].user_attrs[DETAIL].startswith("exit code 3\n")
    assert failed[5].user_attrs[DETAIL].endswith("RuntimeError: broken at step 3")
    assert failed[7].user_attrs[DETAIL].startswith("no value of tune/matched_words")


def test_a_killed_trial_continues_where_it_was_saved(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    definition = toy_definition(
        {"trial-0000": "sigkill_once"}, stopping=StopSettings(trials=1), steps=6
    )
    _, trials = run_host(definition, sqlite_storage, tmp_path)
    assert states(trials) == [COMPLETE]
    assert trials[0].system_attrs[ENDS] == [["killed", True]]
    folders = sorted(path.name for path in (tmp_path / NAME).iterdir())
    assert folders == ["base.yaml", "trial-0000"]
    steps = [(line["life"], line["step"]) for line in lines_of(tmp_path, 0)]
    # saved at step 2, killed at step 3: that one comes again
    assert steps == [(1, 1), (1, 2), (1, 3), (2, 3), (2, 4), (2, 5), (2, 6)]
    values = {line[toy_trial.METRIC] - line["step"] for line in lines_of(tmp_path, 0)}
    assert max(values) - min(values) < 1e-9, "another learning rate"
    assert sorted(trials[0].intermediate_values) == [1, 2, 3, 4, 5, 6]


def test_a_preempted_trial_is_continued_and_not_counted(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    definition = toy_definition({"trial-0000": "preempted_once"}, stopping=StopSettings(trials=1))
    _, trials = run_host(definition, sqlite_storage, tmp_path)
    assert states(trials) == [COMPLETE]
    assert trials[0].system_attrs[ENDS] == [["preempted", False]]
    assert [line["step"] for line in lines_of(tmp_path, 0)] == [1, 2, 3, 4, 5]


def test_a_silent_trial_is_hung_and_gets_one_more_chance(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    limits = LimitSettings(no_progress_seconds=0.5)
    definition = toy_definition(
        {"trial-0000": "silent"}, stopping=StopSettings(trials=1), limits=limits
    )
    _, trials = run_host(definition, sqlite_storage, tmp_path)
    assert states(trials) == [FAIL, COMPLETE]
    assert trials[0].user_attrs[REASON] == "hung"
    assert trials[0].system_attrs[ENDS] == [["hung", True]]


def test_three_refused_trials_in_a_row_end_the_sweep(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    modes = {"trial-0001": "data", "trial-0003": "config"}
    modes |= {"trial-0004": "data", "trial-0005": "refused"}
    reason, trials = run_host(
        toy_definition(modes, stopping=StopSettings(trials=9)), sqlite_storage, tmp_path
    )
    assert reason.startswith("3 trials in a row were refused: ")
    assert states(trials) == [COMPLETE, FAIL, COMPLETE, FAIL, FAIL, FAIL]
    reasons = [t.user_attrs[REASON] for t in trials if t.state is FAIL]
    assert reasons == ["data", "config", "data", "refused"]
    assert trials[1].user_attrs[DETAIL].startswith("exit code 65\n")


@pytest.mark.parametrize("mode", ["data_once", "config_once", "refused_once"])
def test_a_first_trial_that_is_refused_waits_until_the_mistake_is_mended(
    sqlite_storage: SweepStorage, tmp_path: Path, mode: str
) -> None:
    definition = toy_definition({"trial-0000": mode}, stopping=StopSettings(trials=2))
    with pytest.raises(ValueError, match=r"trial 0: .*; no trial has ended yet, so it waits"):
        run_host(definition, sqlite_storage, tmp_path)
    _, trials = run_host(definition, sqlite_storage, tmp_path)
    assert states(trials) == [COMPLETE, COMPLETE]


def test_too_many_failures_end_the_sweep(sqlite_storage: SweepStorage, tmp_path: Path) -> None:
    modes = {f"trial-{n:04d}": "oom" for n in (0, 1, 3)}
    definition = toy_definition(modes, limits=LimitSettings(max_failures=2))
    reason, trials = run_host(definition, sqlite_storage, tmp_path)
    assert reason.startswith("3 trials failed, limits.max_failures is 2; the last: ")
    assert states(trials) == [FAIL, FAIL, COMPLETE, FAIL]


def test_a_bad_trial_is_pruned_and_keeps_its_values(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    # trial 2 has by far the highest learning rate; it does not end by itself
    definition = toy_definition(
        {"trial-0002": "busy"},
        pruner=PrunerSettings("median", startup_trials=1, min_steps=1),
        stopping=StopSettings(trials=3),
        direction="minimize",
    )
    reason, trials = run_host(definition, sqlite_storage, tmp_path)
    assert reason == "3 results"
    assert states(trials) == [COMPLETE, COMPLETE, PRUNED]
    values = trials[2].intermediate_values
    assert list(values) == list(range(1, max(values) + 1))
    assert trials[2].value == values[max(values)]
    stop = tmp_path / NAME / "trial-0002" / "stop_request"
    assert stop.read_text(encoding="utf-8") == "pruned\n"


def test_parameters_hang_on_the_number_only(
    postgres_storage: SweepStorage, sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    modes = {"trial-0002": "sigkill_once", "trial-0003": "oom"}
    definition = toy_definition(modes, stopping=StopSettings(trials=7), seconds=0.02)
    _, alone = run_host(definition, sqlite_storage, tmp_path / "alone")
    reason, four = run_host(definition, postgres_storage, tmp_path / "four", num_workers=4)
    assert reason == "7 results"
    assert params_of(alone) == params_of(four)
    assert len(four) == 8
    assert states(four).count(COMPLETE) == 7


def test_a_rung_continues_the_best_trials_in_their_folders(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    definition = toy_definition(stopping=StopSettings(trials=3))
    _, trials = run_host(definition, sqlite_storage, tmp_path)
    best = sorted(trials, key=lambda trial: -(trial.value or 0))[:2]
    _, rung = extend(NAME, 2, 9, sqlite_storage)
    reason, longer = run_host(rung, sqlite_storage, tmp_path)
    assert reason == "2 results"
    assert [trial.params for trial in longer] == [trial.params for trial in best]
    for trial, root in zip(longer, best, strict=True):
        assert trial.user_attrs[FOLDER] == root.user_attrs[FOLDER]
        assert [line["step"] for line in lines_of(tmp_path, root.number)] == [
            # saved at step 4, ended at step 5
            *(1, 2, 3, 4, 5),
            *(5, 6, 7, 8, 9),
        ]
        assert sorted(trial.intermediate_values) == list(range(1, 10))


def test_workers_take_the_gpus_in_turn(postgres_storage: SweepStorage, tmp_path: Path) -> None:
    definition = toy_definition(stopping=StopSettings(trials=4), seconds=0.1)
    gpus = ("3", "5")
    _, trials = run_host(definition, postgres_storage, tmp_path, num_workers=4, gpus=gpus)
    for trial in trials:
        worker = int(trial.system_attrs[WORKER].rpartition("-")[2])
        log = (Path(trial.user_attrs[FOLDER]) / "log.txt").read_text(encoding="utf-8")
        assert f"device {gpus[worker % 2]}\n" in log


def test_an_error_outside_of_a_trial_stops_the_host_and_is_raised(
    sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("a file where the folder should be", encoding="utf-8")
    host, study = make_host(toy_definition(), sqlite_storage, tmp_path / "out")
    with pytest.raises(OSError, match="out"):
        host.run()
    assert states(study.get_trials()) == [WAITING]
