import threading
import time
from collections.abc import Callable, Iterator

import optuna
import pytest
from optuna.trial import TrialState

from rrnn_lit.search.attributes import ATTEMPT
from rrnn_lit.search.claims import Claim, Heartbeat, Reaper, claim_trial, finish_trial
from rrnn_lit.search.storage import SweepStorage, open_storage
from tests.search.postgres import PASSWORD, PostgresServer

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


@pytest.mark.parametrize("away_s", [3.0, pytest.param(12.0, marks=pytest.mark.slow)])
def test_a_live_trial_is_ridden_through_an_outage(
    postgres_server: PostgresServer,
    postgres_storage: SweepStorage,
    observer: SweepStorage,
    worker: tuple[optuna.Study, Claim],
    away_s: float,
) -> None:
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
    assert reports.errors + observations.errors == []
    assert observer.losses > 0
    assert reports.num_calls > before[0] + 2
    trial = study.trials[0]
    assert trial.intermediate_values == {step: step / 7 for step in reported}
    assert (trial.state, trial.system_attrs.get(ATTEMPT)) == (TrialState.RUNNING, None)
    assert finish_trial(study, postgres_storage, claim, TrialState.COMPLETE, 1.0)
    assert study.trials[0].value == 1.0


def test_a_worker_that_dies_in_an_outage_is_noticed_after_it(
    postgres_server: PostgresServer, observer: SweepStorage, worker: tuple[optuna.Study, Claim]
) -> None:
    seen = optuna.load_study(study_name="one", storage=observer)
    reaper = Reaper(grace_s=0.3)
    assert reaper.reap(seen, observer) == []
    postgres_server.stop()
    postgres_server.start()
    found: list[int] = []
    while not found:
        time.sleep(0.05)
        found = reaper.reap(seen, observer)
    assert found == [0]
    assert seen.trials[0].state == TrialState.WAITING


def test_a_lock_is_waited_for_through_an_outage(
    postgres_server: PostgresServer, postgres_storage: SweepStorage, observer: SweepStorage
) -> None:
    entered = threading.Event()

    def enter() -> None:
        with observer.lock("one"):
            entered.set()

    with postgres_storage.lock("one"):
        thread = threading.Thread(target=enter)
        thread.start()
        assert not entered.wait(0.2)
        postgres_server.stop()
        postgres_server.start()
    thread.join(timeout=20)
    assert entered.is_set()


def test_patience_ends_with_one_line_without_the_password(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    storage = open_storage(postgres_url, num_workers=1, patience_s=0.3)
    postgres_server.stop()
    try:
        with pytest.raises(optuna.exceptions.StorageInternalError) as caught:
            storage.get_all_studies()
        with pytest.raises(ValueError, match=r"^storage: cannot open .*refused"):
            open_storage(postgres_url, num_workers=1)
    finally:
        postgres_server.start()
    text = str(caught.value)
    assert text.startswith("storage: no answer from postgresql+psycopg://sweeper:***@127.0.0.1")
    assert " for 0 s: connection failed" in text
    assert PASSWORD not in text
    assert "\n" not in text
    assert storage.get_all_studies() == []
    storage.close()


def test_calls_in_a_row_share_one_patience(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    storage = open_storage(postgres_url, num_workers=1, patience_s=2.0)
    postgres_server.stop()
    try:
        begin = time.monotonic()
        for number in range(8):
            with pytest.raises(ValueError, match=r"no answer from .* for \d+ s: connection"):
                storage.get_all_studies()
            assert number or time.monotonic() - begin >= 2.0
        assert time.monotonic() - begin < 2 * 2.0 + 4.0  # eight patiences are 16 s
    finally:
        postgres_server.start()
    # the first answer gives the whole patience back
    assert storage.get_all_studies() == []
    postgres_server.stop()
    threading.Timer(0.5, postgres_server.start).start()
    assert storage.get_all_studies() == []
    storage.close()


def test_a_closed_storage_stops_waiting(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    storage = open_storage(postgres_url, num_workers=1, patience_s=3600.0)
    errors: list[Exception] = []

    def read() -> None:
        try:
            storage.get_all_studies()
        except optuna.exceptions.StorageInternalError as error:
            errors.append(error)

    postgres_server.stop()
    try:
        thread = threading.Thread(target=read)
        thread.start()
        while storage.losses < 2:
            time.sleep(0.05)
        storage.close()
        thread.join(timeout=20)
    finally:
        postgres_server.start()
    assert not thread.is_alive()
    assert len(errors) == 1
