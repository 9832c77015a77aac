"""Files that are there whole or not at all."""

import os
import threading
from pathlib import Path


def want_free(path: Path, force: bool) -> None:
    """Raise FileExistsError if there is something at `path` that may not be replaced."""
    if path.exists() and not (force and path.is_file()):
        advice = "" if force else "; --force replaces it"
        raise FileExistsError(f"--out: wanted a new file, got {path}, which is there{advice}")


def write_text(path: Path, text: str) -> None:
    """Write a file beside `path` and rename it; several threads may write the same one."""
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
