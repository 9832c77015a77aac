"""What the timed steps of `rrnn bench step` read: a prepared folder, and how much of it."""

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rrnn_lit.bench.news_like import write_news_like
from rrnn_lit.bench.options import open_training_text
from rrnn_lit.bench.step_peers import Block
from rrnn_lit.data.datamodule import SentenceDataModule


@dataclass(frozen=True)
class TextSizes:
    """Sizes of made-up text; see `write_news_like`."""

    num_sentences: int
    vocab_size: int
    word_dim: int
    seed: int


@contextmanager
def text_folder(folder: str | None, sizes: TextSizes) -> Iterator[Path]:
    """Give the named prepared folder, or one with made-up text that is removed again.

    Raises:
        ValueError: the named folder is not prepared or damaged.
    """
    if folder is not None:
        open_training_text(folder)  # training would not name the option
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        write_news_like(path, sizes.num_sentences, sizes.vocab_size, sizes.word_dim, sizes.seed)
        yield path


@dataclass(frozen=True)
class Reading:
    """What the timed blocks read.

    Attributes:
        block_words: words inside the sentences of each block.
        num_steps: steps of all blocks.
        num_columns: words of the longest sentence of each batch, summed.
    """

    block_words: list[int]
    num_steps: int
    num_columns: int

    @property
    def words_per_step(self) -> float:
        """Mean number of words inside the sentences of a batch."""
        return sum(self.block_words) / self.num_steps

    def seconds_per_step(self, blocks: Sequence[Block]) -> float:
        """Return the median seconds a word times the words of a mean step."""
        pairs = zip(blocks, self.block_words, strict=True)
        return statistics.median(b.seconds / words for b, words in pairs) * self.words_per_step


def read_blocks(data: SentenceDataModule, first: int, steps: int, repeats: int) -> Reading:
    """Count what `repeats` blocks of `steps` batches from batch `first` on hold.

    Raises:
        ValueError: there is not enough text.
    """
    store, sentences = data.split("train")
    last = first + repeats * steps
    if last >= data.order.batches_per_pass:
        raise ValueError(
            f"--folder: wanted more than {last} batches of {data.order.batch_size} training "
            f"sentences, got {data.order.batches_per_pass} in {data.hparams['folder']}; lower "
            "--steps, --repeats, --length_buckets or --batch_size"
        )
    lengths = [store.lengths[sentences[data.order.batch(k)[0]]] for k in range(first, last)]
    words = np.array([lengths_B.sum() for lengths_B in lengths])
    return Reading(
        block_words=words.reshape(repeats, steps).sum(axis=1).tolist(),
        num_steps=len(lengths),
        num_columns=sum(int(lengths_B.max()) for lengths_B in lengths),
    )
