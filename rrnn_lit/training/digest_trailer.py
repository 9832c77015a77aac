"""A file whose last 71 bytes are the SHA-256 of all before them.

Readers that look for a zip archive from its end take the trailer for a comment of the archive, so
a checkpoint with a trailer still loads by plain `torch.load`, mapped into memory as well.
"""

import hashlib
from pathlib import Path
from typing import Any, BinaryIO

_HEAD = b"SHA256:"
_LENGTH = len(_HEAD) + 64
_BLOCK = 1 << 20


class DigestingFile:
    """Passes bytes on to a file and knows their digest; torch writes archives from start to end.

    Args:
        file: open for writing, without buffered bytes of its own.

    Attributes:
        error: what the file raised; torch makes another error of it.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.error: OSError | None = None
        self._file = file
        self._digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        """Append bytes."""
        try:
            self._file.write(data)
        except OSError as error:
            self.error = error
            raise
        self._digest.update(data)
        return len(data)

    def flush(self) -> None:
        """Hand all bytes to the system."""
        self._file.flush()

    def write_trailer(self) -> None:
        """Append the digest of all bytes so far."""
        self._file.write(_HEAD + self._digest.hexdigest().encode("ascii"))


def trailer_fits(path: Path) -> bool | None:
    """Return whether a file's bytes fit the digest at its end; None if no digest is there."""
    rest = path.stat().st_size - _LENGTH
    if rest < 0:
        return None
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        file.seek(rest)
        trailer = file.read(_LENGTH)
        if not trailer.startswith(_HEAD):
            return None
        file.seek(0)
        while rest > 0 and (block := file.read(min(_BLOCK, rest))):
            digest.update(block)
            rest -= len(block)
    return trailer[len(_HEAD) :] == digest.hexdigest().encode("ascii")
