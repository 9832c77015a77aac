"""The database goes away while whole trials run: nobody crashes, and no trial fails for it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from optuna.trial import TrialState

from rrnn_lit.search.attributes import ENDS
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study_file import StopSettings
from rrnn_lit.search.worker import SweepHost
from tests.search.postgres import PostgresServer
from tests.search.sweeping import lines_of, make_host, toy_definition


@contextmanager
def outage(server: PostgresServer, host: SweepHost, away_s: float) -> Iterator[list[float]]:
    """Stop the database when a trial has a value; yields [begin, end] of the outage."""
    times: list[float] = []

    def go_away_and_come_back() -> None:
        while not any(trial.value is not None for trial in host.running()):
            time.sleep(0.05)
        server.stop()
        times.append(time.time())
        time.sleep(away_s)
        times.append(time.time())
        server.start()

    thread = threading.Thread(target=go_away_and_come_back)
    thread.start()
    yield times
    thread.join()


@pytest.mark.slow
def test_an_outage_longer_than_the_grace_time_stops_trials_and_counts_as_no_failure(
    postgres_server: PostgresServer, postgres_storage: SweepStorage, tmp_path: Path
) -> None:
    grace_s = 3.0
    definition = toy_definition(stopping=StopSettings(trials=2), steps=12, seconds=0.5)
    host, study = make_host(
        definition, postgres_storage, tmp_path, num_workers=2, grace_s=grace_s, beat_s=0.2
    )
    with outage(postgres_server, host, away_s=5.0) as times:
        reason = host.run()
    assert reason == "2 results"
    trials = study.get_trials()
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 2
    assert [trial.system_attrs[ENDS] for trial in trials] == [[["lost", False]]] * 2
    begin, end = times
    for trial in trials:
        written = [line["time"] for line in lines_of(tmp_path, trial.number)]
        assert not [t for t in written if begin + grace_s < t < end], "two could have written"
        assert sorted(trial.intermediate_values) == list(range(1, 13))
