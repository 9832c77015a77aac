from typing import Any

import pytest
import torch

from rrnn_lit.words.counting import (
    Decoded,
    count_by_length,
    count_decoded,
    loose_classes,
    loosely_matched,
)

DICTIONARY = ["the", "dog", "Dog", "barks", "U.S.", "us", ",", "!", "dogs", "UNK", "EOS"]
UNK_ID, EOS_ID = DICTIONARY.index("UNK"), DICTIONARY.index("EOS")
LOOSE_V = loose_classes(DICTIONARY)

# target | decoded, and by hand:
# words, matched, loose, exact | strict words, strict matched, strict exact
PAGE = [
    ("the dog barks EOS", "the dog barks EOS", (4, 4, 4, 1), (3, 3, 1)),
    # a wrong word
    ("the dog barks EOS", "the dogs barks EOS", (4, 3, 3, 0), (3, 2, 0)),
    # a word of another case
    ("the dog barks EOS", "the Dog barks EOS", (4, 3, 4, 0), (3, 2, 0)),
    # an early EOS: what is behind it is lost in strict counting
    ("the dog barks , EOS", "the EOS barks , EOS", (5, 4, 4, 0), (4, 1, 0)),
    # the EOS is missing: every word is right, the sentence does not end there
    ("the dog barks EOS", "the dog barks !", (4, 3, 3, 0), (3, 3, 0)),
    # UNK decoded as UNK matches; strictly it does not exist and spoils exactness
    ("the UNK barks EOS", "the UNK barks EOS", (4, 4, 4, 1), (2, 2, 0)),
    ("the UNK barks EOS", "the dog barks EOS", (4, 3, 3, 0), (2, 2, 0)),
    # UNK for a word is a mismatch
    ("the dog EOS", "the UNK EOS", (3, 2, 2, 0), (2, 1, 0)),
    # U.S. and us agree after dropping all but letters, two marks agree with nothing
    ("U.S. , the EOS", "us ! the EOS", (4, 2, 3, 0), (3, 1, 0)),
    # nothing decoded at all
    ("the dog EOS", "- - -", (3, 0, 0, 0), (2, 0, 0)),
    # the empty sentence
    ("EOS", "EOS", (1, 1, 1, 1), (0, 0, 1)),
    ("EOS", "dog", (1, 0, 0, 0), (0, 0, 0)),
]
NAMES = (
    "num_words",
    "matched_words",
    "loosely_matched_words",
    "exact_sentences",
    "strict_num_words",
    "strict_matched_words",
    "strict_exact_sentences",
)


def word_ids(text: str) -> list[int]:
    return [-1 if word == "-" else DICTIONARY.index(word) for word in text.split()]


def decode(pairs: list[tuple[str, str]], garbage: int | None = None) -> Decoded:
    """A padded batch; `garbage` fills everything beyond the sentences, otherwise a match."""
    num_words = max(len(target.split()) for target, _ in pairs) + 2
    target_BT = torch.full((len(pairs), num_words), EOS_ID if garbage is None else garbage)
    decoded_BT = target_BT.clone()
    lengths = []
    for row, (target, decoded) in enumerate(pairs):
        ids = word_ids(target)
        lengths.append(len(ids))
        target_BT[row, : len(ids)] = torch.tensor(ids)
        decoded_BT[row, : len(ids)] = torch.tensor(word_ids(decoded))
    return Decoded(target_BT, decoded_BT, target_BT == decoded_BT, torch.tensor(lengths))


def counts_of(decoded: Decoded) -> dict[str, int]:
    counts = count_decoded(decoded, LOOSE_V, EOS_ID, UNK_ID)
    assert all(value.dtype == torch.int64 for value in counts.values())
    return {name: int(value) for name, value in counts.items()}


@pytest.mark.parametrize(("target", "decoded", "paper", "strict"), PAGE)
def test_hand_counted_sentences(
    target: str, decoded: str, paper: tuple[int, ...], strict: tuple[int, ...]
) -> None:
    wanted: dict[str, int] = dict(zip(NAMES, (*paper, *strict), strict=True))
    assert counts_of(decode([(target, decoded)])) == {**wanted, "num_sentences": 1}


def test_a_batch_counts_the_sum_of_its_sentences() -> None:
    wanted: dict[str, Any] = {
        name: sum((*row[2], *row[3])[i] for row in PAGE) for i, name in enumerate(NAMES)
    }
    wanted["num_sentences"] = len(PAGE)
    assert counts_of(decode([(target, decoded) for target, decoded, *_ in PAGE])) == wanted


@pytest.mark.parametrize("garbage", [-1, -10_000, 0, UNK_ID, 10**9])
def test_whatever_stands_beyond_a_sentence_does_not_count(garbage: int) -> None:
    pairs = [(target, decoded) for target, decoded, *_ in PAGE]
    clean, dirty = decode(pairs), decode(pairs, garbage)
    assert counts_of(dirty) == counts_of(clean)
    assert torch.equal(count_by_length(dirty, 6), count_by_length(clean, 6))


def test_match_is_taken_as_given_where_ids_differ() -> None:
    # a duplicate of the target is decoded under its own, lower id
    decoded = decode([("dog dogs EOS", "dog dog EOS")])
    same = Decoded(decoded.target_BT, decoded.decoded_BT, decoded.valid(), decoded.lengths_B)
    counts = counts_of(same)
    assert (counts["matched_words"], counts["exact_sentences"]) == (3, 1)
    assert (counts["strict_matched_words"], counts["strict_exact_sentences"]) == (2, 1)


def test_loose_classes_keep_letters_only() -> None:
    classes = loose_classes(["U.S.", "us", "U_S", "use", ",", "!", "2", "Don't", "dont", "Café"])
    assert classes.tolist()[:3] == [classes[0].item()] * 3
    assert len({classes[i].item() for i in (0, 3, 7, 9)}) == 4
    assert classes[4:7].tolist() == [-1, -1, -1]
    assert classes[7] == classes[8]


@pytest.mark.parametrize(
    ("target", "decoded", "wanted"),
    [
        ("us", "U.S.", True),
        ("Dog", "dog", True),
        ("dog", "dogs", False),
        (",", "!", False),
        (",", ",", True),
        ("dog", "-", False),
        # the last dictionary row, which a -1 would read
        ("EOS", "-", False),
    ],
)
def test_loose_match(target: str, decoded: str, wanted: bool) -> None:
    batch = decode([(target, decoded)])
    assert loosely_matched(batch, LOOSE_V)[0, 0].item() is wanted


def test_counts_by_length() -> None:
    pairs = [(target, decoded) for target, decoded, *_ in PAGE]
    counts_4L = count_by_length(decode(pairs), 6)
    # lengths 0 to 6: sentences, exact, words, matched
    assert counts_4L.tolist() == [
        [0, 2, 0, 2, 7, 1, 0],
        [0, 1, 0, 0, 2, 0, 0],
        [0, 2, 0, 6, 28, 5, 0],
        [0, 1, 0, 2, 22, 4, 0],
    ]
    assert counts_4L.dtype == torch.int64
