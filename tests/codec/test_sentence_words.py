from dataclasses import replace

import pytest

from rrnn_lit.codec.raw_text import RawText
from rrnn_lit.codec.sentence_words import SentenceWords
from rrnn_lit.codec.word_processes import words_of_blocks
from tests.codec.parts import tiny_parts

PARTS = replace(
    tiny_parts(),
    text=replace(tiny_parts().text, max_words=10_000),
    known_words="New_York\nNew_York_Yankees\nEOS_Group\nwasn't\n",
    whole_phrases="New_York\n",
    corrections={"teh": ["the"]},
)
SENTENCES = [
    "The New York Yankees weren't in New York, was teh 7th it wasn't.",
    "EOS Group",
    'He said "word3 (word4)."',
    "caf\u00e9 -- so",
]


def make(whole_phrases: str | None = PARTS.whole_phrases) -> SentenceWords:
    return SentenceWords(PARTS.text, PARTS.known_words, whole_phrases, PARTS.corrections)


@pytest.mark.parametrize("whole", [PARTS.whole_phrases, None])
def test_words_are_those_of_preparation(whole: str | None) -> None:
    words, prepared = make(whole), RawText(replace(PARTS, whole_phrases=whole))
    assert [words(sentence) for sentence in SENTENCES] == [prepared(s) for s in SENTENCES]


def test_rare_phrases_are_cut_and_labels_renamed() -> None:
    words = make()
    assert words("New York")[0] == "New_York"
    assert words("New York Yankees") == ["New", "York", "Yankees"]
    assert words("EOS Group") == ["EOS_", "Group"]


def test_nothing_is_dropped() -> None:
    assert make()("") == []
    assert len(make()("dog " * 20_000)) == 20_000


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rrnn_lit.text.packages.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"extra `prep`, got no anyascii, nltk; run pip install"):
        make()


def test_a_process_of_its_own_makes_the_same_words() -> None:
    blocks = [[f"word{i} word{j}" for i in range(3)] for j in range(7)]
    found = list(words_of_blocks(tiny_parts(), blocks, 1))
    assert found == [[sentence.split() for sentence in block] for block in blocks]
