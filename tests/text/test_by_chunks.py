"""The pipeline takes sentences by their chunks; taken whole they come out the same."""

import lzma
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice, tee
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rrnn_lit.text.ascii import to_ascii
from rrnn_lit.text.dictionary import Dictionary
from rrnn_lit.text.language import are_other_languages, ask_library
from rrnn_lit.text.markup import normalise_markup
from rrnn_lit.text.pipeline import TextPipeline, TextSettings
from tests.text.test_keeping import DICTIONARY, PIECES

SETTINGS = TextSettings("treebank", 0.8, None, 20)
_ODD = "$1,000.50 http://a.b/c?d=e#f x@y.z 'tis O'Neil's ... . . \x00 \u2028 \u0301 e\u0301"
_ENDS = [".", '."', ".')", " .", ". )", "...", ",", " U.S.", "'", ""]
_STUCK = st.lists(st.sampled_from([*PIECES, *_ODD.split(" ")]), max_size=3).map("".join)
_TEXTS = st.one_of(
    st.builds(
        lambda chunks, end: " ".join(chunks) + end,
        st.lists(st.sampled_from([*PIECES, *_ODD.split(" ")]), max_size=22),
        st.sampled_from(_ENDS),
    ),
    st.lists(_STUCK, max_size=8).map(" ".join),
    st.text(
        alphabet="aB1 .,:;'\"-`!?()[]{}|\\&$@_/#*\n\u2014\u4e2d\U0001f600\ud800\xa0", max_size=60
    ),
    st.text(max_size=60),
)


def differing(
    sentences: Iterable[str], settings: TextSettings, dictionary: Dictionary
) -> list[str]:
    """Return the sentences with other tokens by chunks than whole, and fail for other counts."""
    fast = TextPipeline(settings, dictionary)
    whole = TextPipeline(settings, dictionary, fast=False)
    here, there = tee(sentences)
    pairs = zip(here, fast.each(there), strict=True)
    different = [sentence for sentence, tokens in pairs if tokens != whole(sentence)]
    assert fast.count_table() == whole.count_table()
    return different


@pytest.mark.parametrize("dictionary", [DICTIONARY, None], ids=["dictionary", "none"])
@settings(max_examples=50)
@given(sentences=st.lists(_TEXTS, min_size=4, max_size=8))
def test_tokens_and_counts_of_any_text_are_those_of_whole_sentences(
    dictionary: Dictionary, sentences: list[str]
) -> None:
    assert differing(sentences * 2, SETTINGS, dictionary) == []


def test_a_memory_that_is_full_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rrnn_lit.text.chunks._MOST", 3)
    sentences = [f"{word}, we saw the workers' {word} in York." for word in PIECES]
    assert differing(sentences * 2, SETTINGS, DICTIONARY) == []


def _by_rules_alone(text: str) -> str:
    """Return what the rules of markup and of printable ASCII make of ASCII text."""
    text = re.sub(r"[^ -~]+", "", re.sub(r"[ \t\n\v\f\r]+", " ", text)).strip(" ")
    text = re.sub(r"[|\\]+", " ", text.translate(str.maketrans("[{]}", "(())")))
    text = re.sub("!{2,}", "!", text).replace("?!", "? !")
    text = re.sub(r"\.(?: \.){2,}", "...", re.sub("-{3,}", " -- ", text))
    return " ".join(text.split())


@settings(max_examples=300)
@given(st.text(alphabet="a .. --!?[]{}|\\\t\n\x07\x1f~'", max_size=30))
def test_short_cuts_of_clean_text_change_nothing(text: str) -> None:
    assert normalise_markup(to_ascii(text)) == _by_rules_alone(text)


def _lines(name: str, number: int) -> Iterator[str]:
    path = Path(os.environ.get("RRNN_DATA", "")) / name
    if "RRNN_DATA" not in os.environ or not path.is_file():
        pytest.skip(f"RRNN_DATA names no folder with {name}")
    with lzma.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        yield from islice(lines, number)


@pytest.mark.data
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("name", ["news_train.en.txt.xz", "tatoeba.en.txt.xz"])
def test_no_real_sentence_differs(name: str) -> None:
    known = frozenset(line[:-1] for line in _lines("googlenews_vocab.txt.xz", 1_000_000))
    strict = replace(SETTINGS, max_words=60, language_threshold=0.0)
    assert differing(_lines(name, 300_000), strict, known) == []


@pytest.mark.data
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("name", ["news_train.en.txt.xz", "tatoeba.en.txt.xz"])
def test_no_real_sentence_is_judged_otherwise_than_by_the_library(name: str) -> None:
    lines = [line.strip() for line in _lines(name, 300_000)]
    for start in range(0, len(lines), 500):
        some = lines[start : start + 500]
        assert are_other_languages(some, 0.8) == ask_library(some, 0.8)
