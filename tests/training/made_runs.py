"""Folders of runs that no training made: the files a trained model is opened from."""

import json
from pathlib import Path
from typing import Any

import torch
import yaml

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.models.building import weights_digest
from rrnn_lit.training.checkpoint_file import write_checkpoint
from tests.codec.parts import tiny_facts

Content = dict[str, Any]


def make_run(
    folder: Path,
    data: Path,
    parts: CodecParts,
    weights: tuple[str, ...] = ("best", "last"),
    step: int = 10,
    finished: bool = True,
    named: str | None = None,
) -> Path:
    """Write the folder of a run with the weights of `parts` and return it.

    Args:
        folder: of the run; what is there and not written again stays.
        data: prepared folder.
        parts: see `tests/codec/parts.py`.
        weights: checkpoints to write.
        step: of the checkpoints.
        finished: whether there is a summary.
        named: what the config says instead of `data`.
    """
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    options = {"folder": named or str(data), "seed": 3, "max_words": 12}
    (folder / "config.yaml").write_text(yaml.safe_dump({"data": options, "model": {}}))
    for kind in weights:
        path = folder / "checkpoints" / f"{kind}.ckpt"
        write_checkpoint(checkpoint_of(parts, PreparedData(data, verify=False), step), path)
    if finished:
        splits = tiny_facts()["splits"]
        (folder / "summary.json").write_text(json.dumps({"steps": 10, "splits": splits}))
    return folder


def checkpoint_of(parts: CodecParts, data: PreparedData, step: int = 10) -> Content:
    """Return a checkpoint, as far as it matters to who opens it."""
    state = parts.autoencoder.state_dict()
    return {
        "state_dict": {f"autoencoder.{name}": weight for name, weight in state.items()},
        "hyper_parameters": {**parts.autoencoder_options, "learning_rate": 0.1},
        "global_step": step,
        "num_sentences": 8 * step,
        "dictionary_digest": data.dictionary_digest,
    }


def make_compressor_run(folder: Path, autoencoder: Path | str, parts: CodecParts) -> Path:
    """Write the folder of a compressor's run with the weights of `parts` and return it."""
    assert parts.compressor is not None
    (folder / "checkpoints").mkdir(parents=True)
    options = {"autoencoder": str(autoencoder), "folder": "elsewhere", "seed": 4}
    config = {"task": "compressor", "data": options}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    state = parts.compressor.state_dict()
    content = {
        "state_dict": {f"compressor.{name}": weight for name, weight in state.items()},
        "hyper_parameters": parts.compressor_options,
        "global_step": 5,
        "autoencoder_digest": weights_digest(parts.autoencoder),
    }
    write_checkpoint(content, folder / "checkpoints" / "last.ckpt")
    return folder


def edit_checkpoint(path: Path, **changes: Any) -> None:
    """Replace entries of a checkpoint."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    write_checkpoint({**content, **changes}, path)
