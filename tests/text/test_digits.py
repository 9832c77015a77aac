import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrnn_lit.text.digits import spell_digits

CASES = [
    ("2", "two"),
    ("30", "three zero"),
    ("1984", "one nine eight four"),
    ("7.5", "seven . five"),
    ("1,000", "one zero zero zero"),
    ("2,516,900.25", "two five one six nine zero zero . two five"),
    ("1,23", "one , two three"),
    ("1,2345", "one , two three four five"),
    ("21st", "two one st"),
    ("1990s", "one nine nine zero s"),
    ("F16", "F one six"),
    ("v2.0b", "v two . zero b"),
    ("O'2", "O ' two"),
    ("plain", "plain"),
    ("...", "..."),
]


@pytest.mark.parametrize(("token", "expected"), CASES)
@pytest.mark.parametrize("dictionary", [None, frozenset({"2", "30", ".5", "7.5", "MP3"})])
def test_each_digit_is_a_word(
    token: str, expected: str, dictionary: frozenset[str] | None
) -> None:
    assert spell_digits([token], dictionary) == expected.split()


def test_dictionary_word_with_letters_keeps_its_digits() -> None:
    dictionary = frozenset({"MP3", "3rd", "Windows_7"})
    assert spell_digits(["MP3", "3rd", "Windows_7"], dictionary) == ["MP3", "3rd", "Windows_7"]
    assert spell_digits(["MP4"], dictionary) == ["MP", "four"]


@given(st.lists(st.text(alphabet="aB07.,'", min_size=1)))
def test_no_digit_is_left_and_a_second_pass_changes_nothing(tokens: list[str]) -> None:
    spelled = spell_digits(tokens, None)
    assert not any(character.isdigit() for token in spelled for character in token)
    assert all(spelled)
    assert spell_digits(spelled, None) == spelled
