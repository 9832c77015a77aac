"""The database goes away while whole trials run: nobody crashes, and no trial pays for it."""

import threading
import time
from pathlib import Path

import pytest
from optuna.trial import TrialState

from rrnn_lit.search.attributes import ATTEMPT
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study_file import StopSettings
from tests.search.postgres import PostgresServer
from tests.search.sweeping import make_host, toy_definition


@pytest.mark.parametrize("away_s", [3.0, pytest.param(12.0, marks=pytest.mark.slow)])
def test_trials_outlive_an_outage_of_the_database(
    postgres_server: PostgresServer, postgres_storage: SweepStorage, tmp_path: Path, away_s: float
) -> None:
    definition = toy_definition(stopping=StopSettings(trials=4), seconds=0.4)
    host, study = make_host(definition, postgres_storage, tmp_path, num_workers=2)

    def go_away_and_come_back() -> None:
        while not any(trial.value is not None for trial in host.running()):
            time.sleep(0.05)
        postgres_server.stop()
        time.sleep(away_s)
        postgres_server.start()

    outage = threading.Thread(target=go_away_and_come_back)
    outage.start()
    reason = host.run()
    outage.join()
    assert postgres_storage.losses > 0
    assert reason == "4 results"
    trials = study.get_trials()
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 4
    assert all(ATTEMPT not in trial.system_attrs for trial in trials)
    assert all(sorted(trial.intermediate_values) == [1, 2, 3, 4, 5] for trial in trials)
