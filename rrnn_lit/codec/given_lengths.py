"""GivenLengths: how many words each vector is decoded to, as `--num-words` tells it."""

from collections.abc import Iterator
from itertools import islice, repeat
from pathlib import Path

from rrnn_lit.codec.output_files import STANDARD
from rrnn_lit.codec.text_lines import check_file, name_of, read_lines

_OPTION = "--num-words"


class GivenLengths:
    """The numbers of words of vectors, in order.

    Args:
        given: one number for all vectors, or a file with a number a line.
    """

    def __init__(self, given: str) -> None:
        self._is_file = not given.isdecimal()
        self._numbers = _numbers(given) if self._is_file else repeat(_number(given, _OPTION))
        self._taken = 0

    def take(self, number: int) -> list[int]:
        """Return the lengths of the next vectors.

        Raises:
            ValueError: the file has fewer lines, or one that is no whole number of at least 1.
        """
        lengths = list(islice(self._numbers, number))
        self._taken += len(lengths)
        if len(lengths) < number:
            raise ValueError(
                f"{_OPTION}: wanted a number for each vector, got {self._taken} for more vectors"
            )
        return lengths

    def check_end(self) -> None:
        """Raise ValueError if the file has more lines than vectors were decoded."""
        if self._is_file and next(self._numbers, None) is not None:
            raise ValueError(
                f"{_OPTION}: wanted {self._taken} numbers, one for each vector, got more"
            )


def _numbers(path: str) -> Iterator[int]:
    if path != STANDARD:
        check_file(Path(path), f"a number or a text file for {_OPTION}")
    for number, line in enumerate(read_lines(path), 1):
        yield _number(line.strip(), f"{_OPTION}: {name_of(path)}, line {number}")


def _number(text: str, place: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{place}: wanted a whole number of at least 1, got {text!r}")
    return int(text)
