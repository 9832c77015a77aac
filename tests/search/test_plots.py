import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from rrnn_lit.search.plot_panels import history, importances, learning_curves, slices
from rrnn_lit.search.plot_parallel import parallel_coordinates
from rrnn_lit.search.plots import write_plots
from rrnn_lit.search.study_file import Definition
from tests.search.finished_studies import complete, define, fail, fill, make_study, prune, start

NAMES = ["history", "learning_curves", "slices", "importances", "parallel_coordinates"]
Draw = Callable[[optuna.Study, Definition], Any]


@pytest.fixture(scope="module")
def filled() -> tuple[optuna.Study, Definition]:
    """30 trials that no test changes."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    definition = define()
    study = make_study(definition)
    fill(study, definition, 30)
    return study, definition


def axis_labels(figure: Any) -> list[str]:
    return [axes.get_xlabel() for axes in figure.axes if axes.get_visible()]


def tick_labels(axes: Any) -> list[str]:
    return [label.get_text() for label in axes.get_xticklabels()]


def test_every_picture_is_a_png(filled: tuple[optuna.Study, Definition], tmp_path: Path) -> None:
    paths, left_out = write_plots(*filled, tmp_path / "plots", html=False)
    assert [path.name for path in paths] == [f"{name}.png" for name in NAMES]
    assert sorted((tmp_path / "plots").iterdir()) == sorted(paths)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
    assert left_out == ["width_transfer: left out, the study file has no `curves`"]


def test_each_html_file_needs_no_other_file(
    filled: tuple[optuna.Study, Definition], tmp_path: Path
) -> None:
    pytest.importorskip("plotly")
    paths, left_out = write_plots(*filled, tmp_path, html=True)
    assert [path.name for path in paths] == [f"{name}.html" for name in NAMES]
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert "<script src=" not in text
        assert "plotly.js v" in text
        assert f"paper: {path.stem.replace('_', ' ')}" in text
    assert len(left_out) == 1


def test_html_without_plotly_names_the_extra(
    filled: tuple[optuna.Study, Definition], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    with pytest.raises(ValueError, match=r"pip install 'rrnn_lit\[plots\]'"):
        write_plots(*filled, tmp_path, html=True)
    assert list(tmp_path.iterdir()) == []


def test_what_lacks_its_data_is_left_out_by_name(tmp_path: Path) -> None:
    definition = define()
    study = make_study(definition)
    start(study, definition)
    paths, left_out = write_plots(study, definition, tmp_path, html=False)
    assert paths == []
    assert len(left_out) == 6
    assert "learning_curves: left out, no trial has reported a value" in left_out
    assert "history: left out, no trial is complete" in left_out
    complete(study, definition, 5.0)
    complete(study, definition, 5.0)
    paths, left_out = write_plots(study, definition, tmp_path, html=False)
    assert "importances: left out, it needs two complete trials with different values" in left_out
    assert "importances" not in {path.stem for path in paths}


def test_history_shows_results_best_so_far_pruned_and_failed() -> None:
    definition = define()
    study = make_study(definition)
    for value in (3.0, 1.0, 4.0):
        complete(study, definition, value)
    prune(study, definition, 2.0)
    fail(study, definition, "nan")
    axes = history(study, definition).axes[0]
    drawn = {line.get_label(): line.get_data() for line in axes.lines}
    assert [list(data) for data in drawn["best so far"]] == [[0, 1, 2, 4], [3, 3, 4, 4]]
    assert [list(data) for data in drawn["complete"]] == [[0, 1, 2], [3, 1, 4]]
    assert [list(data) for data in drawn["pruned, last value"]] == [[3], [2]]
    assert list(drawn["failed"][0]) == [4]


def test_best_so_far_falls_when_less_is_better() -> None:
    definition = define(direction="minimize")
    study = make_study(definition)
    for value in (3.0, 1.0, 4.0):
        complete(study, definition, value)
    (line,) = (li for li in history(study, definition).axes[0].lines if "best" in li.get_label())
    assert list(line.get_ydata()) == [3, 1, 1, 1]


def test_slices_have_a_panel_for_each_dotted_name_with_its_own_ticks(
    filled: tuple[optuna.Study, Definition],
) -> None:
    figure = slices(*filled)
    labels = axis_labels(figure)
    assert labels[:5] == [
        "model.learning_rate (log)",
        "1-model.decay (log)",
        "model.beta1",
        "model.feed_forward_scale",
        "model.hidden_size",
    ]
    assert tick_labels(figure.axes[0]) == ["0.0001", "0.001", "0.01"]
    assert tick_labels(figure.axes[2]) == ["0.8", "0.85", "0.9"]
    assert tick_labels(figure.axes[3]) == ["0.05", "0.1", "0.15", "0.2", "0.25", "0.3"]
    assert tick_labels(figure.axes[4]) == ["64", "128", "192", "256"]


def test_importances_name_the_parameter_that_decides(
    filled: tuple[optuna.Study, Definition],
) -> None:
    axes = importances(*filled).axes[0]
    assert axes.get_yticklabels()[-1].get_text() == "model.learning_rate"
    assert axes.get_title() == "share of importance, from 25 complete trials"


def test_the_best_learning_curve_is_named(filled: tuple[optuna.Study, Definition]) -> None:
    study, definition = filled
    axes = learning_curves(study, definition).axes[0]
    drawn = [line.get_label() for line in axes.lines]
    assert f"best: trial {study.best_trial.number}" in drawn
    assert len(axes.lines) == 30


def test_parallel_coordinates_draw_the_best_trial_last(
    filled: tuple[optuna.Study, Definition],
) -> None:
    study, definition = filled
    axes = parallel_coordinates(study, definition).axes[0]
    assert tick_labels(axes)[-1] == definition.metric
    lines = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 6]
    assert len(lines) == 25
    assert lines[-1][-1] == 1.0
    place = (study.best_trial.params["model.feed_forward_scale"] - 0.05) / 0.25
    assert lines[-1][3] == pytest.approx(place)


@pytest.mark.parametrize(
    "draw", [history, learning_curves, slices, importances, parallel_coordinates]
)
def test_no_text_is_cut_off(filled: tuple[optuna.Study, Definition], draw: Draw) -> None:
    figure = draw(*filled)
    figure.draw_without_rendering()
    tight, whole = figure.get_tightbbox(), figure.bbox_inches
    assert tight.x0 >= -0.02
    assert tight.y0 >= -0.02
    assert tight.x1 <= whole.x1 + 0.02
    assert tight.y1 <= whole.y1 + 0.02
