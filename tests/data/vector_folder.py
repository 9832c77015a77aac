"""A folder of vectors as `rrnn predict` writes it, made by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.manifest import file_digest
from rrnn_lit.data.sentence_vectors import FORMAT, FORMAT_VERSION, shard_file, shard_sizes


def write_vectors(
    folder: Path,
    rows_NS: npt.NDArray[Any],
    shard_sentences: int,
    facts: dict[str, Any] | None = None,
) -> Path:
    """Write rows and a manifest; `facts` change the manifest."""
    folder.mkdir(parents=True)
    facts = facts or {}
    kind = str(facts.get("kind", "sentence_vectors"))
    shards, start = [], 0
    for number, rows in enumerate(shard_sizes(len(rows_NS), shard_sentences)):
        path = folder / shard_file(kind, number)
        np.save(path, rows_NS[start : start + rows], allow_pickle=False)
        shards.append({"file": path.name, "rows": rows, "sha256": file_digest(path)})
        start += rows
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "split": "train",
        "num_sentences": len(rows_NS),
        "row_size": rows_NS.shape[1],
        "shard_sentences": shard_sentences,
        "dtype": str(rows_NS.dtype),
        "max_words": 12,
        "weights_digest": "weights",
        "data_digest": "data",
        "shards": shards,
        **facts,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder
