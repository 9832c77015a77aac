from pathlib import Path
from typing import Any

import pytest

from rrnn_lit.evaluation import report_pictures as pictures
from tests.codec.parts import tiny_parts
from tests.evaluation.reports import columns_of, content_of

Content = dict[str, Any]
ONE = ["by_length", "by_position", "by_frequency", "by_category"]


@pytest.fixture(scope="module")
def one(prepared_folder: Path) -> Content:
    return content_of(columns_of(tiny_parts(), prepared_folder), prepared_folder)[0]


@pytest.fixture(scope="module")
def several(prepared_folder: Path) -> Content:
    columns = columns_of(tiny_parts(compressor=True), prepared_folder)
    columns += columns_of(tiny_parts(), prepared_folder, "a name_with $ and so many letters" * 3)
    return content_of(columns, prepared_folder)[0]


def test_pictures_are_png(several: Content) -> None:
    found = pictures.draw_pictures(several)
    assert list(found) == ["side_by_side", *ONE]
    assert all(png.startswith(b"\x89PNG") for png in found.values())


def test_one_model_has_nothing_side_by_side(one: Content) -> None:
    assert list(pictures.draw_pictures(one)) == ONE


def test_figure_3_has_both_curves_and_the_sentences(one: Content) -> None:
    upper, lower = pictures.by_length(one["columns"]).axes
    rows = one["columns"][0]["by_length"]
    drawn = {line.get_label(): line.get_xydata().tolist() for line in upper.lines}
    assert set(drawn) == {"matched words", "exact sentences"}
    assert drawn["matched words"] == [[r["longest"], r["matched_words"].value] for r in rows]
    assert drawn["exact sentences"] == [[r["longest"], r["exact_sentences"].value] for r in rows]
    assert len(upper.collections) == 2, "a band for each curve"
    assert [bar.get_height() for bar in lower.patches] == [
        r["exact_sentences"].whole for r in rows
    ]


def test_every_column_has_its_curves(several: Content) -> None:
    columns = several["columns"]
    assert len(pictures.by_length(columns).axes[0].lines) == 6
    assert len(pictures.by_position(columns).axes[0].lines) == 3
    assert len(pictures.by_category(columns).axes[0].containers) == 2 * 3


def test_frequencies_have_a_logarithmic_axis(one: Content) -> None:
    (axes,) = pictures.by_frequency(one["columns"]).axes
    assert axes.get_xscale() == "log"
    means = [row["mean"] for row in one["columns"][0]["by_frequency"]]
    assert axes.lines[0].get_xdata().tolist() == means


@pytest.mark.parametrize("name", ["side_by_side", *ONE])
@pytest.mark.parametrize("which", ["one", "several"])
def test_no_text_is_cut_off(name: str, which: str, request: pytest.FixtureRequest) -> None:
    figure = getattr(pictures, name)(request.getfixturevalue(which)["columns"])
    figure.draw_without_rendering()
    tight, whole = figure.get_tightbbox(), figure.bbox_inches
    assert tight.x0 >= -0.02
    assert tight.y0 >= -0.02
    assert tight.x1 <= whole.x1 + 0.02
    assert tight.y1 <= whole.y1 + 0.02
