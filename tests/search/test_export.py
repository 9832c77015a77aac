import csv
import json
from pathlib import Path

import optuna
import pytest
import yaml

from rrnn_lit.search.export import export
from rrnn_lit.search.study_file import Definition, from_json
from tests.search.finished_studies import (
    METRIC,
    complete,
    define,
    fail,
    make_study,
    prune,
    start,
    trials_of,
)


@pytest.fixture
def definition() -> Definition:
    return define()


@pytest.fixture
def study(definition: Definition) -> optuna.Study:
    """Five trials: complete, pruned, failed, the best, waiting."""
    study = make_study(definition)
    complete(study, definition, 10.0, **{"train/loss": 0.5})
    prune(study, definition, 5.0)
    fail(study, definition, "nan", "loss is nan")
    complete(study, definition, 20.0)
    study.enqueue_trial({})
    return study


def test_csv_has_a_line_a_trial_with_options_and_figures(
    study: optuna.Study, definition: Definition, tmp_path: Path
) -> None:
    export(trials_of(study), definition, tmp_path / "new" / "folder", force=False)
    with open(tmp_path / "new" / "folder" / "trials.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["number"] for row in rows] == ["0", "1", "2", "3", "4"]
    states = ["complete", "pruned", "fail", "complete", "waiting"]
    assert [row["state"] for row in rows] == states
    assert [row["value"] for row in rows] == ["10.0", "5.0", "1.0", "20.0", ""]
    assert [row["reason"] for row in rows] == ["", "", "nan", "", ""]
    decay = 1 - trials_of(study)[0].params["1-model.decay"]
    assert float(rows[0]["model.decay"]) == decay
    assert rows[0]["train/loss"] == "0.5"
    assert rows[2]["train/loss"] == ""  # it was nan
    assert rows[3][METRIC] == "20.0"


def test_json_holds_everything_and_is_strict(
    study: optuna.Study, definition: Definition, tmp_path: Path
) -> None:
    export(trials_of(study), definition, tmp_path, force=False)

    def refuse(name: str) -> float:
        raise AssertionError(name)

    text = (tmp_path / "trials.json").read_text(encoding="utf-8")
    content = json.loads(text, parse_constant=refuse)
    assert from_json(json.dumps(content["definition"])) == definition
    first, _, failed, *_ = content["trials"]
    assert first["values_by_step"] == [[50, 2.5], [100, 5.0], [150, 9.0], [200, 10.0]]
    assert first["seconds"] == 30
    assert first["params"] == trials_of(study)[0].params
    assert first["options"]["model.beta1"] == first["params"]["model.beta1"]
    assert failed["user_attributes"]["detail"] == "loss is nan"
    assert failed["user_attributes"]["figures"] == {"train/loss": None}


def test_best_yaml_makes_the_base_config_the_best_trial(
    study: optuna.Study, definition: Definition, tmp_path: Path
) -> None:
    export(trials_of(study), definition, tmp_path, force=False)
    text = (tmp_path / "best.yaml").read_text(encoding="utf-8")
    assert f"# Study paper, trial 3: {METRIC} 20 after 200 steps." in text
    params = trials_of(study)[3].params
    assert yaml.safe_load(text)["trainer"] == {"max_steps": 200}
    assert yaml.safe_load(text)["model"] == {
        "dropout": 0.0,
        "learning_rate": params["model.learning_rate"],
        "decay": 1 - params["1-model.decay"],
        "beta1": params["model.beta1"],
        "feed_forward_scale": params["model.feed_forward_scale"],
        "hidden_size": params["model.hidden_size"],
    }


def test_without_a_complete_trial_there_is_no_best_yaml(
    definition: Definition, tmp_path: Path
) -> None:
    study = make_study(definition)
    start(study, definition)
    complete(study, definition, float("inf"))
    paths = export(trials_of(study), definition, tmp_path, force=False)
    assert [path.name for path in paths] == ["trials.csv", "trials.json"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_nothing_is_overwritten_unless_forced(
    study: optuna.Study, definition: Definition, tmp_path: Path
) -> None:
    there = tmp_path / "best.yaml"
    there.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="best.yaml, which is there; --force replaces it"):
        export(trials_of(study), definition, tmp_path, force=False)
    assert list(tmp_path.iterdir()) == [there]
    assert there.read_text(encoding="utf-8") == "mine"
    export(trials_of(study), definition, tmp_path, force=True)
    assert "learning_rate" in there.read_text(encoding="utf-8")


def test_a_folder_in_the_place_of_a_file_is_never_replaced(
    study: optuna.Study, definition: Definition, tmp_path: Path
) -> None:
    (tmp_path / "trials.csv").mkdir()
    with pytest.raises(FileExistsError, match=r"trials\.csv"):
        export(trials_of(study), definition, tmp_path, force=True)
