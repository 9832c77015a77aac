from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from rrnn_lit.search.plots import write_plots
from rrnn_lit.search.study_file import Definition
from rrnn_lit.search.transfer_plot import best_point, points_of, width_transfer
from tests.search.finished_studies import CURVES, define, make_study, start, transfer, trials_of


@pytest.fixture(scope="module")
def studied() -> tuple[optuna.Study, Definition]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return transfer()


def test_points_are_complete_and_diverged_trials(
    studied: tuple[optuna.Study, Definition],
) -> None:
    points = points_of(trials_of(studied[0]), studied[1])
    assert len(points) == 30
    assert [point.x for point in points] == sorted(point.x for point in points)
    lost = [(p.x, p.curve, p.panel) for p in points if not p.figures]
    assert len(lost) == 7
    assert (3e-3, 256, "none") in lost
    assert (3e-3, 256, "mup") not in lost


def test_the_best_of_a_loss_is_its_least_value(
    studied: tuple[optuna.Study, Definition],
) -> None:
    study, definition = studied
    points = points_of(trials_of(study), definition)
    for width, rate in ((64, 1e-3), (128, 3e-4), (256, 3e-4)):
        held = [p for p in points if p.panel == "none" and p.curve == width]
        for key in ("train/loss", "tune/matched_word_rate"):
            best = best_point(held, key, definition)
            assert best is not None
            assert best.x == rate
    assert best_point([p for p in points if not p.figures], "train/loss", definition) is None


def test_panels_curves_stars_and_crosses(studied: tuple[optuna.Study, Definition]) -> None:
    study, definition = studied
    figure = width_transfer(points_of(trials_of(study), definition), definition)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["model.scaling: none", "model.scaling: mup", "", ""]
    assert [axes.get_xscale() for axes in figure.axes] == ["log"] * 4
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert figure.axes[0].get_ylabel() == "train/loss"
    assert figure.axes[2].get_ylabel() == "tune/matched_word_rate"
    lines = figure.axes[1].lines
    curves = [line for line in lines if line.get_marker() == "o"]
    assert [line.get_label() for line in curves] == ["64", "128", "256"]
    stars = [line.get_xdata()[0] for line in lines if line.get_marker() == "*"]
    assert stars == [1e-3] * 3
    crosses = [list(li.get_xdata()) for li in figure.axes[0].lines if li.get_marker() == "x"]
    assert crosses == [[1e-2], [1e-2], [3e-3, 1e-2]]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "64", "128", "256", "best", "diverged"]  # fmt: skip


def test_options_outside_the_space_come_from_the_study(
    studied: tuple[optuna.Study, Definition],
) -> None:
    definition = define(
        space=studied[1].space[:1],
        overrides={"model.hidden_size": 96},
        curves=replace(CURVES, panel=None, y=("tune/matched_words",)),
    )
    study = make_study(definition)
    study.tell(start(study, definition), 12.0)
    (point,) = points_of(trials_of(study), definition)
    assert point.curve == 96
    assert point.panel is None
    assert point.figures == {"tune/matched_words": 12.0}
    assert len(width_transfer([point], definition).axes) == 1


def test_the_picture_is_among_the_plots(
    studied: tuple[optuna.Study, Definition], tmp_path: Path
) -> None:
    paths, left_out = write_plots(*studied, tmp_path, html=False)
    assert tmp_path / "width_transfer.png" in paths
    assert left_out == []
