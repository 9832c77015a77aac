"""Counts of matched words and exact sentences, the paper's way and strictly (D-32, D-33).

Pure functions from decoded words to integer counts; sums over batches and ranks are additions.

Shapes: B sentences, T words of the longest, L longest length counted + 1, V vocab_size.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

_NOT_LETTERS = re.compile("[^a-z]")


@dataclass(frozen=True)
class Decoded:
    """A batch of decoded sentences beside their targets.

    Attributes:
        target_BT: word_ids of the targets, anything beyond a sentence's length.
        decoded_BT: word_ids of the nearest words, -1 where there is none.
        matched_BT: bool, the match of `words/nearest.py`; it may hold where the ids differ
            (duplicates).
        lengths_B: number of words of the targets, EOS included.
    """

    target_BT: Tensor
    decoded_BT: Tensor
    matched_BT: Tensor
    lengths_B: Tensor

    def valid(self) -> Tensor:
        """True inside each sentence."""
        steps_T = torch.arange(self.target_BT.shape[1], device=self.lengths_B.device)
        return steps_T < self.lengths_B[:, None]


def loose_classes(words: Iterable[str]) -> Tensor:
    """Return one class per word, equal for words that agree after dropping all but a-z.

    Lower case first; -1 for words without a letter, which agree with nothing (author's
    implementation). Shape (V,), int64.
    """
    classes: dict[str, int] = {"": -1}
    letters = (_NOT_LETTERS.sub("", word.lower()) for word in words)
    return torch.tensor([classes.setdefault(text, len(classes)) for text in letters])


def loosely_matched(decoded: Decoded, loose_V: Tensor) -> Tensor:
    """Return bool (B, T): matched, or equal in the sense of `loose_classes`."""
    # beyond the sentences the ids may be no word's at all
    valid_BT = decoded.valid()
    target_BT = torch.where(valid_BT, decoded.target_BT, 0)
    decoded_BT = torch.where(valid_BT, decoded.decoded_BT, 0)
    same_BT = loose_V[decoded_BT.clamp(min=0)] == loose_V[target_BT]
    has_letters_BT = (decoded_BT >= 0) & (loose_V[target_BT] >= 0)
    return decoded.matched_BT | (same_BT & has_letters_BT)


def count_decoded(
    decoded: Decoded, loose_V: Tensor, eos_id: int, unk_id: int
) -> dict[str, Tensor]:
    """Return the counts of a batch, int64 scalars.

    `matched_words`, `loosely_matched_words`, `num_words`: positions inside the sentences, EOS and
    UNK included. `exact_sentences`, `num_sentences`: every position matched.
    `strict_matched_words`, `strict_num_words`: EOS and UNK targets left out; positions behind the
    first decoded EOS are mismatches. `strict_exact_sentences`: the words up to the first decoded
    EOS are the target's and the target holds no UNK.
    """
    valid_BT = decoded.valid()
    matched_BT = decoded.matched_BT & valid_BT
    is_eos_BT = decoded.decoded_BT == eos_id
    ended_before_BT = is_eos_BT.long().cumsum(dim=1) - is_eos_BT.long() > 0
    counted_BT = valid_BT & (decoded.target_BT != eos_id) & (decoded.target_BT != unk_id)
    exact_B = (matched_BT | ~valid_BT).all(dim=1)
    has_unk_B = (valid_BT & (decoded.target_BT == unk_id)).any(dim=1)
    # a matched sentence in which no EOS is decoded early decodes its EOS at the right place
    strict_exact_B = exact_B & ~has_unk_B & ~(ended_before_BT & valid_BT).any(dim=1)
    return {
        "matched_words": matched_BT.sum(),
        "loosely_matched_words": (loosely_matched(decoded, loose_V) & valid_BT).sum(),
        "num_words": valid_BT.sum(),
        "exact_sentences": exact_B.sum(),
        "num_sentences": torch.tensor(len(exact_B), device=exact_B.device),
        "strict_matched_words": (matched_BT & counted_BT & ~ended_before_BT).sum(),
        "strict_num_words": counted_BT.sum(),
        "strict_exact_sentences": strict_exact_B.sum(),
    }


def count_by_length(decoded: Decoded, max_words: int) -> Tensor:
    """Return counts per sentence length, int64 (4, max_words + 1).

    Rows: sentences, exact sentences, words, matched words; column = length with EOS (Figure 3).
    """
    valid_BT = decoded.valid()
    matched_B = (decoded.matched_BT & valid_BT).sum(dim=1)
    per_sentence_4B = torch.stack(
        [
            torch.ones_like(decoded.lengths_B),
            (matched_B == decoded.lengths_B).long(),
            decoded.lengths_B,
            matched_B,
        ]
    )
    counts_4L = torch.zeros(4, max_words + 1, dtype=torch.int64, device=matched_B.device)
    return counts_4L.index_add_(1, decoded.lengths_B, per_sentence_4B)
