from pathlib import Path
from typing import Any

import optuna
import pytest

from rrnn_lit.search.attributes import DEFINITION
from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study import load_study, open_study
from tests.search.studies import define


def test_a_storage_in_the_place_of_a_name_keeps_its_password(sqlite_storage: SweepStorage) -> None:
    with pytest.raises(ValueError, match=r"got 'postgresql://me:\*\*\*@host/x'"):
        load_study("postgresql://me:secret@host/x", sqlite_storage)


def test_a_study_of_two_objectives_is_another_programs(
    tmp_path: Path, sqlite_storage: SweepStorage
) -> None:
    optuna.create_study(
        storage=sqlite_storage, study_name="study", directions=["maximize", "minimize"]
    )
    with pytest.raises(ValueError, match="another program's; choose another name with --name"):
        open_study(define(tmp_path), sqlite_storage)
    with pytest.raises(ValueError, match="another program's"):
        load_study("study", sqlite_storage)


@pytest.mark.parametrize("stored", ["[]", "3", "null", '"text"'])
def test_a_stored_definition_that_is_no_group_is_told_by_name(
    tmp_path: Path, sqlite_storage: SweepStorage, stored: str
) -> None:
    study, _ = open_study(define(tmp_path), sqlite_storage)
    study.set_user_attr(DEFINITION, stored)
    with pytest.raises(ValueError, match="says about it: definition: wanted a group of options"):
        load_study("study", sqlite_storage)


@pytest.mark.parametrize(
    ("before", "now", "difference"),
    [
        ({}, {"model.l2": 0.1}, "the study has nothing, the file 0.1"),
        ({"model.l2": 0.1}, {}, "the study has 0.1, the file nothing"),
    ],
)
def test_an_override_that_came_or_went_is_told_by_name(
    tmp_path: Path,
    sqlite_storage: SweepStorage,
    before: dict[str, Any],
    now: dict[str, Any],
    difference: str,
) -> None:
    open_study(define(tmp_path, overrides=before), sqlite_storage)
    with pytest.raises(ValueError, match=f"^study study: overrides.model.l2: {difference};"):
        open_study(define(tmp_path, overrides=now), sqlite_storage)
