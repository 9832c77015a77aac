import numpy as np
import pytest

from rrnn_lit.words.confusable import confusable_groups, group_of


@pytest.mark.parametrize(
    ("word", "group"),
    [
        *[(word, "number words") for word in ("zero", "Nine", "FIVE", "twelve", "hundred")],
        *[(word, "months") for word in ("January", "JUNE", "May", "Sept.", "dec")],
        *[(word, "weekdays") for word in ("Monday", "sunday", "Thurs", "SAT", "Wed.")],
        *[(word, None) for word in ("may", "may.", "march", "sat", "sun", "oneself", "EOS", "")],
        *[(word, None) for word in ("Mondays", "May_June", "5")],
    ],
)
def test_groups_hold_every_form_that_is_no_ordinary_word(word: str, group: str | None) -> None:
    assert group_of(word) == group


def test_every_digit_has_its_word_in_the_group() -> None:
    digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    groups = confusable_groups(["apple", *digits, "May", "may"])
    np.testing.assert_array_equal(groups["number words"], np.arange(1, 11))
    np.testing.assert_array_equal(groups["months"], [11])
    assert len(groups["weekdays"]) == 0
