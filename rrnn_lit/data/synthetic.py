"""A seeded, tiny prepared folder: random word vectors and sentences of random words.

The folder is a real one (four splits, whitening, manifest with digests), so everything that reads
prepared text can be tested on it. The sentences have Zipf word frequencies and no grammar: they
can only be learnt by heart.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rrnn_lit.data.manifest import write_json, write_manifest
from rrnn_lit.data.token_store import SPLITS, store_files, write_store
from rrnn_lit.words.special import SPECIAL_LABELS, draw_special_vectors
from rrnn_lit.words.vectors import VECTORS_FILE, WORDS_FILE, WordVectors

_EVALUATION_SHARE = 0.1  # of tune, of test and of holdout
_SHORTEST = 3  # words of a sentence, EOS included


def write_synthetic(
    folder: Path,
    num_words: int = 50,
    num_sentences: int = 200,
    max_words: int = 12,
    word_dim: int = 16,
    seed: int = 0,
) -> dict[str, Any]:
    """Write a prepared folder of random sentences; the same arguments give the same bytes.

    Args:
        folder: created if missing; its files are replaced.
        num_words: dictionary entries besides the 21 special labels.
        num_sentences: distinct sentences over all splits; 70 % of them go to train, 10 % to each
            of the other three.
        max_words: longest sentence, EOS included; lengths are uniform from 3.
        word_dim: length of a word vector.
        seed: any non-negative integer.

    Returns:
        The manifest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    raw_VW = generator.standard_normal((num_words, word_dim))
    # another seed: the same one would repeat the first words' vectors
    special_VW = draw_special_vectors(np.zeros(word_dim), np.ones(word_dim), seed + 1)
    words = [f"word{i}" for i in range(num_words)]
    dictionary = WordVectors(
        [*words, *SPECIAL_LABELS], np.concatenate([raw_VW, special_VW]).astype(np.float16)
    )
    dictionary.save(folder)
    np.save(folder / "whitening.npy", np.stack([np.zeros(word_dim), np.ones(word_dim)]))
    sentences = list(_sentences(generator, dictionary, num_words, num_sentences, max_words))
    sizes = _write_splits(folder, sentences)
    write_json(folder / "stats.json", {"splits": sizes})
    files = [WORDS_FILE, VECTORS_FILE, "whitening.npy", "stats.json"]
    files += [name for split in SPLITS for name in store_files(split)]
    config = {
        "source": {"kind": "synthetic"},
        "text": {"max_words": max_words},
        "words": {"word_dim": word_dim, "scaling": "none", "seed": seed},
    }
    counts = {"sentences": sizes, "vocab_size": dictionary.vocab_size}
    return write_manifest(folder, files, config, counts)


def _sentences(
    generator: np.random.Generator,
    dictionary: WordVectors,
    num_words: int,
    num_sentences: int,
    max_words: int,
) -> Iterator[list[int]]:
    """Yield distinct sentences of word_ids, EOS last; word i is drawn in proportion to 1/(i+1)."""
    if max_words < _SHORTEST:
        raise ValueError(f"max_words: wanted at least {_SHORTEST}, got {max_words}")
    weights = 1.0 / np.arange(1, num_words + 1)
    weights /= weights.sum()
    seen: set[tuple[int, ...]] = set()
    for _ in range(100 * num_sentences):
        length = int(generator.integers(_SHORTEST, max_words + 1)) - 1
        sentence = tuple(generator.choice(num_words, size=length, p=weights).tolist())
        if sentence not in seen:
            seen.add(sentence)
            yield [*sentence, dictionary.eos_id]
        if len(seen) == num_sentences:
            return
    raise ValueError(
        f"num_sentences: wanted {num_sentences} distinct sentences, but {num_words} words and "
        f"max_words {max_words} gave only {len(seen)}"
    )


def _write_splits(folder: Path, sentences: list[list[int]]) -> dict[str, int]:
    size = max(1, int(_EVALUATION_SHARE * len(sentences)))
    bounds = {"tune": (0, size), "test": (size, 2 * size), "holdout": (2 * size, 3 * size)}
    bounds["train"] = (3 * size, len(sentences))
    return {
        split: write_store(folder, split, sentences[slice(*bounds[split])]) for split in SPLITS
    }
