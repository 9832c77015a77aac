"""The manifest of a prepared folder: configuration, versions and a SHA-256 digest of each file.

A folder without a manifest is not finished; the manifest is written last and by rename.
"""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rrnn_lit.whole_files import written_durably

MANIFEST_FILE = "manifest.json"
FORMAT = "rrnn_lit prepared text"
FORMAT_VERSION = 1
_LONGEST_NAME = 255  # bytes of a file's name
_PACKAGES = ("rrnn_lit", "numpy", "gensim", "anyascii", "nltk", "py3langid", "stanza")


class DataError(ValueError):
    """A prepared folder is missing, incomplete, damaged or of another format."""


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def installed_versions() -> dict[str, str]:
    """Return the versions that can change what `rrnn prepare` writes."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that no reader sees half of it, even after a power cut."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    with written_durably(path) as file:
        file.write(f"{text}\n".encode())


def write_manifest(
    folder: Path, files: Iterable[str], config: dict[str, Any], counts: dict[str, Any]
) -> dict[str, Any]:
    """Digest `files` (names relative to `folder`), write the manifest and return it."""
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "config": config,
        "counts": counts,
        "versions": installed_versions(),
        "files": {
            name: {
                "bytes": (folder / name).stat().st_size,
                "sha256": file_digest(folder / name),
            }
            for name in sorted(files)
        },
    }
    write_json(folder / MANIFEST_FILE, manifest)
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a prepared folder.

    Raises:
        DataError: there is no such folder, no manifest in it, or one of another format.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        what = "a folder without it" if folder.is_dir() else "no such folder"
        what = "a file" if folder.is_file() else what
        raise DataError(
            f"{folder}: wanted a folder with {MANIFEST_FILE}, as `rrnn prepare` writes it, "
            f"got {what}"
        )
    manifest = read_described(path, FORMAT, FORMAT_VERSION)
    if not all(isinstance(manifest.get(name), dict) for name in ("config", "files")):
        raise DataError(f"{path}: wanted the entries config and files, got {sorted(manifest)}")
    for name, entry in manifest["files"].items():
        _check_entry(path, name, entry)
    return manifest


def _check_entry(path: Path, name: str, entry: Any) -> None:
    if (
        not name
        or not name.isprintable()
        or Path(name).name != name
        or len(name.encode()) > _LONGEST_NAME
    ):
        raise DataError(f"{path}: wanted names of files beside it, got {name[:100]!r}")
    good = isinstance(entry, dict) and type(entry.get("bytes")) is int
    if not good or not isinstance(entry.get("sha256"), str):
        raise DataError(f"{path}: wanted bytes and sha256 of {name}, got {str(entry)[:100]}")


def read_described(path: Path, wanted: str, version: int) -> dict[str, Any]:
    """Return the JSON object of a file that says its format and version.

    Raises:
        DataError: no JSON, or another format or version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: wanted JSON, got {error}") from error
    found = (
        (content.get("format"), content.get("format_version"))
        if isinstance(content, dict)
        else type(content).__name__
    )
    if found != (wanted, version):
        raise DataError(f"{path}: wanted {wanted!r} version {version}, got {str(found)[:100]}")
    return dict(content)


def verify_files(folder: Path, manifest: dict[str, Any]) -> None:
    """Check presence, size and digest of every file that the manifest lists.

    Raises:
        DataError: names the first file that is missing, of another size or of another content.
    """
    for name, wanted in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise DataError(f"{path}: wanted the file the manifest lists, got none")
        if path.stat().st_size != wanted["bytes"]:
            raise DataError(
                f"{path}: wanted {wanted['bytes']} bytes, got {path.stat().st_size}; "
                "the file was cut or changed, prepare the data again"
            )
        if file_digest(path) != wanted["sha256"]:
            raise DataError(
                f"{path}: its SHA-256 differs from the manifest's; "
                "the file was changed, prepare the data again"
            )
