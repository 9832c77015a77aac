"""Builds the dictionary of a prepared folder: corpus words with vectors, then the special ones.

The 21 special labels always get random vectors (paper section 2.8) and are the last rows, also
when vectors are trained on the corpus and `and` or `of` have trained ones: the format of the
folder, and every count of marks and UNK, then stays the same for both kinds of vectors. Words that
no vector is known for are not rows; they become UNK in the text. Separation, where it is asked
for, starts from the finished rows, so that a dictionary on disk can be separated later as well.

Shapes: V words, W word_dim.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rrnn_lit.words.parallel import parallel_groups
from rrnn_lit.words.separation import Separation, separate
from rrnn_lit.words.special import EOS, SPECIAL_LABELS, UNK, draw_special_vectors
from rrnn_lit.words.vectors import WordVectors
from rrnn_lit.words.whitening import Whitening, weighted_statistics

_IN_TEXT = {EOS: f"{EOS}_", UNK: f"{UNK}_"}  # decision D-12: real words with a label's name
_IN_FILE = {text: name for name, text in _IN_TEXT.items()}
_EXAMPLES = 20  # groups of like vectors listed in the report
_BLOCK = 65_536  # rows looked at at once


@dataclass(frozen=True)
class Scaling:
    """How raw vectors become dictionary rows.

    Args:
        mode: whiten each dimension to `std`, give each vector length 1 (unit), or leave it (none).
        std: standard deviation per dimension after whitening, above 0; other modes ignore it.
        seed: of the random special vectors.
    """

    mode: Literal["whiten", "unit", "none"]
    std: float
    seed: int


def names_in_file(words: Iterable[str]) -> set[str]:
    """Return what to look for in a word2vec file: labels left out, `EOS_` back to `EOS`."""
    return {_IN_FILE.get(word, word) for word in words if word not in SPECIAL_LABELS}


def from_file(
    words: Sequence[str], vectors_VW: npt.NDArray[np.float32]
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Return words as the text spells them, `EOS` as `EOS_`, without words named like a label."""
    names = [_IN_TEXT.get(word, word) for word in words]
    clashes = {name for name in _IN_TEXT.values() if names.count(name) > 1}
    rows = [
        row
        for row, (word, name) in enumerate(zip(words, names, strict=True))
        if name not in SPECIAL_LABELS and not (name in clashes and word == name)
    ]
    if len(rows) == len(words):
        return names, vectors_VW
    return [names[row] for row in rows], vectors_VW[rows]


def build_dictionary(
    words: Sequence[str],
    raw_VW: npt.NDArray[np.float32],
    counts: Mapping[str, int],
    scaling: Scaling,
) -> tuple[WordVectors, Whitening, dict[str, Any]]:
    """Return dictionary, whitening and a report.

    Args:
        words: entries as the text spells them, no special label needed; labels are left out.
        raw_VW: their finite vectors.
        counts: occurrences in the train split; a word that does not occur weighs nothing in the
            statistics.
        scaling: see there.

    Raises:
        ValueError: fewer than two words that occur have a vector that is not zero.
    """
    order = sorted(
        (row for row, word in enumerate(words) if word not in SPECIAL_LABELS),
        key=lambda row: (-counts.get(words[row], 0), words[row]),
    )
    nonzero = [row for row in order if raw_VW[row].any()]
    kept = [words[row] for row in nonzero]
    weights_V = np.array([counts.get(word, 0) for word in kept], dtype=np.int64)
    if np.count_nonzero(weights_V) < 2:
        raise ValueError(
            "vocabulary too small: wanted at least 2 words of the text with a word vector, "
            f"got {np.count_nonzero(weights_V)}; give more text or other word vectors"
        )
    raw_VW = raw_VW[nonzero]
    mean_W, std_W = weighted_statistics(raw_VW, weights_V)
    special_VW = draw_special_vectors(mean_W, std_W, scaling.seed)
    whitening = Whitening.identity(len(mean_W))
    if scaling.mode == "whiten":
        whitening = Whitening.to_std(mean_W, std_W, scaling.std)
    rows_VW = np.empty((len(kept) + len(SPECIAL_LABELS), len(mean_W)), dtype=np.float16)
    for start in range(0, len(kept), _BLOCK):
        block = slice(start, min(start + _BLOCK, len(kept)))
        rows_VW[block] = _scaled(raw_VW[block].astype(np.float64), whitening, scaling.mode)
    rows_VW[len(kept) :] = _scaled(special_VW, whitening, scaling.mode)
    dictionary = WordVectors([*kept, *SPECIAL_LABELS], rows_VW)
    report = {
        "vocab_size": dictionary.vocab_size,
        "zero_vectors_skipped": len(order) - len(kept),
        **like_vectors(dictionary),
    }
    return dictionary, whitening, report


def _scaled(
    raw_VW: npt.NDArray[np.float64], whitening: Whitening, mode: str
) -> npt.NDArray[np.float64]:
    if mode == "unit":
        return np.asarray(raw_VW / np.linalg.norm(raw_VW, axis=1, keepdims=True))
    return whitening.apply(raw_VW)


def separated(
    dictionary: WordVectors,
    separation: Separation,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[WordVectors, dict[str, Any]]:
    """Return the dictionary after separation, and what that changes in the report.

    Args:
        dictionary: not changed.
        separation: see there; not the mode none.
        progress: called with the rounds done since its last call.

    Raises:
        ValueError: there is no room for so many words so far apart.
    """
    vectors_VW, figures = separate(dictionary.words, dictionary.vectors_VW, separation, progress)
    dictionary = WordVectors(dictionary.words, vectors_VW)
    return dictionary, {**like_vectors(dictionary), "separation": figures}


def like_vectors(dictionary: WordVectors) -> dict[str, Any]:
    """Return how many words share their direction, hence every cosine, with an earlier word.

    Such words cannot be told apart by the highest cosine.
    """
    groups = parallel_groups(dictionary.vectors_VW)
    return {
        "words_like_an_earlier_one": sum(len(group) - 1 for group in groups),
        "examples_of_like_words": [dictionary.decode(group) for group in groups[:_EXAMPLES]],
    }
