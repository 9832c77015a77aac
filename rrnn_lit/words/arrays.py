"""Array files, mapped into memory; whatever numpy makes of a wrong one becomes one line."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.format import MAGIC_PREFIX


def map_array(path: Path, dtype: str, num_dims: int) -> npt.NDArray[Any]:
    """Return the array in a `.npy` file; what it takes of memory is what is read of it.

    Args:
        path: the file.
        dtype: wanted, byte order included.
        num_dims: wanted length of its shape.

    Raises:
        ValueError: names the file: it is missing, cut, no array file or of another kind.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(len(MAGIC_PREFIX))
        if start != MAGIC_PREFIX:  # numpy would open an archive, and leave it open
            raise ValueError(f"a file that begins with {start!r}")
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of a header that Python 2 wrote
            array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a wrong header ends in many kinds, as the parser of Python does
        said = str(error) or type(error).__name__
        raise ValueError(f"{path}: wanted a readable .npy file, got {said[:200]}") from error
    if array.dtype != np.dtype(dtype) or array.ndim != num_dims:
        raise ValueError(
            f"{path}: wanted {np.dtype(dtype)} values in {num_dims} dimensions, "
            f"got {str(array.dtype)[:100]} of shape {array.shape}"
        )
    return array
