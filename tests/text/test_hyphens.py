import pytest

from rrnn_lit.text.hyphens import split_hyphens

CASES = [
    ("female-owned", "female - owned"),
    ("two-year-old", "two - year - old"),
    ("-7", "- 7"),
    ("pre-", "pre -"),
    ("-", "-"),
    ("--", "--"),
    ("now--or", "now -- or"),
    ("a---b", "a -- b"),
    ("plain", "plain"),
]


@pytest.mark.parametrize(("token", "expected"), CASES)
@pytest.mark.parametrize("dictionary", [None, frozenset({"-7", "female", "D-Mont."})])
def test_hyphens_become_tokens(
    token: str, expected: str, dictionary: frozenset[str] | None
) -> None:
    assert split_hyphens([token], dictionary) == expected.split()


def test_dictionary_word_keeps_its_hyphen() -> None:
    assert split_hyphens(["D-Mont.", "D-Ohio"], frozenset({"D-Mont."})) == [
        "D-Mont.",
        "D",
        "-",
        "Ohio",
    ]
