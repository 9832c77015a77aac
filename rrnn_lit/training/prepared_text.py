"""What the text steps of a prepared folder were given, as far as the folder still tells.

A list of known words (of `words.word_list`, or all of `words.vectors`) decides about phrases and
contractions. Folders of an earlier version do not hold it; whoever wants exactly their words of
other sentences gives the file again, and its digest is compared.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rrnn_lit.data.manifest import MANIFEST_FILE, file_digest, verify_files
from rrnn_lit.data.prepare_text import KNOWN_WORDS_FILE, WHOLE_PHRASES_FILE
from rrnn_lit.data.prepare_words import is_phrase
from rrnn_lit.data.sources.files import read_lines
from rrnn_lit.text.corrections import read_corrections
from rrnn_lit.text.pipeline import TextSettings
from rrnn_lit.words.special import SPECIAL_LABELS
from rrnn_lit.words.word2vec import read_vocabulary

_STATS_FILE = "stats.json"
# what a folder of synthetic sentences, which no text step made, does not record
_NO_TEXT = {"tokenizer": "treebank", "language_threshold": 0.0, "corrections": None}


@dataclass(frozen=True)
class PreparedText:
    """How raw sentences become the words of a prepared folder.

    Attributes:
        settings: of the text pipeline, without the path of corrections.
        known_words: one a line, or None; see `CodecParts`.
        whole_phrases: one a line, or None; see `CodecParts`.
        corrections: wrong token -> the tokens that replace it.
        notes: why the words can differ from the folder's; none when they never do.
        lacks: options that name the files whose lack the notes are about.
    """

    settings: TextSettings
    known_words: str | None
    whole_phrases: str | None
    corrections: dict[str, list[str]]
    notes: tuple[str, ...]
    lacks: tuple[str, ...]


def prepared_text(
    folder: Path,
    manifest: dict[str, Any],
    words: list[str],
    word_list: Path | None,
    corrections: Path | None,
) -> PreparedText:
    """Return how the words of a prepared folder were made.

    Args:
        folder: the prepared folder.
        manifest: its manifest.
        words: of its dictionary; they stand in for known words that are not given.
        word_list: what was `words.word_list` or `words.vectors`; None if it is not at hand.
        corrections: what was `text.corrections`; None if it is not at hand.

    Raises:
        ValueError: a file is not the one that the folder was made with, or damaged.
    """
    path = folder / MANIFEST_FILE
    given = {**_NO_TEXT, **_group(path, manifest, "text")}
    _group(path, manifest, "words")
    known, note = _known_words(folder, manifest, words, word_list)
    whole, whole_note = _whole_phrases(folder, manifest, words)
    table, table_note = _corrections(manifest, given["corrections"], corrections)
    settings = _settings(path, given)
    notes = tuple(text for text in (note, whole_note, table_note) if text)
    needs = (("--word-list", note), ("--corrections", table_note))
    lacks = tuple(option for option, text in needs if text)
    return PreparedText(settings, known, whole, table, notes, lacks)


def _group(path: Path, manifest: dict[str, Any], name: str) -> dict[str, Any]:
    group = manifest["config"].get(name)
    if not isinstance(group, dict):
        raise ValueError(f"{path}: wanted a group config.{name}, got {str(group)[:100]}")
    return group


def _settings(path: Path, given: dict[str, Any]) -> TextSettings:
    try:
        return TextSettings(
            given["tokenizer"], given["language_threshold"], None, given["max_words"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: wanted the settings of the text, got {error!r}") from error


def _known_words(
    folder: Path, manifest: dict[str, Any], words: list[str], word_list: Path | None
) -> tuple[str | None, str]:
    kept = _stored(folder, manifest, KNOWN_WORDS_FILE)
    if kept is not None:
        return kept, ""
    options = manifest["config"]["words"]
    for name in ("vectors", "word_list"):
        if options.get(name) is None:
            continue
        if word_list is None:
            return _as_lines(word for word in words if word not in SPECIAL_LABELS), (
                f"The known words of preparation, {options[name]}, were not at hand; the "
                "dictionary's own words stand in, so some phrases and contractions can differ."
            )
        _want_same(word_list, "--word-list", manifest, f"words.{name}")
        found = read_lines(word_list) if name == "word_list" else read_vocabulary(word_list)
        return _as_lines(found), ""
    if word_list is not None:
        raise ValueError(f"--word-list: wanted none, {folder} was made without, got {word_list}")
    return None, ""


def _whole_phrases(
    folder: Path, manifest: dict[str, Any], words: list[str]
) -> tuple[str | None, str]:
    kept = _stored(folder, manifest, WHOLE_PHRASES_FILE)
    if kept is not None:
        return kept, ""
    options = manifest["config"]["words"]
    if options.get("vectors") is not None or options.get("word_list") is None:
        return None, ""
    verify_files(folder, {"files": {_STATS_FILE: manifest["files"][_STATS_FILE]}})
    try:
        stats = json.loads((folder / _STATS_FILE).read_text(encoding="utf-8"))
        number = stats["dictionary"]["phrases_left_whole"]
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise ValueError(
            f"{folder / _STATS_FILE}: wanted dictionary.phrases_left_whole, got {error!r}"
        ) from error
    if number is None:
        return None, ""
    phrases = _as_lines(word for word in words if is_phrase(word))
    lost = number - phrases.count("\n")
    if not lost:
        return phrases, ""
    return phrases, (
        f"{lost:,} rare phrases that preparation left whole have no vector and are not recorded; "
        "they are cut into words here, which were UNK there."
    )


def _corrections(
    manifest: dict[str, Any], name: str | None, path: Path | None
) -> tuple[dict[str, list[str]], str]:
    if name is None:
        if path is not None:
            raise ValueError(f"--corrections: wanted none, preparation had none, got {path}")
        return {}, ""
    if path is None:
        return {}, f"The spelling corrections of preparation, {name}, were not at hand."
    _want_same(path, "--corrections", manifest, "text.corrections")
    return read_corrections(str(path)), ""


def _stored(folder: Path, manifest: dict[str, Any], name: str) -> str | None:
    if name not in manifest["files"]:
        return None
    verify_files(folder, {"files": {name: manifest["files"][name]}})
    return _as_lines(read_lines(folder / name))


def _as_lines(words: Iterable[str]) -> str:
    """Return the words that can be equal to a word of the text, each once, in order."""
    kept = {w for w in words if w and w.isascii() and w.isprintable() and " " not in w}
    return "".join(f"{word}\n" for word in sorted(kept))


def _want_same(path: Path, option: str, manifest: dict[str, Any], name: str) -> None:
    if not path.is_file():
        raise ValueError(f"{option}: wanted a file, got {path}")
    inputs = manifest["config"]["inputs"]
    # the manifests of an earlier version lack the group's name
    (entry,) = inputs.get(name) or inputs[name.partition(".")[2]]
    digest = file_digest(path)
    if digest != entry["sha256"]:
        raise ValueError(
            f"{option}: wanted the {name} of preparation, {entry['name']} with SHA-256 "
            f"{entry['sha256'][:12]}, got {path} with {digest[:12]}"
        )
