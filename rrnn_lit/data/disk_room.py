"""Room on the disk: what a run will need."""

import shutil
from pathlib import Path

# bytes a run has on disk at its fullest for each byte of text: tokens, word_ids twice, digests,
# offsets; measured on news (150 bytes a sentence)
PEAK_PER_BYTE = 2.9
_UNPACKED = 3.5  # bytes of text in a byte of .gz, .xz or .bz2: news has 2.7, 4.0 and 4.1


class TooLittleRoomError(OSError):
    """The disk cannot hold what the run will write."""


def check_room(folder: Path, stored_bytes: int, packed_bytes: int) -> str | None:
    """Return a warning when the disk may fill up; None when there seems to be room.

    Args:
        folder: existing folder that will be written.
        stored_bytes: of all text files that will be read to their end.
        packed_bytes: the part of them in packed files.

    Raises:
        TooLittleRoomError: not even a copy of the text will find room.
    """
    free = shutil.disk_usage(folder).free
    text = stored_bytes - packed_bytes + _UNPACKED * packed_bytes
    needed = int(text * PEAK_PER_BYTE)
    figures = (
        f"out: wanted room for about {_gigabytes(needed)} at the fullest, got "
        f"{_gigabytes(free)} free in {folder}"
    )
    if stored_bytes > free:  # the raw text is copied whole, and nothing is gone before
        raise TooLittleRoomError(
            f"{figures}; the text alone takes {_gigabytes(stored_bytes)} or more"
        )
    if needed > free:
        return f"{figures}; if the disk fills up, make room and start the same command again"
    return None


def _gigabytes(number: int) -> str:
    return f"{number / 1e9:,.1f} GB" if number >= 1e8 else f"{number / 1e6:,.1f} MB"
