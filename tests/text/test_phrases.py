import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rrnn_lit.text.phrases import PhraseMerger

DICTIONARY = frozenset(
    ["New", "New_York", "New_York_City_Hall", "York_City", "a_,_b", "AT_&_T", "_x", "y_", "City"]
)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("in New York", "in New_York"),
        ("New York City Hall", "New_York_City_Hall"),
        ("New York City", "New_York City"),
        ("Old York City", "Old York_City"),
        ("New York New York", "New_York New_York"),
        ("New , York", "New , York"),
        ("a , b", "a , b"),
        ("AT & T", "AT_&_T"),
        ("New", "New"),
        ("new york", "new york"),
        ("x y", "x y"),
        ("", ""),
    ],
)
def test_longest_phrase_from_the_left(words: str, expected: str) -> None:
    assert PhraseMerger(DICTIONARY)(words.split()) == expected.split()


def test_without_a_dictionary_nothing_is_merged() -> None:
    assert PhraseMerger(None)(["New", "York"]) == ["New", "York"]


def _merge_by_trying_everything(tokens: list[str], dictionary: frozenset[str]) -> list[str]:
    if not tokens:
        return []
    for length in range(len(tokens), 1, -1):
        phrase = "_".join(tokens[:length])
        if phrase in dictionary and "," not in tokens[:length]:
            return [phrase, *_merge_by_trying_everything(tokens[length:], dictionary)]
    return [tokens[0], *_merge_by_trying_everything(tokens[1:], dictionary)]


_words = st.lists(st.sampled_from(["a", "b", "c", ","]), max_size=8)


@given(_words, st.frozensets(_words.filter(len).map("_".join)))
def test_equals_trying_every_length(tokens: list[str], dictionary: frozenset[str]) -> None:
    expected = _merge_by_trying_everything(tokens, dictionary)
    assert PhraseMerger(dictionary)(tokens) == expected


def _merge_by_first_word(tokens: list[str], dictionary: frozenset[str]) -> list[str]:
    """Ask the dictionary at each place for all lengths that phrases with this first word have."""
    lengths: dict[str, set[int]] = {}
    for entry in dictionary:
        first, _, rest = entry.partition("_")
        if first and rest:
            lengths.setdefault(first, set()).add(2 + rest.count("_"))
    merged: list[str] = []
    while tokens:
        tries = [tokens[:length] for length in lengths.get(tokens[0], ()) if length <= len(tokens)]
        fits = [words for words in tries if "_".join(words) in dictionary and "," not in words]
        phrase = max(fits, key=len, default=tokens[:1])
        merged.append("_".join(phrase))
        tokens = tokens[len(phrase) :]
    return merged


_pieces = st.lists(st.sampled_from(["a", "b", ",", "a_b", "b_", "_a", "_"]), max_size=7)


@settings(max_examples=200)
@given(_pieces, st.frozensets(_pieces.filter(len).map("_".join)))
def test_tokens_that_are_phrases_already(tokens: list[str], dictionary: frozenset[str]) -> None:
    expected = _merge_by_first_word(tokens, dictionary)
    assert PhraseMerger(dictionary)(tokens) == expected
