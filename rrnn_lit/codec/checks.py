"""What callers hand to a codec, checked before anything is computed.

Shapes: B sentences, D length of a vector or of its code.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from rrnn_lit.codec.rows import RowError

Vectors = npt.NDArray[np.float32]


def check_vectors(vectors: Any, size: int, name: str = "vectors") -> Vectors:
    """Return vectors of any floating format as float32 (B, D).

    Args:
        vectors: an array or tensor.
        size: wanted D.
        name: of the argument, for messages.

    Raises:
        ValueError: another kind, number of dimensions or width.
        RowError: a vector holds NaN or an infinity, or a number beyond float32.
    """
    array = _as_array(vectors)
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"{name}: wanted numbers of a floating format, got {array.dtype}")
    _check_shape(array.shape, size, name)
    with np.errstate(over="ignore"):
        values = np.asarray(array, dtype=np.float32)
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        wrong = array[row][~np.isfinite(values[row])][0]
        raise RowError(name, row, f"wanted finite numbers, got {wrong}")
    # torch warns of arrays that it must not write to, those of a mapped file for example
    return values if values.flags.writeable else values.copy()


def in_format(vectors: Vectors, dtype: npt.DTypeLike, name: str) -> npt.NDArray[Any]:
    """Return computed vectors (B, D) in the format they are stored in.

    Raises:
        RowError: a number is not finite, or too large for the format.
    """
    with np.errstate(over="ignore"):
        stored = vectors.astype(dtype, copy=False)
    finite = np.isfinite(stored).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        wrong = vectors[row][~np.isfinite(stored[row])][0]
        raise RowError(name, row, f"wanted numbers that {stored.dtype} holds, got {wrong:g}")
    return stored


def check_codes(codes: Any, size: int) -> npt.NDArray[np.uint8]:
    """Return the codes of compressed vectors, uint8 (B, D).

    Raises:
        ValueError: another kind, number of dimensions or width.
    """
    array = _as_array(codes)
    if array.dtype != np.uint8:
        raise ValueError(f"codes: wanted uint8, as this compressor makes them, got {array.dtype}")
    _check_shape(array.shape, size, "codes")
    return array if array.flags.writeable else array.copy()


def check_sentences(sentences: Any, name: str = "sentences") -> Sequence[str]:
    """Return a list of texts.

    Raises:
        ValueError: something else than a list.
        RowError: an element is no text.
    """
    if isinstance(sentences, str | bytes) or not isinstance(sentences, Sequence | np.ndarray):
        raise ValueError(f"{name}: wanted a list of sentences, got one {_kind(sentences)}")
    for row, sentence in enumerate(sentences):
        if not isinstance(sentence, str):
            raise RowError(name, row, f"wanted text, got {_kind(sentence)}")
    return list(sentences)


def check_word_lists(sentences: Any) -> Sequence[Sequence[str]]:
    """Return a list of lists of words.

    Raises:
        ValueError: something else than a list.
        RowError: an element is no list of words.
    """
    if isinstance(sentences, str | bytes) or not isinstance(sentences, Sequence):
        raise ValueError(f"sentences: wanted a list of lists of words, got {_kind(sentences)}")
    for row, words in enumerate(sentences):
        is_list = isinstance(words, Sequence) and not isinstance(words, str | bytes)
        if not is_list or not all(isinstance(word, str) for word in words):
            raise RowError("sentences", row, f"wanted a list of words, got {_kind(words)}")
    return sentences


def check_num_words(num_words: Any, num_rows: int) -> npt.NDArray[np.int64]:
    """Return one number of words a vector, int64 (B,).

    Raises:
        ValueError: not one whole number a vector.
        RowError: a number below 1.
    """
    array = np.asarray(num_words)
    whole = np.issubdtype(array.dtype, np.integer) or not array.size
    if array.shape != (num_rows,) or not whole:
        raise ValueError(
            f"num_words: wanted {num_rows} whole numbers, one a vector, got an array of shape "
            f"{array.shape} and {array.dtype}"
        )
    array = array.astype(np.int64)
    if (array < 1).any():
        row = int(np.argmax(array < 1))
        raise RowError(
            "num_words", row, f"wanted 1 or more, the end mark included, got {array[row]}"
        )
    return array


def at_least_one(name: str, number: Any) -> int:
    """Return a whole number of at least 1.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"{name}: wanted a whole number of at least 1, got {number!r}")
    return int(number)


def _as_array(values: Any) -> npt.NDArray[Any]:
    if isinstance(values, torch.Tensor):
        # numpy has no bfloat16
        values = values.float() if values.dtype == torch.bfloat16 else values
        return np.asarray(values.detach().cpu().numpy())
    return np.asarray(values)


def _check_shape(shape: tuple[int, ...], size: int, name: str) -> None:
    if len(shape) != 2:
        raise ValueError(f"{name}: wanted an array of shape (number, {size}), got {shape}")
    if shape[1] != size:
        raise ValueError(f"{name}: wanted {size} numbers in each, got {shape[1]}")


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__
