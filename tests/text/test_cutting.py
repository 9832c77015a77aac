import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rrnn_lit.text.cutting import cut_chunk, cut_last_chunk
from rrnn_lit.text.tokenize import TreebankTokenizer

BY_NLTK = TreebankTokenizer().cut
_LETTERS = [*"aS5.,:;?!-'\"([)<@$%*/_`\\~", "'s", "n't", "'ll", "'RE", "..", "--", "U.S.", "1,000"]
_CHUNKS = st.lists(st.sampled_from(_LETTERS), min_size=1, max_size=7).map("".join)


def assert_as_nltk_cuts(chunk: str) -> None:
    inside, last = cut_chunk(chunk), cut_last_chunk(chunk)
    if inside is not None:
        assert inside == BY_NLTK(f"x {chunk} x")[1:-1]
        if "'" not in chunk:
            assert inside == BY_NLTK(f"{chunk} x")[:-1]
    if last is not None:
        assert last == BY_NLTK(f"x {chunk}")[1:]


@settings(max_examples=250)
@given(_CHUNKS)
def test_any_chunk_is_cut_as_nltk_cuts_it_or_not_at_all(chunk: str) -> None:
    assert_as_nltk_cuts(chunk)


def test_two_thousand_short_chunks_are_cut_as_nltk_cuts_them() -> None:
    chance = random.Random(0)
    for _ in range(2_000):
        assert_as_nltk_cuts("".join(chance.choices(_LETTERS, k=chance.randint(1, 4))))


@pytest.mark.parametrize(
    ("chunk", "tokens"),
    [
        ("ferry", "ferry"),
        ("family-owned,", "family-owned ,"),
        ('"Stay,"', '" Stay , "'),
        ("$1,000.50", "$ 1,000.50"),
        ("(AAPL.O)", "( AAPL.O )"),
        ("sun--rain", "sun -- rain"),
        ("so...and", "so ... and"),
        ("Peru's,", "Peru 's ,"),
        ("wasn't", "was n't"),
        ("workers'", "workers '"),
        ("U.S.", "U.S."),
    ],
)
def test_what_text_is_made_of_needs_no_nltk(chunk: str, tokens: str) -> None:
    assert cut_chunk(chunk) == tokens.split()
    assert_as_nltk_cuts(chunk)


@pytest.mark.parametrize(
    ("chunk", "tokens"),
    [("sank.", "sank ."), ('so.")', 'so . " )'), ("U.S.", "U.S ."), ("a", "a")],
)
def test_the_last_full_stop_is_cut_off(chunk: str, tokens: str) -> None:
    assert cut_last_chunk(chunk) == tokens.split()


@pytest.mark.parametrize("chunk", ["'tis", "``so", "a,,b", "'n'"])
def test_nltk_is_asked_where_quotes_and_marks_meet(chunk: str) -> None:
    assert cut_chunk(chunk) is None
