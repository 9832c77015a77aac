"""What a report is about: trained models and the one prepared folder they are measured on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.data.manifest import MANIFEST_FILE
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.training.open_run import Weights, open_model, places_of, read_run_config, want_model
from rrnn_lit.training.run_folder import is_run


@dataclass(frozen=True)
class Subject:
    """A model of a report.

    Attributes:
        name: unique among the models of the report.
        path: folder of the run or bundle.
        parts: the model.
        config: options of a run; empty for a bundle.
    """

    name: str
    path: Path
    parts: CodecParts
    config: dict[str, Any]


def open_subjects(
    paths: Sequence[Path], data: Path | None, weights: Weights
) -> tuple[list[Subject], PreparedData]:
    """Return the models and the prepared folder they are all measured on.

    Args:
        paths: folders of runs and bundles.
        data: prepared folder; None for the one that the runs' configs name.
        weights: which checkpoint of a run; a bundle has one set of weights.

    Raises:
        ValueError: a folder holds no model, no data are named, the models' data are not the same,
            or their dictionary is not that of the data.
    """
    for path in paths:
        want_model(path)  # before data are asked for that only a model names
    configs = [read_run_config(path) if is_run(path) else {} for path in paths]
    prepared = _one_folder(paths, configs, data)
    subjects = []
    for path, config, name in zip(paths, configs, _names(paths), strict=True):
        parts = open_model(path, weights, data)
        _want_same_dictionary(path, parts, prepared)
        subjects.append(Subject(name, path, parts, config))
    return subjects, prepared


def _one_folder(
    paths: Sequence[Path], configs: Sequence[dict[str, Any]], data: Path | None
) -> PreparedData:
    if data is not None:
        return PreparedData(data)
    found: list[tuple[Path, PreparedData]] = []
    for path, config in zip(paths, configs, strict=True):
        name = config.get("data", {}).get("folder")
        if not isinstance(name, str):
            raise ValueError(
                f"--data: wanted a prepared folder, since {path} names none; got nothing"
            )
        places = [place for place in places_of(path, name) if (place / MANIFEST_FILE).is_file()]
        folder = places[0] if places else Path(name)
        # the digests of large data are compared once
        known = [data for _, data in found if data.folder.resolve() == folder.resolve()]
        found.append((path, known[0] if known else PreparedData(folder)))
    first_path, first = found[0]
    for path, other in found[1:]:
        if other.digest != first.digest:
            raise ValueError(
                f"{path}: wanted a model of the data of {first_path}, which are in "
                f"{first.folder}, got one of {other.folder}; --data FOLDER measures both on one"
            )
    return first


def _want_same_dictionary(path: Path, parts: CodecParts, prepared: PreparedData) -> None:
    own, other = parts.word_vectors, prepared.word_vectors
    if own.words != other.words or not np.array_equal(own.vectors_VW, other.vectors_VW):
        raise ValueError(
            f"{prepared.folder}: wanted the dictionary of {path}, {own.vocab_size} words, got "
            f"another one of {other.vocab_size} words"
        )


def _names(paths: Sequence[Path]) -> list[str]:
    short = [path.resolve().name for path in paths]
    return [
        name if short.count(name) == 1 else str(path)
        for name, path in zip(short, paths, strict=True)
    ]
