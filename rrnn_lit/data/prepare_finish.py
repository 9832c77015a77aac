"""The end of `rrnn prepare`: figures, seconds, everything on the disk, and last the manifest."""

import os
import resource
import sys
from pathlib import Path
from typing import Any

from rrnn_lit.data.manifest import write_json, write_manifest
from rrnn_lit.data.prepare_text import KEPT_FILES
from rrnn_lit.data.token_store import SPLITS, store_files
from rrnn_lit.words.vectors import VECTORS_FILE, WORDS_FILE
from rrnn_lit.words.whitening import WHITENING_FILE

STATS_FILE = "stats.json"
TIMING_FILE = "timing.json"  # not in the manifest: it differs from run to run
_STORES = [name for split in SPLITS for name in store_files(split)]
OUTPUTS = [WORDS_FILE, VECTORS_FILE, WHITENING_FILE, STATS_FILE, *_STORES]


def finish(out: Path, stats: dict[str, Any], recorded: dict[str, Any]) -> dict[str, Any]:
    """Write the figures, force all to the disk, write the manifest and return it."""
    write_json(out / STATS_FILE, stats)
    outputs = [*OUTPUTS, *(name for name in KEPT_FILES if (out / name).is_file())]
    _flush(out, outputs)
    counts = {"sentences": {s: stats["splits"][s]["sentences"] for s in SPLITS}}
    counts["vocab_size"] = stats["dictionary"]["vocab_size"]
    return write_manifest(out, outputs, recorded, counts)


def _flush(out: Path, names: list[str]) -> None:
    """Force the results to the disk before the manifest names them."""
    for name in names:
        with open(out / name, "rb") as file:
            os.fsync(file.fileno())


def write_timing(out: Path, stages: dict[str, Any], seconds: float, processes: int) -> None:
    """Write what each stage took.

    Args:
        out: the prepared folder.
        stages: stage -> its seconds and amounts.
        seconds: of everything so far.
        processes: that worked on it.
    """
    kilobytes = 1024 if sys.platform != "darwin" else 1
    peak = {
        name: round(resource.getrusage(who).ru_maxrss * kilobytes / 1e6, 1)
        for name, who in (
            ("main_process_peak_mb", resource.RUSAGE_SELF),
            ("largest_worker_peak_mb", resource.RUSAGE_CHILDREN),
        )
    }
    content = {"seconds": round(seconds, 2), "processes": processes, **peak}
    write_json(out / TIMING_FILE, {**content, "stages": stages})
