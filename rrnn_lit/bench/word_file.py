"""A word2vec file of random vectors for the words of a text, where no real one is at hand."""

from pathlib import Path

import numpy as np

from rrnn_lit.data.sources.files import read_lines

_MARKS = ".,;:!?\"'()[]"
_MOST_LINES = 1_000_000  # more of recombined text bring no further word


def write_word_file(path: Path, text: Path, word_dim: int, seed: int) -> int:
    """Write a vector for each word of the first lines of a text; return their number.

    Args:
        path: `.bin`, written.
        text: a sentence a line.
        word_dim: length of a vector.
        seed: any non-negative integer.
    """
    words: dict[str, None] = {}
    for _, line in zip(range(_MOST_LINES), read_lines(text), strict=False):
        words.update(dict.fromkeys(word.strip(_MARKS) for word in line.split()))
    words.pop("", None)
    generator = np.random.default_rng(seed)
    with open(path, "wb") as file:
        file.write(f"{len(words)} {word_dim}\n".encode())
        for word in words:
            row = generator.standard_normal(word_dim, dtype=np.float32)
            file.write(word.encode() + b" " + row.astype("<f4").tobytes() + b"\n")
    return len(words)
