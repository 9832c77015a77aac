import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rrnn_lit.text.dictionary import Dictionary
from rrnn_lit.text.keeping import KeepingPipeline
from rrnn_lit.text.pipeline import TextPipeline, TextSettings

SETTINGS = TextSettings("treebank", 0.0, None, 10**9)
_WORDS = ["wasn't", "You'd", "It's", "today's", "workers'", "O'Hara", "Mr.", "U.S.", "MP3", "3rd"]
_PHRASES = ["New_York", "New_York_Yankees", "ice_cream", "U.S._Congress", "gonna", "on-line"]
DICTIONARY = frozenset([*_WORDS, *_PHRASES, "bakery", "the", "York", "a", "google.com", "$"])

# pieces of sentences: what the rules look at, alone and beside each other
_PLAIN = "The ferry of York sailed and a bakery in Peru opened 10 1,000 7.5 3rd MP3 café naïve"
_STUCK = "wasn't You'd It's today's Peru's family-owned on-line Mr. U.S. e.g. J. York.He and/or"
_MARKED = "sunk, said: (so) [or] {not} #1 @x a*b $5 5% AT&T what?! no!! no!!! so... end. -- --- -"
_QUOTED = (
    "\"Stay \"stay\" stay.\" 'Stay 'stay' stay.' ``so'' workers' 's 'S ' '' \" `x` n't 'em ''' ;'"
)
_ODD = (
    "cannot gonna gon na EOS UNK New York Yankees ice cream | \\ « » “so” — ™ 你好 😀 \x07 \ud800"
)
PIECES = [*_PLAIN.split(), *_STUCK.split(), *_MARKED.split(), *_QUOTED.split(), *_ODD.split()]


def same(sentence: str, dictionary: Dictionary) -> bool:
    kept = KeepingPipeline(SETTINGS, dictionary, {})(sentence)
    return kept == (TextPipeline(SETTINGS, dictionary, fast=False)(sentence) or [])


@pytest.mark.parametrize("dictionary", [DICTIONARY, None], ids=["dictionary", "none"])
def test_words_of_thousands_of_sentences_are_those_of_preparation(dictionary: Dictionary) -> None:
    keep, prepare = (
        KeepingPipeline(SETTINGS, dictionary, {}),
        TextPipeline(SETTINGS, dictionary, fast=False),
    )
    chance = random.Random(0)
    ends = ["", ".", "!", '."', ".')", " .", ". )", "...", ",", " U.S.", " U.S .", "'"]
    for _ in range(1_500):
        pieces = chance.choices(PIECES, k=chance.randint(1, 14))
        sentence = chance.choice([" ", " ", "  "]).join(pieces) + chance.choice(ends)
        assert keep(sentence) == (prepare(sentence) or []), repr(sentence)


@pytest.mark.parametrize("dictionary", [DICTIONARY, None], ids=["dictionary", "none"])
def test_words_of_random_characters_are_those_of_preparation(dictionary: Dictionary) -> None:
    keep, prepare = (
        KeepingPipeline(SETTINGS, dictionary, {}),
        TextPipeline(SETTINGS, dictionary, fast=False),
    )
    chance = random.Random(1)
    alphabet = [*"aAbs.,'\"`()[]{}<>-!?;:$%&@#*/\\|_~^+=019   ", ". .", "''", "``", "'s", "é"]
    for _ in range(2_000):
        sentence = "".join(chance.choices(alphabet, k=chance.randint(0, 14)))
        assert keep(sentence) == (prepare(sentence) or []), repr(sentence)


@settings(max_examples=100)
@given(st.text(max_size=40))
def test_any_text_gives_words_of_printable_ascii(sentence: str) -> None:
    words = KeepingPipeline(SETTINGS, DICTIONARY, {})(sentence)
    assert all(word and word.isascii() and word.isprintable() for word in words)
    assert same(sentence, DICTIONARY)


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("", []),
        (" \t\n", []),
        ("# * @", []),
        (".", []),
        ("\ud800\x00", []),
        ("Der Bahnhof wurde geschlossen.", ["Der", "Bahnhof", "wurde", "geschlossen"]),
        ("a\nb", ["a", "b"]),
    ],
)
def test_what_preparation_drops_is_kept(sentence: str, words: list[str]) -> None:
    strict = replace(SETTINGS, language_threshold=0.8, max_words=2)
    assert KeepingPipeline(strict, DICTIONARY, {})(sentence) == words


def test_a_long_sentence_and_a_long_word_are_whole() -> None:
    keep = KeepingPipeline(SETTINGS, DICTIONARY, {})
    assert keep("dog " * 10_000) == ["dog"] * 10_000
    assert keep("x" * 100_000 + " y") == ["x" * 100_000, "y"]


def test_corrections_are_applied_to_finished_words(tmp_path: Path) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("three\tmany\nteh\tEOS\n", encoding="utf-8")
    prepare = TextPipeline(replace(SETTINGS, corrections=str(table)), DICTIONARY, fast=False)
    keep = KeepingPipeline(SETTINGS, DICTIONARY, {"three": ["many"], "teh": ["EOS"]})
    assert keep("I saw 3 of teh dogs") == ["I", "saw", "many", "of", "EOS_", "dogs"]
    assert keep("I saw 3 of teh dogs") == prepare("I saw 3 of teh dogs")


def test_a_sentence_has_the_same_words_whatever_came_before() -> None:
    keep = KeepingPipeline(SETTINGS, DICTIONARY, {})
    sentences = ["York.", "York. York", "' York", "York '", '"York', "a York's ' York's '"]
    first = [keep(sentence) for sentence in sentences]
    assert [keep(sentence) for sentence in reversed(sentences)] == first[::-1]
