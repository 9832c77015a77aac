"""CompressorMetrics: the counts through the compressor, and beside them those without it.

Shapes: B sentences, S sentence_vector_size.
"""

from torch import Tensor, nn
from torchmetrics import SumMetric

from rrnn_lit.training import metric_keys as keys
from rrnn_lit.training.split_metrics import VALIDATION_SPLITS, SplitMetrics
from rrnn_lit.words.counting import Decoded

# figure without the compressor -> the figure it is of
PLAIN_FIGURES = {
    f"plain_{name}": name
    for name in (
        "matched_words",
        "exact_sentences",
        "matched_word_rate",
        "exact_sentence_rate",
    )
}
SQUARED_ERROR = "squared_error"


class CompressorMetrics(nn.Module):
    """Counts of the evaluation splits; moves between devices like any module.

    The autoencoder is frozen, so the plain counts of a split are taken once.

    Args:
        max_words: longest sentence, EOS included.
        loose_V: classes of loosely equal words, see `words/counting.py`.
        eos_id: word_id of EOS.
        unk_id: word_id of UNK.
    """

    def __init__(self, max_words: int, loose_V: Tensor, eos_id: int, unk_id: int) -> None:
        super().__init__()
        self._compressed = SplitMetrics(max_words, loose_V, eos_id, unk_id)
        self._plain = SplitMetrics(max_words, loose_V, eos_id, unk_id)
        self._errors = nn.ModuleDict(
            {split: SumMetric() for split in (*VALIDATION_SPLITS, "holdout")}
        )
        self._plain_figures: dict[str, dict[str, float]] = {}

    @property
    def by_length(self) -> dict[str, dict[str, list[int]]]:
        """Counts by sentence length, of each split."""
        return self._compressed.by_length

    def wants_plain(self, split: str) -> bool:
        """Return whether the plain counts of a split are still to be taken."""
        return split not in self._plain_figures

    def forget_plain(self) -> None:
        """Take the plain counts anew, for example after a few batches that were not a split."""
        self._plain_figures = {}

    def update(self, split: str, decoded: Decoded, squared_error_B: Tensor) -> None:
        """Count a batch that went through the compressor.

        Args:
            split: its name.
            decoded: what came back.
            squared_error_B: squared distance of each vector from what came back.
        """
        self._compressed.update(split, decoded)
        metric = self._errors[split]
        assert isinstance(metric, SumMetric)
        metric.update(squared_error_B.double().sum())

    def update_plain(self, split: str, decoded: Decoded) -> None:
        """Count a batch that the compressor has not touched."""
        self._plain.update(split, decoded)

    def take(self, splits: tuple[str, ...]) -> dict[str, float]:
        """Return the figures of splits by their keys and start anew."""
        figures = self._compressed.take(splits)
        for split in splits:
            if self.wants_plain(split):
                taken = self._plain.take((split,))
                self._plain_figures[split] = {
                    plain: taken[keys.split_key(split, name)]
                    for plain, name in PLAIN_FIGURES.items()
                }
            metric = self._errors[split]
            assert isinstance(metric, SumMetric)
            num_sentences = figures[keys.split_key(split, "num_sentences")]
            own = {
                SQUARED_ERROR: float(metric.compute()) / max(1.0, num_sentences),
                **self._plain_figures[split],
            }
            metric.reset()
            figures.update({keys.split_key(split, name): value for name, value in own.items()})
        return figures
