from tests.faults.promises import PROMISES, Promise
from tests.faults.table import Outcome, is_kept, render

_PROMISES = {
    1: Promise("runs resume", "0 keys differ"),
    2: Promise("disks | fill", "0 bad", "power cuts"),
    3: Promise("nothing", "0"),
}


def test_a_row_without_a_passed_test_or_with_any_other_is_not_kept() -> None:
    assert is_kept(Outcome(passed=2))
    assert not is_kept(Outcome())
    assert not is_kept(Outcome(passed=2, failed=1))
    assert not is_kept(Outcome(passed=2, skipped=["no server"]))


def test_the_table_says_figures_states_and_what_cannot_be_shown() -> None:
    outcomes = {
        1: Outcome(passed=2, figures={"b": ["0 of 12"], "a": ["0 of 41"]}, seconds=1.24),
        2: Outcome(passed=1, failed=1, figures={"c": ["1 of 40"]}, seconds=2),
    }
    text = render(_PROMISES, outcomes)
    assert "| 1 | runs resume | 0 keys differ | 0 of 41; 0 of 12 | yes | 1.2 |\n" in text
    assert "| 2 | disks \\| fill | 0 bad | 1 of 40 | **NO** | 2.0 |\n" in text
    assert "| 3 | nothing | 0 | - | **no test** | 0.0 |\n" in text
    assert "1 of 3 kept, 3 s." in text
    assert "- 2: power cuts.\n" in text


def test_a_row_whose_test_was_left_out_says_why() -> None:
    text = render(_PROMISES, {1: Outcome(skipped=["no server", "no server"])})
    assert "| not run: no server |" in text


def test_there_are_thirty_promises() -> None:
    assert sorted(PROMISES) == list(range(1, 31))
