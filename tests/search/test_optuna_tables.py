"""Tables of Optuna that a sweep writes itself: another Optuna may name them otherwise."""

from typing import Any

import optuna
import pytest
import sqlalchemy
from optuna.storages._rdb import models

from rrnn_lit.search.storage import SweepStorage


@pytest.mark.parametrize(
    ("model", "table", "columns"),
    [
        (models.TrialModel, "trials", {"trial_id", "state"}),
        (
            models.TrialSystemAttributeModel,
            "trial_system_attributes",
            {"trial_id", "key", "value_json"},
        ),
    ],
)
def test_the_tables_have_the_columns_that_a_trial_is_put_back_in(
    sqlite_storage: SweepStorage, model: type, table: str, columns: set[str]
) -> None:
    mapped: Any = sqlalchemy.inspect(model)
    assert mapped.local_table.name == table
    assert columns <= {attribute.key for attribute in mapped.column_attrs}
    stored = sqlalchemy.inspect(sqlite_storage.engine).get_columns(table)
    assert columns <= {column["name"] for column in stored}


def test_states_are_stored_by_name(sqlite_storage: SweepStorage) -> None:
    study = optuna.create_study(storage=sqlite_storage)
    study.ask()
    study.enqueue_trial({})
    with sqlite_storage.engine.connect() as connection:
        rows = connection.execute(sqlalchemy.text("SELECT state FROM trials ORDER BY trial_id"))
        assert [row.state for row in rows] == ["RUNNING", "WAITING"]


def test_a_missing_trial_is_a_key_error_of_the_model(sqlite_storage: SweepStorage) -> None:
    with (
        sqlalchemy.orm.Session(sqlite_storage.engine) as session,
        pytest.raises(KeyError),
    ):
        models.TrialModel.find_or_raise_by_id(99, session, for_update=True)
