"""Open a trained model, from a run's folder or from a bundle, without the training framework.

Facts that a run gives, as in `CodecParts.facts`: `name` of its folder; `weights`, the checkpoint
taken; `steps` and `sentences` seen by these weights; `finished`; `seed`; `max_words` of training;
`splits`, figures of these weights and no others; `data` and `versions` of the prepared folder;
`text_is_exact`, whether raw text gives just the words of preparation, and if not `text_note`, why,
and `text_lacks`, the options of `rrnn export` that would help.
With a compressor, `compressor` holds the like of its run, `name` is that run's name and
`autoencoder` the name of the autoencoder's.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
import yaml
from torch import Tensor, nn

from rrnn_lit.codec.bundle import is_bundle, read_bundle
from rrnn_lit.codec.bundle_weights import network_without_memory, with_weights
from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.data.manifest import MANIFEST_FILE, read_manifest, verify_files
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.models.building import autoencoder_of, weights_digest
from rrnn_lit.models.compressor import compressor_of
from rrnn_lit.training.checkpoint_file import read_checkpoint
from rrnn_lit.training.prepared_text import prepared_text
from rrnn_lit.training.run_figures import figures_at
from rrnn_lit.training.run_folder import (
    BEST_CHECKPOINT,
    CONFIG_FILE,
    LAST_CHECKPOINT,
    is_finished,
    is_run,
)
from rrnn_lit.words.vectors import VECTORS_FILE, WORDS_FILE
from rrnn_lit.words.whitening import WHITENING_FILE, Whitening

Weights = Literal["best", "last"]
_Network = TypeVar("_Network", bound=nn.Module)
_DICTIONARY = (WORDS_FILE, VECTORS_FILE, WHITENING_FILE)
_NONE = {"bytes": 0, "sha256": ""}  # fits no file


def open_model(path: Path, weights: Weights = "best", data: Path | None = None) -> CodecParts:
    """Return the parts of a run or of a bundle, whichever the folder holds.

    Args:
        path: the folder.
        weights: of a run; a bundle has one set.
        data: prepared folder of a run, see `open_run`.

    Raises:
        ValueError: the folder holds neither, or what it holds is damaged.
    """
    want_model(path)
    return read_bundle(path) if is_bundle(path) else open_run(path, weights, data)


def want_model(path: Path) -> None:
    """Raise ValueError unless the path is the folder of a run or of a bundle, whole or not."""
    if not (is_bundle(path) or is_run(path)):
        kind = (
            "another folder" if path.is_dir() else "a file" if path.is_file() else "no such folder"
        )
        raise ValueError(f"{path}: wanted the folder of a run or of a bundle, got {kind}")


def open_run(
    folder: Path,
    weights: Weights = "best",
    data: Path | None = None,
    word_list: Path | None = None,
    corrections: Path | None = None,
) -> CodecParts:
    """Return the parts of a run, finished or not.

    Args:
        folder: of the run; one of a compressor gives the autoencoder's parts as well.
        weights: `best` takes the last ones of a run that was too short for an evaluation.
        data: prepared folder, if it is no longer where the run's config says. Relative names in a
            config are looked for in the working folder and then beside the run and above it.
        word_list: what preparation was given as `words.word_list` or `words.vectors`; without it
            the dictionary's own words decide about phrases, and `text_is_exact` is false.
        corrections: what preparation was given as `text.corrections`.

    Raises:
        ValueError: there is no run or no checkpoint yet, the data are gone or others, or a file
            is damaged.
    """
    config = read_run_config(folder)
    if config.get("task") == "compressor":
        return _open_compressor(folder, config, weights, data, word_list, corrections)
    path = _checkpoint_path(folder, weights)
    checkpoint = _read_checkpoint(path)
    options = _options(checkpoint)
    autoencoder = _network(path, checkpoint, "autoencoder.", autoencoder_of, options)
    prepared = _prepared(folder, config, data, str(checkpoint.get("dictionary_digest")))
    word_vectors = prepared.word_vectors
    if word_vectors.word_dim != options["word_dim"]:
        raise ValueError(
            f"{path}: wanted word vectors of {options['word_dim']} values, got "
            f"{word_vectors.word_dim} in {prepared.folder}"
        )
    text = prepared_text(
        prepared.folder, prepared.manifest, word_vectors.words, word_list, corrections
    )
    facts = _facts(folder, config, checkpoint, path)
    facts |= _facts_of_data(prepared) | {"text_is_exact": not text.notes}
    if text.notes:
        facts |= {"text_note": " ".join(text.notes), "text_lacks": list(text.lacks)}
    return CodecParts(
        autoencoder=autoencoder,
        autoencoder_options=options,
        compressor=None,
        compressor_options=None,
        word_vectors=word_vectors,
        whitening=Whitening.load(prepared.folder),
        text=text.settings,
        facts=facts,
        known_words=text.known_words,
        whole_phrases=text.whole_phrases,
        corrections=text.corrections,
    )


def _open_compressor(
    folder: Path,
    config: dict[str, Any],
    weights: Weights,
    data: Path | None,
    word_list: Path | None,
    corrections: Path | None,
) -> CodecParts:
    path = _checkpoint_path(folder, weights)
    checkpoint = _read_checkpoint(path)
    options = _options(checkpoint)
    compressor = _network(path, checkpoint, "compressor.", compressor_of, options)
    name = str(config["data"]["autoencoder"])
    digest = str(checkpoint.get("autoencoder_digest"))
    for place in places_of(folder, name):
        for parts in _models(place, data, word_list, corrections):
            if weights_digest(parts.autoencoder) == digest:
                own = _facts(folder, config, checkpoint, path)
                names = {"name": own["name"], "autoencoder": parts.facts.get("name")}
                return replace(
                    parts,
                    compressor=compressor,
                    compressor_options=options,
                    facts={**parts.facts, **names, "compressor": own},
                )
    raise ValueError(
        f"{path}: wanted the autoencoder it was trained for, {digest[:12]}, got none such at "
        f"data.autoencoder {name}"
    )


def _models(place: Path, *options: Path | None) -> Iterator[CodecParts]:
    """Yield the models at a place, best weights first; the last are read only if asked for."""
    if is_bundle(place):
        yield read_bundle(place)
    elif is_run(place):
        kinds: tuple[Weights, ...] = ("best", "last")
        for kind in kinds:
            yield open_run(place, kind, *options)


def places_of(folder: Path, name: str) -> list[Path]:
    """Return where a name in a run's config may lead to, in order."""
    if Path(name).is_absolute():
        return [Path(name)]
    return [Path(name), *(parent / name for parent in folder.resolve().parents)]


