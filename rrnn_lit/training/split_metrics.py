"""SplitMetrics: the counts of the evaluation splits and what they say once all are in."""

from torch import Tensor, nn

from rrnn_lit.training import metric_keys as keys
from rrnn_lit.training.matched_words import MatchedWords
from rrnn_lit.words.counting import Decoded

VALIDATION_SPLITS = ("tune", "test")


class SplitMetrics(nn.Module):
    """One `MatchedWords` a split; moves between devices like any module.

    Args:
        max_words: longest sentence, EOS included.
        loose_V: classes of loosely equal words, see `words/counting.py`.
        eos_id: word_id of EOS.
        unk_id: word_id of UNK.
    """

    def __init__(self, max_words: int, loose_V: Tensor, eos_id: int, unk_id: int) -> None:
        super().__init__()
        for split in (*VALIDATION_SPLITS, "holdout"):
            self.add_module(split, MatchedWords(max_words, loose_V, eos_id, unk_id))
        self.by_length: dict[str, dict[str, list[int]]] = {}

    def update(self, split: str, decoded: Decoded) -> None:
        """Count a batch."""
        self._metric(split).update(decoded)

    def take(self, splits: tuple[str, ...]) -> dict[str, float]:
        """Return the figures of splits by their keys, note their counts by length, start anew.

        As float32 they are exact up to 16,777,216; the author's largest evaluation has 8 million.
        """
        figures: dict[str, float] = {}
        for split in splits:
            metric = self._metric(split)
            for name, value in metric.compute().items():
                figures[keys.split_key(split, name)] = float(value)
            self.by_length[split] = metric.compute_by_length()
            metric.reset()
        return figures

    def _metric(self, split: str) -> MatchedWords:
        metric = self.get_submodule(split)
        assert isinstance(metric, MatchedWords)
        return metric
