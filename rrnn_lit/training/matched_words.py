"""MatchedWords: the counts of a split, summed over batches and processes."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from rrnn_lit.training.metric_keys import COUNTS, RATES
from rrnn_lit.words.counting import Decoded, count_by_length, count_decoded


class MatchedWords(Metric):
    """Counts and rates of the paper and strict ones (D-32), also by sentence length.

    States are integer sums, so the result does not depend on batches, processes or order.

    Args:
        max_words: longest sentence, EOS included.
        loose_classes_V: see `words.counting.loose_classes`.
        eos_id: word_id of the end-of-sentence mark.
        unk_id: word_id of the unknown word.
    """

    higher_is_better = True
    full_state_update = False
    counts: Tensor
    by_length: Tensor
    loose_classes_V: Tensor

    def __init__(self, max_words: int, loose_classes_V: Tensor, eos_id: int, unk_id: int) -> None:
        super().__init__()
        self.max_words = max_words
        self.eos_id = eos_id
        self.unk_id = unk_id
        self.register_buffer("loose_classes_V", loose_classes_V, persistent=False)
        zero = torch.zeros(len(COUNTS), dtype=torch.int64)
        self.add_state("counts", zero, dist_reduce_fx="sum")
        by_length = torch.zeros(4, max_words + 1, dtype=torch.int64)
        self.add_state("by_length", by_length, dist_reduce_fx="sum")

    def update(self, decoded: Decoded) -> None:
        """Add a batch."""
        counts = count_decoded(decoded, self.loose_classes_V, self.eos_id, self.unk_id)
        self.counts += torch.stack([counts[name] for name in COUNTS])
        self.by_length += count_by_length(decoded, self.max_words)

    def compute(self) -> dict[str, Tensor]:
        """Return every count (int64) and rate (float64) by name; rates of nothing are 0."""
        figures: dict[str, Tensor] = dict(zip(COUNTS, self.counts, strict=True))
        for name, (part, whole) in RATES.items():
            figures[name] = figures[part].double() / figures[whole].clamp(min=1)
        return figures

    def compute_by_length(self) -> dict[str, list[int]]:
        """Return the non-empty sentence lengths and their counts (Figure 3)."""
        with self.sync_context(dist_sync_fn=self.dist_sync_fn):
            sentences, exact, words, matched = self.by_length.tolist()
        lengths = [length for length, number in enumerate(sentences) if number]
        columns: dict[str, Any] = {
            "num_sentences": sentences,
            "exact_sentences": exact,
            "num_words": words,
            "matched_words": matched,
        }
        picked = {name: [column[i] for i in lengths] for name, column in columns.items()}
        return {"length": lengths, **picked}