def read_run_config(folder: Path) -> dict[str, Any]:
    """Return the config of a run.

    Raises:
        ValueError: the folder holds no run, or its config is damaged.
    """
    if not is_run(folder):
        raise ValueError(f"{folder}: wanted the folder of a run with {CONFIG_FILE}, got another")
    path = folder / CONFIG_FILE
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {**config, "data": dict(config["data"])}
    except (yaml.YAMLError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: wanted the config of a run, got {error!r}") from error


def _checkpoint_path(folder: Path, weights: Weights) -> Path:
    names = [BEST_CHECKPOINT, LAST_CHECKPOINT] if weights == "best" else [LAST_CHECKPOINT]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise ValueError(f"{folder}: wanted a run with {names[-1]}, got one without a checkpoint yet")


def _read_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint whose tensors stay on disk until they are used."""
    return read_checkpoint(path, ("state_dict", "hyper_parameters", "global_step"))


def _options(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hyper-parameters; names with `_` are the framework's notes of classes."""
    return {k: v for k, v in checkpoint["hyper_parameters"].items() if not k.startswith("_")}


def _network(
    path: Path,
    checkpoint: Mapping[str, Any],
    prefix: str,
    build: Callable[[Mapping[str, Any]], _Network],
    options: Mapping[str, Any],
) -> _Network:
    network = network_without_memory(build, options, path, path)
    state = {
        name.removeprefix(prefix): tensor
        for name, tensor in checkpoint["state_dict"].items()
        if name.startswith(prefix)
    }
    wanted = network.state_dict()
    for name in sorted(state.keys() ^ wanted.keys()):
        raise ValueError(f"{path}: wanted the weights of its options, but {prefix}{name} differs")
    tensors = {name: _checked(path, name, state[name], wanted[name]) for name in wanted}
    return with_weights(network, tensors, lambda: build(options))


def _checked(path: Path, name: str, tensor: Tensor, wanted: Tensor) -> Tensor:
    """Return a copy in memory; one that is not contiguous can claim any size for a few bytes."""
    if tensor.shape != wanted.shape or not tensor.is_contiguous():
        raise ValueError(
            f"{path}: wanted {name} of shape {list(wanted.shape)}, got {list(tensor.shape)}"
        )
    copy = tensor.detach().clone().to(wanted.dtype)
    if not bool(torch.isfinite(copy).all()):
        raise ValueError(f"{path}: wanted finite weights, got inf or NaN in {name}")
    return copy


def _prepared(
    folder: Path, config: dict[str, Any], data: Path | None, digest: str
) -> PreparedData:
    named = config["data"].get("folder")
    places = [data] if data is not None else places_of(folder, str(named))
    found = [place for place in places if (place / MANIFEST_FILE).is_file()]
    for place in found:
        files = read_manifest(place)["files"]
        verify_files(place, {"files": {name: files.get(name, _NONE) for name in _DICTIONARY}})
        prepared = PreparedData(place, verify=False)  # the splits are large and not needed
        if prepared.dictionary_digest == digest:
            return prepared
    got = f"one with another dictionary, {found[0]}" if found else f"none at {places[0]}"
    raise ValueError(
        f"{folder}: wanted the prepared data it was trained on (data.folder), got {got}; name "
        "their folder with --data"
    )


def _facts(
    folder: Path, config: dict[str, Any], checkpoint: Mapping[str, Any], path: Path
) -> dict[str, Any]:
    step, kind = int(checkpoint["global_step"]), path.stem
    max_words = config["data"].get("max_words")
    facts = {
        "name": folder.resolve().name,
        "weights": kind,
        "steps": step,
        "sentences": checkpoint.get("num_sentences"),
        "finished": is_finished(folder),
        "seed": config["data"].get("seed"),
        "max_words": max_words,
        "splits": figures_at(folder, step, kind, max_words),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _facts_of_data(prepared: PreparedData) -> dict[str, Any]:
    manifest = prepared.manifest
    data = {
        "name": prepared.folder.resolve().name,
        "source": manifest["config"].get("source", {}),
        "sentences": manifest.get("counts", {}).get("sentences", {}),
        "words": manifest["config"]["words"],
        "manifest_sha256": prepared.digest,
    }
    versions = {**manifest.get("versions", {}), "torch": str(torch.__version__)}
    return {"data": data, "versions": versions, "dictionary_digest": prepared.dictionary_digest}
