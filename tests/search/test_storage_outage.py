import threading
import time
from collections.abc import Iterator

import optuna
import pytest
from optuna.trial import TrialState

from rrnn_lit.search.claims import Claim, Reaper, claim_trial
from rrnn_lit.search.storage import SweepStorage, open_storage
from tests.search.postgres import PASSWORD, PostgresServer


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
