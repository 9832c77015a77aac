"""The folder of a report: there whole or not at all, and never in place of something else."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rrnn_lit.evaluation.report_numbers import map_estimates
from rrnn_lit.whole_files import put_folder

PAGE_FILE = "report.html"
METRICS_FILE = "metrics.json"
ERRORS_FILE = "errors.jsonl"
FORMAT, FORMAT_VERSION = "rrnn_lit report", 1


def want_place(folder: Path) -> None:
    """Check that a report can be written to `folder`: a new or empty one, or an earlier report.

    Raises:
        FileExistsError: it holds something else.
        PermissionError: it cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"--out: wanted a folder, got the file {folder}")
    if folder.is_dir() and any(folder.iterdir()) and not _is_report(folder):
        raise FileExistsError(
            f"--out: wanted a new folder or that of an earlier report, got {folder}, which "
            "holds other files"
        )
    # nothing is made yet: the name of the model may be wrong as well
    there = next(place for place in folder.resolve().parents if place.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise PermissionError(f"--out: cannot write to {there}")


def files_of(
    content: dict[str, Any],
    pairs: Sequence[dict[str, Any]],
    pictures: Mapping[str, bytes],
    page: str,
) -> dict[str, bytes]:
    """Return the files of a report by name."""
    metrics = {"format": FORMAT, "format_version": FORMAT_VERSION}
    metrics |= map_estimates(content, asdict)
    lines = (f"{json.dumps(pair, ensure_ascii=False, allow_nan=False)}\n" for pair in pairs)
    text = json.dumps(metrics, ensure_ascii=False, indent=1, allow_nan=False)
    return {
        PAGE_FILE: page.encode(),
        METRICS_FILE: f"{text}\n".encode(),
        ERRORS_FILE: "".join(lines).encode(),
        **{f"{name}.png": png for name, png in pictures.items()},
    }


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a report; an earlier one in the folder is replaced as a whole.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    folder = folder.resolve()  # a link stays a link
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        for name, content in files.items():
            (part / name).write_bytes(content)
        put_folder(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _is_report(folder: Path) -> bool:
    try:
        metrics = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(metrics, dict) and metrics.get("format") == FORMAT
