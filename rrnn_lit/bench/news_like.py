"""A prepared folder with the sizes of news text: what a training step costs depends on no more.

Lengths are log-normal with a mean of 24 words, none above 60; words follow Zipf's law, the
frequent ones first; the dictionary has clusters as word vectors do (`bench/match_data.py`). The
sentences mean nothing, so nothing about accuracy can be measured on them.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rrnn_lit.bench.lengths import MAX_WORDS, draw_lengths
from rrnn_lit.bench.match_data import make_dictionary
from rrnn_lit.bench.zipf import draw_word_ids
from rrnn_lit.data.manifest import write_json, write_manifest
from rrnn_lit.data.token_store import SPLITS, store_files, write_blocks
from rrnn_lit.words.special import SPECIAL_LABELS
from rrnn_lit.words.vectors import VECTORS_FILE, WORDS_FILE, WordVectors

_BLOCK = 100_000  # sentences held in memory
_EVALUATION_SENTENCES = 100


def write_news_like(
    folder: Path, num_sentences: int, vocab_size: int, word_dim: int, seed: int
) -> None:
    """Write a prepared folder; the same arguments give the same bytes.

    Args:
        folder: created if missing.
        num_sentences: sentences of the train split; each other split has 100.
        vocab_size: dictionary entries with the special labels, at least 1,000.
        word_dim: length of a word vector.
        seed: any non-negative integer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words = [f"word{i}" for i in range(vocab_size - len(SPECIAL_LABELS))]
    vectors_VW = make_dictionary(vocab_size, word_dim, seed).numpy()
    dictionary = WordVectors([*words, *SPECIAL_LABELS], vectors_VW)
    dictionary.save(folder)
    generator = np.random.default_rng(seed)
    sizes = {}
    for split in SPLITS:
        count = num_sentences if split == "train" else _EVALUATION_SENTENCES
        blocks = _blocks(generator, count, len(words), dictionary.eos_id)
        sizes[split] = write_blocks(folder, split, blocks)
    write_json(folder / "stats.json", {"splits": sizes})
    files = [WORDS_FILE, VECTORS_FILE, "stats.json"]
    files += [name for split in SPLITS for name in store_files(split)]
    config = {
        "source": {"kind": "news_like"},
        "text": {"max_words": MAX_WORDS},
        "words": {"word_dim": word_dim, "scaling": "none", "seed": seed},
    }
    write_manifest(folder, files, config, {"sentences": sizes, "vocab_size": vocab_size})


def _blocks(
    generator: np.random.Generator, num_sentences: int, num_words: int, eos_id: int
) -> Iterator[tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]]:
    """Yield (flat word_ids, lengths) of some sentences at a time."""
    for start in range(0, num_sentences, _BLOCK):
        count = min(_BLOCK, num_sentences - start)
        lengths = draw_lengths(count, generator)
        word_ids = draw_word_ids(num_words, int(lengths.sum()), generator)
        word_ids[np.cumsum(lengths) - 1] = eos_id
        yield word_ids, lengths
