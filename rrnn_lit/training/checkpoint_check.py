"""Whether a checkpoint is whole, and the newest of a run that is. Nothing is unpacked here.

A checkpoint of an earlier version has no digest. It counts as whole if nothing follows its archive
and the archive's own checksums (CRC-32) fit: its bytes are right then, whoever wrote them.
"""

import os
import sys
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

from rrnn_lit.complaints import UnsafeError
from rrnn_lit.training.digest_trailer import trailer_fits
from rrnn_lit.training.run_folder import LAST_CHECKPOINT, PREVIOUS_CHECKPOINT

_END_OF_ARCHIVE, _END_LENGTH = b"PK\5\6", 22  # of a zip archive without a comment


class CheckpointError(ValueError):
    """A checkpoint is missing, damaged or none; the text names the file."""


def check_whole(path: Path) -> bool:
    """Return whether a whole checkpoint has a digest; False for one of an earlier version.

    Raises:
        CheckpointError: the file is missing, torn or damaged.
        UnsafeError: it would become larger than it is.
        OSError: it cannot be read.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: wanted a checkpoint file, got none")
    fits = trailer_fits(path)
    if fits is False:
        raise CheckpointError(f"{path}: wanted a whole checkpoint, got bytes of another digest")
    try:
        problem = _problem(path, has_digest=fits is not None)
    except (OSError, MemoryError, UnsafeError):
        raise
    except Exception as error:  # zipfile raises many kinds
        kind = "a torn or foreign file" if path.stat().st_size else "an empty file"
        raise CheckpointError(f"{path}: wanted a whole checkpoint, got {kind}") from error
    if problem is not None:
        raise CheckpointError(f"{path}: wanted a whole checkpoint, got {problem}")
    return fits is not None


def _problem(path: Path, has_digest: bool) -> str | None:
    """Return what is wrong with an archive, or None."""
    size = path.stat().st_size
    with ZipFile(path) as archive:
        records = archive.infolist()
        is_packed = any(record.compress_type != ZIP_STORED for record in records)
        if is_packed or sum(record.file_size for record in records) > size:
            raise UnsafeError(f"{path}: wanted a checkpoint as it is, got one to be unpacked")
        if has_digest:
            return None
        with open(path, "rb") as file:
            file.seek(-_END_LENGTH, os.SEEK_END)
            if not file.read().startswith(_END_OF_ARCHIVE):
                return "one whose digest is torn or damaged"
        damaged = archive.testzip()
    return None if damaged is None else f"wrong bytes in its part {damaged}"


def newest_checkpoint(folder: Path) -> Path:
    """Return the newest checkpoint of a run that is whole; stderr names those passed over.

    `best.ckpt` is no candidate: it is of another step than the end of the records.

    Raises:
        CheckpointError: none is whole; names all and what is wrong.
        OSError: one cannot be read.
    """
    problems = []
    for name in (LAST_CHECKPOINT, PREVIOUS_CHECKPOINT):
        path = folder / name
        if not path.exists():
            continue
        try:
            check_whole(path)
        except CheckpointError as error:
            problems.append(str(error))
            continue
        for problem in problems:
            say_warning(f"{problem}; taking {path}")
        return path
    found = "; ".join(problems) or "no checkpoint yet"
    raise CheckpointError(f"{folder}: wanted a run with a whole checkpoint, got {found}")


def say_warning(text: str) -> None:
    """Print a warning of one line on stderr."""
    print(f"rrnn: warning: {text}", file=sys.stderr, flush=True)
