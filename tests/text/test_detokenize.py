import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrnn_lit.text.detokenize import detokenize
from rrnn_lit.text.keeping import KeepingPipeline
from rrnn_lit.text.pipeline import TextSettings

READABLE = [
    ("The ferry wasn't late", "The ferry wasn't late"),
    ("We 'd laugh if it did n't sink", "We'd laugh if it didn't sink"),
    ("A truck s horn woke Peru s envoy", "A truck's horn woke Peru's envoy"),
    ("A family - owned bakery opened", "A family-owned bakery opened"),
    ("- Yes , he said -- at last", "- Yes, he said -- at last"),
    ("He ran one zero miles", "He ran one zero miles"),
    ("It fell seven . five % to $ one two", "It fell seven.five% to $one two"),
    ("at one zero : three zero", "at one zero:three zero"),
    ("It ended . He left", "It ended. He left"),
    ('" Stay , " she said', '"Stay," she said'),
    ('She said : " Stay "', 'She said: "Stay"'),
    ("' Stay , ' she said", "'Stay,' she said"),
    ("the workers ' rights", "the workers' rights"),
    ('Is it " new ?', 'Is it "new?'),
    ('New "', 'New"'),
    ("( She stayed )", "(She stayed)"),
    ("Ada_Lovelace loved ice_cream", "Ada Lovelace loved ice cream"),
    ("Rain , sun ; fog ... and / or hail !", "Rain, sun; fog... and/or hail!"),
    ("EOS_ and UNK_ are words", "EOS and UNK are words"),
    ("the UNK is UNK", "the UNK is UNK"),
    ("the nineteen nine zero s", "the nineteen nine zero s"),
    ("s", "s"),
    ("AT & T", "AT & T"),
    ("the U.S. s envoy", "the U.S.'s envoy"),
    ("", ""),
    ("_ _ a", "_ _ a"),
]


@pytest.mark.parametrize(("words", "text"), READABLE)
def test_text_reads_well(words: str, text: str) -> None:
    assert detokenize(words.split()) == text


_MARKS = [",", "?", "'", '"', ":", "-", "--", ";", "...", ")", "(", "!", ".", "/", "$", "%", "&"]
_MARKS += ["_", "s", "'s", "n't", "'d", "two", "EOS_", "UNK", ":X:"]
_WORD = st.one_of(st.sampled_from(_MARKS), st.text("abzAZ_.'-", min_size=1, max_size=6))


def bare(text: str) -> str:
    """Text without what printing may change: blanks, underscores, apostrophes."""
    return re.sub("[ _']", "", text)


@given(st.lists(_WORD, max_size=12))
def test_no_word_is_dropped_and_none_is_invented(words: list[str]) -> None:
    assert bare(detokenize(words)) == bare("".join(words))


@given(st.lists(st.text("abc", min_size=1), max_size=12))
def test_plain_words_stand_apart(words: list[str]) -> None:
    assert detokenize(words) == " ".join(words)


@given(st.lists(_WORD, max_size=12))
def test_text_is_one_line_without_blanks_at_its_ends(words: list[str]) -> None:
    text = detokenize(words)
    assert text == text.strip(" ")
    assert "\n" not in text


@pytest.mark.parametrize(
    "sentence",
    [
        "She said, \"The family-owned bakery (in York) isn't open; try Peru's!\"",
        "It's Ada Lovelace -- or is it?",
        "Mr. Bell left the U.S. and/or Peru",
    ],
)
def test_a_printed_sentence_has_the_words_it_came_from(sentence: str) -> None:
    known = frozenset(["isn't", "It's", "Ada_Lovelace", "Mr.", "U.S."])
    settings = TextSettings("treebank", 0.0, None, 60)
    pipeline = KeepingPipeline(settings, known, {})
    assert detokenize(pipeline(sentence)) == sentence
