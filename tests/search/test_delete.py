from pathlib import Path

import optuna
import pytest

from rrnn_lit.search.storage import SweepStorage, open_storage
from tests.search.toy_studies import Sweep, write_study


def test_a_deleted_study_is_gone_its_runs_stay_and_its_name_is_free(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep("run", write_study(tmp_path), "--trials", "1") == 0
    capsys.readouterr()
    assert sweep("delete toys --yes") == 0
    runs = tmp_path / "out" / "toys"
    said = capsys.readouterr().out
    assert said.startswith(f"study toys is deleted\nits runs are still in {runs}; a new study")
    assert (runs / "trial-0000" / "metrics.jsonl").exists()
    assert sweep("show toys") == 65
    runs.rename(tmp_path / "elsewhere")
    assert sweep("run", write_study(tmp_path), "--trials", "2") == 0


def test_deleting_wants_a_yes_and_a_study(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep("run", write_study(tmp_path), "--trials", "1") == 0
    assert sweep("delete toys") == 64
    assert "--yes" in capsys.readouterr().err
    assert sweep("delete toy --yes") == 65
    assert sweep("show toys") == 0


def test_a_study_that_others_go_on_from_is_kept(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep("run", write_study(tmp_path), "--trials", "1") == 0
    assert sweep("extend toys --best 1 --steps 6") == 0
    capsys.readouterr()
    assert sweep("delete toys --yes") == 65
    assert "wanted one that no other goes on from, got toys-" in capsys.readouterr().err
    assert sweep("show toys") == 0


def test_a_study_with_a_running_trial_is_kept(
    sweep: Sweep, postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--storage", postgres_url]
    assert sweep("run", write_study(tmp_path), "--trials", "1", *place) == 0
    storage = open_storage(postgres_url, num_workers=1)
    optuna.load_study(study_name="toys", storage=storage).ask()
    storage.close()
    capsys.readouterr()
    assert sweep("delete toys --yes", *place) == 65
    assert "study toys: wanted no running trial, got 1; stop the hosts" in capsys.readouterr().err


def test_a_running_trial_of_an_sqlite_file_is_dead(
    sweep: Sweep, sqlite_storage: SweepStorage, tmp_path: Path
) -> None:
    sqlite_storage.close()
    place = ["--storage", f"sqlite:///{tmp_path}/sweep.db"]
    assert sweep("run", write_study(tmp_path), "--trials", "1", *place) == 0
    storage = open_storage(place[1], num_workers=1)
    optuna.load_study(study_name="toys", storage=storage).ask()
    assert sweep("delete toys --yes", *place) == 65, "its host holds the file"
    storage.close()
    assert sweep("delete toys --yes", *place) == 0
