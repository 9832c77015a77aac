import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrnn_lit.text.markup import normalise_markup


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[left] and {right}", "(left) and (right)"),
        ("north||south\\|west", "north south west"),
        ("Who?!", "Who? !"),
        ("Who?!!!", "Who? !"),
        ("Stop!!!", "Stop!"),
        ("Stop!", "Stop!"),
        ("so ---- there", "so -- there"),
        ("so--there", "so--there"),
        ("well . . . maybe", "well ... maybe"),
        ("A. B. Smith", "A. B. Smith"),
    ],
)
def test_marks_come_to_one_spelling(text: str, expected: str) -> None:
    assert normalise_markup(text) == expected


@pytest.mark.parametrize("text", ["", "|", "\\ | \\"])
def test_bars_alone_leave_nothing(text: str) -> None:
    assert normalise_markup(text) == ""


@given(st.text(alphabet="ab .-!?|\\[]{}()"))
def test_second_pass_changes_nothing(text: str) -> None:
    once = normalise_markup(text)
    assert normalise_markup(once) == once
