"""`config.json` and `metrics.json`: options, text settings and facts as plain values."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from rrnn_lit.codec.bundle_layout import FORMAT, FORMAT_VERSION, BundleError, reading
from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.text.pipeline import TextSettings
from rrnn_lit.words.special import SPECIAL_LABELS

_TOKENIZERS = ("treebank", "corenlp")
_LONGEST_SENTENCE = 10_000  # words


def config_of(parts: CodecParts) -> dict[str, Any]:
    """Return the content of `config.json`."""
    text = parts.text
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "autoencoder": parts.autoencoder_options,
        "compressor": parts.compressor_options,
        "text": {
            "tokenizer": text.tokenizer,
            "language_threshold": text.language_threshold,
            "max_words": text.max_words,
            "corrections": parts.corrections,
        },
        "special_labels": list(SPECIAL_LABELS),
        "facts": {name: value for name, value in parts.facts.items() if name != "splits"},
    }


def write_plain(path: Path, content: dict[str, Any]) -> None:
    """Write plain values as JSON; figures that are inf or NaN, which JSON lacks, become null.

    Raises:
        BundleError: there is something else than plain values.
    """
    with reading(path, "plain values to write"):
        text = json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(f"{text}\n", encoding="utf-8")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_plain(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        BundleError: it is something else.
    """
    with reading(path, "a JSON object"):
        content = json.loads(path.read_bytes().decode("utf-8"))
        if not isinstance(content, dict):
            raise TypeError(type(content).__name__)
        return content


def read_config(path: Path) -> dict[str, Any]:
    """Return `config.json` with its parts of the right types.

    Raises:
        BundleError: the file is something else, or of another format.
    """
    config = read_plain(path)
    with reading(path, "the config of a bundle"):
        found = (config["format"], config["format_version"])
        if found != (FORMAT, FORMAT_VERSION):
            raise BundleError(
                f"{path}: wanted {FORMAT!r} version {FORMAT_VERSION}, got {found[0]!r} version "
                f"{found[1]!r}"
            )
        if config["special_labels"] != list(SPECIAL_LABELS):
            got = str(config["special_labels"])[:200]
            raise BundleError(f"{path}: wanted other special labels: {got}")
        for name in ("autoencoder", "text", "facts"):
            if not isinstance(config[name], dict):
                raise TypeError(f"{name}: {type(config[name]).__name__}")
        if not isinstance(config["compressor"], dict | None):
            raise TypeError(f"compressor: {type(config['compressor']).__name__}")
        max_words = config["facts"].get("max_words", 1)
        # decoding goes on so long where no end mark comes
        if type(max_words) is not int or not 1 <= max_words <= _LONGEST_SENTENCE:
            raise ValueError(f"facts.max_words: {str(max_words)[:100]}")
    return config


def check_choices(options: Mapping[str, Any], shape: type, path: Path) -> None:
    """Check options that have few values: another is a later version's, not one of ours.

    Args:
        options: of a network; those that `shape` does not know are left aside.
        shape: dataclass with their types.
        path: of the file they come from.

    Raises:
        BundleError: names the first that is wrong.
    """
    for name, kind in get_type_hints(shape).items():
        choices = (False, True) if kind is bool else get_args(kind)
        if name not in options or not (kind is bool or get_origin(kind) is Literal):
            continue
        value = options[name]
        # the type as well: 0 and 1 equal False and True
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise BundleError(f"{path}: wanted {name} of {choices}, got {value!r}"[:500])


def text_of(config: dict[str, Any], path: Path) -> tuple[TextSettings, dict[str, list[str]]]:
    """Return the text settings in a config and the table of corrections.

    Raises:
        BundleError: a value is missing, of another type or out of range.
    """
    with reading(path, "the text settings of a bundle"):
        text = config["text"]
        if text["tokenizer"] not in _TOKENIZERS:
            raise BundleError(f"{path}: wanted a tokenizer of {_TOKENIZERS}, got {text!r}"[:500])
        threshold, max_words = float(text["language_threshold"]), int(text["max_words"])
        corrections = {str(wrong): _words(right) for wrong, right in text["corrections"].items()}
        return TextSettings(text["tokenizer"], threshold, None, max_words), corrections


def _words(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise TypeError(f"corrections: {value!r}")
    return value
