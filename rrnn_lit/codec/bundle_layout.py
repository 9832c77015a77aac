"""What files a bundle has, and that each of them is the one that was written.

`manifest.json` holds size and SHA-256 of every other file, `manifest.sha256` that of the manifest,
in the form that `sha256sum --check` reads. Nothing of a file is looked at before its digest is.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

FORMAT = "rrnn_lit bundle"
FORMAT_VERSION = 1
MANIFEST_FILE = "manifest.json"
SEAL_FILE = "manifest.sha256"
CONFIG_FILE = "config.json"
METRICS_FILE = "metrics.json"
CARD_FILE = "README.md"
AUTOENCODER_FILE = "autoencoder.safetensors"
COMPRESSOR_FILE = "compressor.safetensors"
WORDS_FILE = "words.txt"
VECTORS_FILE = "word_vectors.npy"
WHITENING_FILE = "whitening.npy"
KNOWN_WORDS_FILE = "known_words.txt"
WHOLE_PHRASES_FILE = "whole_phrases.txt"

REQUIRED = frozenset(
    (
        *(CONFIG_FILE, METRICS_FILE, CARD_FILE, AUTOENCODER_FILE),
        *(WORDS_FILE, VECTORS_FILE, WHITENING_FILE),
    )
)
OPTIONAL = frozenset((COMPRESSOR_FILE, KNOWN_WORDS_FILE, WHOLE_PHRASES_FILE))
_SEALS = frozenset((MANIFEST_FILE, SEAL_FILE))
# what a copy from a model hub or a clone has beside the files; never read
_OF_A_COPY = frozenset((".git", ".gitattributes", ".cache"))
ALL_FILES = REQUIRED | OPTIONAL | _SEALS
_LARGEST_MANIFEST = 1 << 20  # bytes
_SEAL = re.compile(rb"([0-9a-f]{64})  manifest\.json\n")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class BundleError(ValueError):
    """A bundle is missing, incomplete, damaged or of another format."""


@contextmanager
def reading(path: Path, wanted: str) -> Iterator[None]:
    """Turn whatever a parser raises at a wrong file into BundleError with the file's name."""
    try:
        yield
    except BundleError:
        raise
    except (
        *(ValueError, TypeError, KeyError, AttributeError, RuntimeError),
        *(RecursionError, OverflowError, EOFError, SafetensorError),
    ) as error:
        raise BundleError(f"{path}: wanted {wanted}, got {error!r}"[:500]) from error


def seal(folder: Path) -> None:
    """Write manifest and seal for the files that are there, all of it forced to the disk."""
    names = sorted(path.name for path in folder.iterdir())
    for name in names:
        _flush(folder / name)
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "files": {
            name: {"bytes": (folder / name).stat().st_size, "sha256": _digest(folder / name)}
            for name in names
        },
    }
    content = json.dumps(manifest, indent=2).encode() + b"\n"
    (folder / MANIFEST_FILE).write_bytes(content)
    line = f"{hashlib.sha256(content).hexdigest()}  {MANIFEST_FILE}\n"
    (folder / SEAL_FILE).write_bytes(line.encode())
    for path in (folder / MANIFEST_FILE, folder / SEAL_FILE, folder):
        _flush(path)


def verify(folder: Path) -> frozenset[str]:
    """Return the names of a bundle's files but manifest and seal, each compared with its digest.

    Raises:
        BundleError: names the first file that is missing, not listed, no plain file, of another
            size or of another content; or the format is another.
    """
    there = _entries(folder)
    files = _read_manifest(folder)
    for name in sorted(files.keys() - there):
        raise BundleError(f"{folder / name}: wanted the file the manifest lists, got none")
    for name in sorted(there - files.keys() - _SEALS):
        raise BundleError(
            f"{folder / name}: wanted only files that the manifest lists, got another; remove it"
        )
    for name, (size, digest) in files.items():
        path = folder / name
        if path.stat().st_size != size:
            raise BundleError(f"{path}: wanted {size} bytes, got {path.stat().st_size}")
        if _digest(path) != digest:
            raise BundleError(f"{path}: its SHA-256 differs from the manifest's, it was changed")
    return frozenset(files)


def _entries(folder: Path) -> frozenset[str]:
    """Return the names in the folder; only plain files are allowed, so nothing leads outside."""
    if not folder.is_dir():
        what = "a file" if folder.is_file() else "no such folder"
        raise BundleError(f"{folder}: wanted the folder of a bundle, got {what}")
    names = frozenset(os.listdir(folder)) - _OF_A_COPY
    for name in (SEAL_FILE, MANIFEST_FILE):
        if name not in names:
            raise BundleError(
                f"{folder / name}: wanted the {name} of a bundle, got none; `rrnn export` makes "
                "a bundle of a run"
            )
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name in names and not entry.is_file(follow_symlinks=False):
                what = "a symbolic link" if entry.is_symlink() else "a folder or special file"
                raise BundleError(f"{folder / entry.name}: wanted a plain file, got {what}")
    return names


def _read_manifest(folder: Path) -> dict[str, tuple[int, str]]:
    path, seal_path = folder / MANIFEST_FILE, folder / SEAL_FILE
    sealed = _SEAL.fullmatch(_start(seal_path, 100))
    if sealed is None:
        raise BundleError(f"{seal_path}: wanted the line of sha256sum for {MANIFEST_FILE}")
    content = _start(path, _LARGEST_MANIFEST)
    if hashlib.sha256(content).hexdigest().encode() != sealed[1]:
        raise BundleError(
            f"{path}: its SHA-256 differs from the one in {SEAL_FILE}; one of the two was changed"
        )
    with reading(path, "the manifest of a bundle"):
        manifest = json.loads(content)
        found = (manifest["format"], manifest["format_version"])
        if found != (FORMAT, FORMAT_VERSION):
            raise BundleError(
                f"{path}: wanted {FORMAT!r} version {FORMAT_VERSION}, got {found[0]!r} version "
                f"{found[1]!r}"
            )
        files = {name: (size_of(entry), digest_of(entry)) for name, entry in _items(manifest)}
    for name in sorted(files.keys() - REQUIRED - OPTIONAL):
        raise BundleError(f"{path}: wanted only the files of a bundle, got {name!r}")
    for name in sorted(REQUIRED - files.keys()):
        raise BundleError(f"{path}: wanted an entry for {name}, got none")
    return files


def _items(manifest: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return iter(dict(manifest["files"]).items())


def size_of(entry: dict[str, Any]) -> int:
    """Return the size in an entry of the manifest."""
    if type(entry["bytes"]) is not int:
        raise TypeError(f"bytes {entry['bytes']!r}")
    return entry["bytes"]


def digest_of(entry: dict[str, Any]) -> str:
    """Return the digest in an entry of the manifest."""
    if not _DIGEST.fullmatch(entry["sha256"]):
        raise ValueError(f"sha256 {entry['sha256']!r}")
    return str(entry["sha256"])


def _start(path: Path, most: int) -> bytes:
    """Return the content of a file; of a longer one than `most` bytes only so many."""
    with open(path, "rb") as file:
        return file.read(most)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
