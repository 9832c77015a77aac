import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from rrnn_lit.data.manifest import file_digest, read_manifest
from rrnn_lit.training.prepared_text import PreparedText, prepared_text

WORDS = ["word0", "old_mill", "red_boats", "UNK", "EOS"]


def edited(folder: Path, **groups: dict[str, Any]) -> Path:
    """Change groups of the manifest's config."""
    path = folder / "manifest.json"
    path.chmod(0o644)
    manifest = json.loads(path.read_text())
    for group, values in groups.items():
        manifest["config"].setdefault(group, {}).update(values)
    path.write_text(json.dumps(manifest))
    return folder


def entry(path: Path) -> list[dict[str, str]]:
    return [{"name": path.name, "sha256": file_digest(path)}]


def with_word_list(tmp_path: Path, prepared: Path, content: str = "") -> tuple[Path, Path]:
    """Return a copy of prepared data that says it was made with a word list, and the list."""
    word_list = tmp_path / "list.txt"
    word_list.write_text(content or "word1\n\nice_cream\ncaf\u00e9\ntwo words\nword1\n")
    data = shutil.copytree(prepared, tmp_path / "data")
    with_stats(data, None)
    options = {"word_list": "list.txt", "vectors": None}
    return edited(data, words=options, inputs={"words.word_list": entry(word_list)}), word_list


def with_stats(data: Path, phrases: int | None) -> None:
    """Record how many phrases preparation left whole."""
    path = data / "stats.json"
    path.chmod(0o644)
    path.write_text(json.dumps({"dictionary": {"phrases_left_whole": phrases}}))
    record(data, "stats.json")


def record(data: Path, name: str) -> None:
    """Put a file into the manifest."""
    path = data / "manifest.json"
    path.chmod(0o644)
    manifest = json.loads(path.read_text())
    size = (data / name).stat().st_size
    manifest["files"][name] = {"bytes": size, "sha256": file_digest(data / name)}
    path.write_text(json.dumps(manifest))


def text_of(
    data: Path, word_list: Path | None = None, corrections: Path | None = None
) -> PreparedText:
    return prepared_text(data, read_manifest(data), WORDS, word_list, corrections)


def test_without_list_and_vectors_no_word_is_known(prepared_folder: Path) -> None:
    text = text_of(prepared_folder)
    assert (text.known_words, text.whole_phrases, text.corrections) == (None, None, {})
    assert (text.notes, text.lacks) == ((), ())
    assert text.settings.max_words == 12


def test_a_word_list_gives_the_words_that_text_can_hold(
    tmp_path: Path, prepared_folder: Path
) -> None:
    text = text_of(*with_word_list(tmp_path, prepared_folder))
    assert text.known_words == "ice_cream\nword1\n"
    assert text.notes == ()


def test_the_vocabulary_of_given_vectors_is_known(tmp_path: Path, prepared_folder: Path) -> None:
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("2 2\nword1 0.5 1\nice_cream 1 2\n")
    data = shutil.copytree(prepared_folder, tmp_path / "data")
    edited(data, words={"vectors": "vectors.txt"}, inputs={"words.vectors": entry(vectors)})
    text = text_of(data, vectors)
    assert text.known_words == "ice_cream\nword1\n"
    assert text.whole_phrases is None


def test_without_the_list_the_dictionary_stands_in_and_a_note_says_so(
    tmp_path: Path, prepared_folder: Path
) -> None:
    data, _ = with_word_list(tmp_path, prepared_folder)
    text = text_of(data)
    assert text.known_words == "old_mill\nred_boats\nword0\n"
    assert text.lacks == ("--word-list",)
    assert "list.txt, were not at hand" in text.notes[0]


