"""The bundle: one folder without code that holds a trained model and all its vectors mean.

Weights are safetensors, the dictionary is what a prepared folder has: `words.txt`,
`word_vectors.npy` and `whitening.npy`, read by the same code and mapped into memory, so that a
large dictionary costs only the rows that are used. The rest is JSON and lines of text. Changed or
foreign files are found by their digests before anything looks into them.
"""

import os
import re
import shutil
from pathlib import Path

from rrnn_lit.codec.bundle_card import model_card
from rrnn_lit.codec.bundle_config import (
    check_choices,
    config_of,
    read_config,
    read_plain,
    text_of,
    write_plain,
)
from rrnn_lit.codec.bundle_layout import (
    ALL_FILES,
    AUTOENCODER_FILE,
    CARD_FILE,
    COMPRESSOR_FILE,
    CONFIG_FILE,
    KNOWN_WORDS_FILE,
    METRICS_FILE,
    SEAL_FILE,
    VECTORS_FILE,
    WHITENING_FILE,
    WHOLE_PHRASES_FILE,
    BundleError,
    reading,
    seal,
    verify,
)
from rrnn_lit.codec.bundle_weights import read_weights, write_weights
from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.models.autoencoder import AutoencoderShape
from rrnn_lit.models.building import autoencoder_of
from rrnn_lit.models.compressor import CompressorShape, compressor_of
from rrnn_lit.whole_files import put_folder
from rrnn_lit.words.vectors import WordVectors
from rrnn_lit.words.whitening import Whitening

__all__ = ["BundleError", "is_bundle", "read_bundle", "write_bundle"]

_OTHER_THAN_WORDS = re.compile(r"[^!-~\n]")


def is_bundle(folder: Path) -> bool:
    """Return whether the folder claims to be a bundle, whole or damaged."""
    return any((folder / name).is_file() for name in (SEAL_FILE, AUTOENCODER_FILE))


