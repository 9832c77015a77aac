import numpy as np
import pytest

from rrnn_lit.evaluation.categories import CATEGORIES, MARKS, categories_of
from rrnn_lit.words.special import SPECIAL_LABELS

# sentences by hand: each word with its category
PAGE = [
    [("On", "function words"), ("Monday", "weekdays"), ("Obama", "names"), ("EOS", "EOS and UNK")],
    # the first word has a capital in any case
    [
        ("Obama", "other words"),
        ("met", "other words"),
        ("Merkel", "names"),
        ("EOS", "EOS and UNK"),
    ],
    # a mark is no first word
    [("'", "punctuation"), ("Dogs", "other words"), ("bark", "other words"), ("'", "punctuation")],
    [("May", "months"), ("may", "function words"), ("March", "months"), ("march", "other words")],
    [("two", "number words"), ("Seven", "number words"), ("ten", "other words")],
    [("the", "function words"), ("UNK", "EOS and UNK"), (":X:", "EOS and UNK")],
    [("a", "function words"), ("and", "function words"), ("--", "punctuation"), ("IBM", "names")],
    # phrases
    [("in", "function words"), ("New_York", "names"), ("last_week", "other words")],
    # only marks, then one sentence more, which begins anew
    [("...", "punctuation"), ("!", "punctuation")],
    [("Dogs", "other words"), ("Dogs", "names")],
    [("I", "function words"), ("said", "other words"), ("I", "function words")],
]


def test_categories_by_hand() -> None:
    words = sorted({word for sentence in PAGE for word, _ in sentence})
    word_ids = np.array([words.index(word) for sentence in PAGE for word, _ in sentence])
    lengths = np.array([len(sentence) for sentence in PAGE])
    found = categories_of(word_ids, lengths, words)
    names = list(CATEGORIES)
    wanted = [pair for sentence in PAGE for pair in sentence]
    assert [(words[i], names[c]) for i, c in zip(word_ids, found, strict=True)] == wanted


@pytest.mark.parametrize("label", SPECIAL_LABELS)
def test_every_special_label_has_a_category_of_its_own_kind(label: str) -> None:
    category = list(CATEGORIES)[categories_of(np.array([0]), np.array([1]), [label])[0]]
    if label in ("UNK", "EOS", ":X:"):
        assert category == "EOS and UNK"
    else:
        assert category == ("punctuation" if label in MARKS else "function words")


def test_fourteen_marks() -> None:
    assert len(MARKS) == 14
