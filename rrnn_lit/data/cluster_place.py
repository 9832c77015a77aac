"""What a worker on another machine must have in common with the process that gives it tasks.

It must see the work folder at the same path, or its results would be lost; and run the same code,
or it would write other bytes.
"""

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path

from rrnn_lit.data.manifest import installed_versions
from rrnn_lit.data.shards import write_durably

_TOKEN_FILE = "token"
_PACKAGE = Path(__file__).parents[1]
_ROOMS = ("data", "text", "words")  # whose code decides what is written


@dataclass(frozen=True)
class Place:
    """The folder and the versions that are asked for.

    Attributes:
        token_file: of the shared folder.
        token: its content.
        versions: see `code_versions`.
    """

    token_file: Path
    token: str
    versions: dict[str, str]

    def complaint(self) -> str | None:
        """Return what is wrong with the process that asks; None when nothing is."""
        versions = code_versions()
        for name in sorted(self.versions.keys() | versions.keys()):
            wanted, got = self.versions.get(name, "none"), versions.get(name, "none")
            if wanted != got:
                return f"wanted {name} {wanted} as here, got {got}"
        folder = self.token_file.parent
        try:
            found = self.token_file.read_text(encoding="utf-8")
        except OSError as error:
            return f"wanted to see {folder} at the same path, got {error}"
        return None if found == self.token else f"wanted the {folder} of here, got another folder"


def mark_place(folder: Path) -> Place:
    """Write a new token into an existing folder; return what other processes must find."""
    token = uuid.uuid4().hex
    path = folder.resolve() / _TOKEN_FILE
    write_durably(path, token.encode())
    return Place(path, token, code_versions())


def code_versions() -> dict[str, str]:
    """Return the versions of Python and of packages that count, and a digest of our own code."""
    digest = hashlib.sha256()
    for room in _ROOMS:
        for path in sorted((_PACKAGE / room).rglob("*.py")):
            digest.update(f"{path.relative_to(_PACKAGE)}\n".encode())
            digest.update(path.read_bytes())
    return {**installed_versions(), "code of rrnn_lit": digest.hexdigest()[:16]}