def write_bundle(parts: CodecParts, folder: Path, *, overwrite: bool = False) -> None:
    """Write a bundle, whole or not at all; the same parts give the same bytes.

    Args:
        parts: what it holds; `license` among the facts is the model card's.
        folder: must not exist, or be empty.
        overwrite: replace a bundle that is there.

    Raises:
        BundleError: the folder is taken, or the parts cannot be stored.
        OSError: a file cannot be written; what was there is unchanged.
    """
    want_free(folder, overwrite)
    target = folder.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.mkdir()
        _write_files(parts, part)
        seal(part)
        put_folder(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def want_free(folder: Path, overwrite: bool) -> None:
    """Check that a bundle may be written to `folder`; nothing but a bundle is ever replaced.

    Raises:
        BundleError: it may not.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise BundleError(f"{folder}: wanted a new or an empty folder, got a file")
    names = set(os.listdir(folder))
    if not names:
        return
    if not is_bundle(folder) or names - ALL_FILES:
        raise BundleError(f"{folder}: wanted a new or an empty folder, got one with other files")
    if not overwrite:
        raise BundleError(
            f"{folder}: wanted a new or an empty folder, got one with a bundle; "
            "--overwrite replaces it"
        )


def _write_files(parts: CodecParts, folder: Path) -> None:
    if (parts.compressor is None) != (parts.compressor_options is None):
        raise BundleError(f"{folder}: wanted a compressor with its options, got one of the two")
    write_weights(parts.autoencoder, folder / AUTOENCODER_FILE)
    if parts.compressor is not None:
        write_weights(parts.compressor, folder / COMPRESSOR_FILE)
    parts.word_vectors.save(folder)
    parts.whitening.save(folder)
    for text, name in _lists(parts):
        if text is not None:
            path = folder / name
            _check_words(text, path)
            path.write_text(text, encoding="ascii", newline="\n")
    write_plain(folder / CONFIG_FILE, config_of(parts))
    write_plain(folder / METRICS_FILE, {"splits": parts.facts.get("splits", {})})
    (folder / CARD_FILE).write_text(model_card(parts), encoding="utf-8")


def _lists(parts: CodecParts) -> list[tuple[str | None, str]]:
    return [
        (parts.known_words, KNOWN_WORDS_FILE),
        (parts.whole_phrases, WHOLE_PHRASES_FILE),
    ]


def read_bundle(folder: Path) -> CodecParts:
    """Return what a bundle holds; no file is looked into before every digest is verified.

    Args:
        folder: what `write_bundle` wrote; word vectors stay mapped to the file in it.

    Raises:
        BundleError: names the file that is missing, changed, not listed, of another format or
            version, or does not fit the others.
    """
    names = verify(folder)
    config = read_config(folder / CONFIG_FILE)
    options, compressor_options = config["autoencoder"], config["compressor"]
    if (COMPRESSOR_FILE in names) != (compressor_options is not None):
        raise BundleError(f"{folder / COMPRESSOR_FILE}: wanted it beside its options, and only so")
    _check_card(folder / CARD_FILE)
    check_choices(options, AutoencoderShape, folder / CONFIG_FILE)
    autoencoder = read_weights(folder / AUTOENCODER_FILE, autoencoder_of, options)
    compressor = None
    if compressor_options is not None:
        check_choices(compressor_options, CompressorShape, folder / CONFIG_FILE)
        compressor = read_weights(folder / COMPRESSOR_FILE, compressor_of, compressor_options)
        _check_sizes(folder / CONFIG_FILE, options, compressor_options)
    text, corrections = text_of(config, folder / CONFIG_FILE)
    splits = read_plain(folder / METRICS_FILE).get("splits", {})
    return CodecParts(
        autoencoder=autoencoder,
        autoencoder_options=options,
        compressor=compressor,
        compressor_options=compressor_options,
        word_vectors=_read_vectors(folder, options["word_dim"]),
        whitening=_read_whitening(folder, options["word_dim"]),
        text=text,
        facts={**config["facts"], "splits": splits},
        known_words=_read_words(folder / KNOWN_WORDS_FILE, names),
        whole_phrases=_read_words(folder / WHOLE_PHRASES_FILE, names),
        corrections=corrections,
    )


def _check_sizes(path: Path, options: dict[str, object], compressor: dict[str, object]) -> None:
    size = options["sentence_vector_size"] or options["hidden_size"]
    if compressor["sentence_vector_size"] != size:
        raise BundleError(
            f"{path}: wanted a compressor of sentence vectors of {size} values, got one of "
            f"{compressor['sentence_vector_size']}"
        )


def _check_card(path: Path) -> None:
    with reading(path, "a model card"):
        if not path.read_bytes().decode("utf-8").startswith("---\n"):
            raise ValueError("no front matter")


def _read_vectors(folder: Path, word_dim: int) -> WordVectors:
    with reading(folder / VECTORS_FILE, "the dictionary's vectors"):
        word_vectors = WordVectors.load(folder)
        if word_vectors.word_dim != word_dim:
            raise ValueError(f"{word_vectors.word_dim} values a word, the network has {word_dim}")
    return word_vectors


def _read_whitening(folder: Path, word_dim: int) -> Whitening:
    with reading(folder / WHITENING_FILE, f"2 x {word_dim} finite numbers"):
        whitening = Whitening.load(folder)
        if len(whitening.mean) != word_dim:
            raise ValueError(f"2 x {len(whitening.mean)}")
    return whitening


def _read_words(path: Path, names: frozenset[str]) -> str | None:
    if path.name not in names:
        return None
    with reading(path, "printable ASCII words, one a line"):
        text = path.read_bytes().decode("ascii")
        _check_words(text, path)
        return text


def _check_words(text: str, path: Path) -> None:
    if _OTHER_THAN_WORDS.search(text) or (text and not text.endswith("\n")):
        raise BundleError(f"{path}: wanted printable ASCII words, one a line, got something else")
