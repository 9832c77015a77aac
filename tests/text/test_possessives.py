import pytest

from rrnn_lit.text.possessives import settle_possessives

DICTIONARY = frozenset({"today's", "workers'", "workers", "truck", "jazz'"})


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ("the truck 's lamp", "the truck s lamp"),
        ("TRUCK 'S", "TRUCK S"),
        ("today 's paper", "today's paper"),
        ("the workers ' hall", "the workers' hall"),
        ("the truckers ' hall", "the truckers ' hall"),
        ("' strong workers '", "' strong workers '"),
        ("' yes ' workers '", "' yes ' workers'"),
        ("jazz '", "jazz '"),
        ("'s", "s"),
        ("'", "'"),
    ],
)
def test_dictionary_decides_what_stays_whole(tokens: str, expected: str) -> None:
    assert settle_possessives(tokens.split(), DICTIONARY) == expected.split()


@pytest.mark.parametrize(
    ("tokens", "expected"), [("today 's", "today s"), ("workers ' hall", "workers ' hall")]
)
def test_without_a_dictionary_the_ending_is_always_cut(tokens: str, expected: str) -> None:
    assert settle_possessives(tokens.split(), None) == expected.split()
