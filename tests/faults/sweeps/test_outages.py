"""The database goes away while values are reported: nobody crashes, no trial fails for it."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from rrnn_lit.search.attributes import ATTEMPT
from rrnn_lit.search.claims import Claim, Heartbeat, Reaper, claim_trial, finish_trial
from rrnn_lit.search.storage import SweepStorage, open_storage
from rrnn_lit.search.study_file import StopSettings
from tests.search.postgres import PostgresServer
from tests.search.sweeping import make_host, toy_definition
from tests.search.test_host_outage import outage

Got = Callable[[str], None]
pytestmark = [pytest.mark.promise(18), pytest.mark.timeout(120)]
# grace: longer than the longest pause between two tries, shorter than the outage
BEAT_S, GRACE_S = 0.2, 2.4


class _Background:
    """A function called again and again in a thread; what it raised is kept."""

    def __init__(self, call: Callable[[], object], every_s: float) -> None:
        self.num_calls = 0
        self.errors: list[BaseException] = []
        self._call, self._every_s = call, every_s
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            while not self._done.wait(self._every_s):
                self._call()
                self.num_calls += 1
        except BaseException as error:
            self.errors.append(error)

    def __enter__(self) -> "_Background":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


@pytest.fixture
def worker(postgres_storage: SweepStorage) -> tuple[optuna.Study, Claim]:
    study = optuna.create_study(
        storage=postgres_storage, study_name="one", pruner=optuna.pruners.MedianPruner()
    )
    claim = claim_trial(study, postgres_storage, 1)
    assert claim is not None
    return study, claim


@pytest.fixture
def observer(postgres_url: str, postgres_storage: SweepStorage) -> Iterator[SweepStorage]:
    """Another host."""
    storage = open_storage(postgres_url, num_workers=1)
    yield storage
    storage.close()


@pytest.mark.parametrize("away_s", [3.0, 12.0])
def test_trials_outlive_an_outage_of_the_database(
    postgres_server: PostgresServer,
    postgres_storage: SweepStorage,
    tmp_path: Path,
    away_s: float,
    got: Got,
) -> None:
    definition = toy_definition(stopping=StopSettings(trials=4), seconds=0.4)
    # longer than the outage, as the default of 60 s is
    host, study = make_host(definition, postgres_storage, tmp_path, num_workers=2, grace_s=30.0)
    with outage(postgres_server, host, away_s):
        reason = host.run()
    trials = study.get_trials()
    failed = sum(ATTEMPT in trial.system_attrs for trial in trials)
    failed += sum(trial.state is not TrialState.COMPLETE for trial in trials)
    got(f"{away_s:.0f} s: 0 crashes, {failed} false failures of 4 trials")
    assert postgres_storage.losses > 0
    assert reason == "4 results"
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 4
    assert all(ATTEMPT not in trial.system_attrs for trial in trials)
    assert all(sorted(trial.intermediate_values) == [1, 2, 3, 4, 5] for trial in trials)


def test_a_live_trial_is_ridden_through_an_outage(
    postgres_server: PostgresServer,
    postgres_storage: SweepStorage,
    observer: SweepStorage,
    worker: tuple[optuna.Study, Claim],
    got: Got,
) -> None:
    away_s = 3.0  # others think a silent worker dead sooner
    study, claim = worker
    reported: list[int] = []

    def report() -> None:
        step = len(reported)
        claim.trial.report(step / 7, step)
        assert not claim.trial.should_prune()
        reported.append(step)

    seen = optuna.load_study(study_name="one", storage=observer)
    reaper = Reaper(GRACE_S)
    with (
        Heartbeat(postgres_storage, claim, BEAT_S) as heartbeat,
        _Background(report, every_s=0.05) as reports,
        _Background(lambda: reaper.reap(seen, observer), every_s=BEAT_S) as observations,
    ):
        time.sleep(0.5)
        postgres_server.stop()
        before = (reports.num_calls, observations.num_calls)
        time.sleep(away_s)
        assert (reports.num_calls, observations.num_calls) <= (before[0] + 1, before[1] + 1)
        postgres_server.start()
        time.sleep(GRACE_S + 2 * BEAT_S)
        assert not heartbeat.lost.is_set()
    trial = study.trials[0]
    false = sum(t.system_attrs.get(ATTEMPT) is not None for t in study.trials)
    got(f"{len(reports.errors + observations.errors)} errors of reports in 3 s, {false} put back")
    assert reports.errors + observations.errors == []
    assert observer.losses > 0
    assert reports.num_calls > before[0] + 2
    assert trial.intermediate_values == {step: step / 7 for step in reported}
    assert (trial.state, trial.system_attrs.get(ATTEMPT)) == (TrialState.RUNNING, None)
    assert finish_trial(study, postgres_storage, claim, TrialState.COMPLETE, 1.0)
    assert study.trials[0].value == 1.0
