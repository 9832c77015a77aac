import pytest

from rrnn_lit.text.abbreviations import is_common_abbreviation, is_initials


@pytest.mark.parametrize("token", ["U.S.", "U.S", "a.m.", "J.", "Ph.D.", "Ph.D", "e.g."])
def test_letters_with_stops_are_initials(token: str) -> None:
    assert is_initials(token)


@pytest.mark.parametrize("token", ["York.", "US", ".", "...", "end.The", "3.", "U..S", ""])
def test_words_and_numbers_are_not_initials(token: str) -> None:
    assert not is_initials(token)


@pytest.mark.parametrize(
    ("token", "expected"), [("Mr.", True), ("INC.", True), ("Mr", False), ("house.", False)]
)
def test_common_abbreviations_are_listed_with_their_stop(token: str, expected: bool) -> None:
    assert is_common_abbreviation(token) is expected
