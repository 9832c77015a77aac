"""What tests do to bundles: bits, files, and seals that lie as the files do."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any


def flip_bit(path: Path, share: float) -> None:
    """Flip one bit so far into the file; 0 is its first byte, 1 its last."""
    content = bytearray(path.read_bytes())
    place = min(int(share * len(content)), len(content) - 1)
    content[place] ^= 1 << (place % 8)
    path.write_bytes(content)


def reseal(folder: Path) -> None:
    """Make manifest and seal fit the files, as somebody would who wants them to be read."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    names = sorted(set(os.listdir(folder)) - {"manifest.json", "manifest.sha256"})
    manifest["files"] = {
        name: {
            "bytes": (folder / name).stat().st_size,
            "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
        }
        for name in names
    }
    path.write_text(json.dumps(manifest))
    seal_manifest(folder)


def seal_manifest(folder: Path) -> None:
    """Make the seal fit the manifest."""
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    (folder / "manifest.sha256").write_text(f"{digest}  manifest.json\n")


def edit_json(path: Path, *keys: str, value: Any) -> None:
    """Set one value in a JSON file and seal the bundle again."""
    content = json.loads(path.read_text())
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    path.write_text(json.dumps(content))
    reseal(path.parent)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