@pytest.mark.parametrize("old", [False, True])
def test_another_list_is_refused(tmp_path: Path, prepared_folder: Path, old: bool) -> None:
    data, word_list = with_word_list(tmp_path, prepared_folder)
    if old:  # manifests of an earlier version
        manifest = json.loads((data / "manifest.json").read_text())
        inputs = manifest["config"]["inputs"]
        inputs["word_list"] = inputs.pop("words.word_list")
        (data / "manifest.json").write_text(json.dumps(manifest))
        assert text_of(data, word_list).notes == ()
    word_list.write_text("word2\n")
    with pytest.raises(ValueError, match=r"--word-list: wanted the words.word_list of prepar"):
        text_of(data, word_list)
    with pytest.raises(ValueError, match="--word-list: wanted a file, got"):
        text_of(data, tmp_path / "gone")


def test_a_list_nobody_used_is_refused(tmp_path: Path, prepared_folder: Path) -> None:
    with pytest.raises(ValueError, match="--word-list: wanted none"):
        text_of(prepared_folder, tmp_path)
    with pytest.raises(ValueError, match="--corrections: wanted none"):
        text_of(prepared_folder, None, tmp_path)


@pytest.mark.parametrize(("number", "notes"), [(2, 0), (5, 1)])
def test_phrases_of_the_dictionary_stay_whole(
    tmp_path: Path, prepared_folder: Path, number: int, notes: int
) -> None:
    data, word_list = with_word_list(tmp_path, prepared_folder)
    with_stats(data, number)
    text = text_of(data, word_list)
    assert text.whole_phrases == "old_mill\nred_boats\n"
    assert len(text.notes) == notes
    assert text.lacks == ()  # no file would help
    assert not notes or text.notes[0].startswith("3 rare phrases")


def test_lists_that_a_folder_keeps_are_taken(tmp_path: Path, prepared_folder: Path) -> None:
    data, _ = with_word_list(tmp_path, prepared_folder)
    with_stats(data, 5)
    (data / "known_words.txt").write_text("ice_cream\nword1\n")
    (data / "whole_phrases.txt").write_text("ice_cream\n")
    for name in ("known_words.txt", "whole_phrases.txt"):
        record(data, name)
    text = text_of(data)
    assert (text.known_words, text.whole_phrases) == ("ice_cream\nword1\n", "ice_cream\n")
    assert text.notes == ()
    (data / "known_words.txt").write_text("ice_cream\nword2\n")
    with pytest.raises(ValueError, match=r"known_words.txt: its SHA-256 differs"):
        text_of(data)


def test_corrections_are_read_or_missed(tmp_path: Path, prepared_folder: Path) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("teh\tthe\nalot\ta lot\n")
    data = shutil.copytree(prepared_folder, tmp_path / "data")
    edited(data, text={"corrections": "table.tsv"}, inputs={"text.corrections": entry(table)})
    assert text_of(data, None, table).corrections == {"teh": ["the"], "alot": ["a", "lot"]}
    missed = text_of(data)
    assert missed.corrections == {}
    assert missed.lacks == ("--corrections",)
    assert "table.tsv" in missed.notes[0]
    table.write_text("teh\tThe\n")
    with pytest.raises(ValueError, match="--corrections: wanted the text.corrections"):
        text_of(data, None, table)


@pytest.mark.parametrize(
    "text",
    [{"max_words": None}, {"max_words": "12"}, {"max_words": 1}, {"language_threshold": []}],
)
def test_odd_settings_of_the_text_are_refused_by_file(
    tmp_path: Path, prepared_folder: Path, text: dict[str, Any]
) -> None:
    data = edited(shutil.copytree(prepared_folder, tmp_path / "data"), text=text)
    with pytest.raises(ValueError, match="manifest.json: wanted the settings of the text"):
        text_of(data)


@pytest.mark.parametrize("stats", ["[]", "{}", '{"dictionary": 3}', "[" * 100_000])
def test_odd_statistics_are_refused_by_file(
    tmp_path: Path, prepared_folder: Path, stats: str
) -> None:
    data, word_list = with_word_list(tmp_path, prepared_folder)
    (data / "stats.json").write_text(stats)
    record(data, "stats.json")
    with pytest.raises(ValueError, match="stats.json: wanted dictionary.phrases_left_whole"):
        text_of(data, word_list)
