"""Places for what a command writes."""

from pathlib import Path


def want_free(path: Path, force: bool) -> None:
    """Raise FileExistsError if there is something at `path` that may not be replaced."""
    if path.exists() and not (force and path.is_file()):
        advice = "" if force else "; --force replaces it"
        raise FileExistsError(f"--out: wanted a new file, got {path}, which is there{advice}")
