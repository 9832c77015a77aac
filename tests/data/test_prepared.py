import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.data.manifest import DataError
from rrnn_lit.data.prepared import PreparedData

FILES = [
    "words.txt",
    "word_vectors.npy",
    "whitening.npy",
    "stats.json",
    *(
        f"{split}.{part}.npy"
        for split in ("train", "tune", "test", "holdout")
        for part in ("word_ids", "offsets")
    ),
]


@pytest.fixture
def copied_folder(prepared_folder: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(prepared_folder, folder, copy_function=shutil.copyfile)
    return folder


def test_every_file_of_the_folder_is_in_the_list(prepared_folder: Path) -> None:
    names = {path.name for path in prepared_folder.iterdir()}
    assert names == {*FILES, "manifest.json"}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["missing", "cut", "changed"])
def test_a_damaged_file_is_named(copied_folder: Path, name: str, damage: str) -> None:
    path = copied_folder / name
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[:-3])
    elif damage == "changed":
        path.write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
    with pytest.raises(DataError, match=f"{path}: ") as caught:
        PreparedData(copied_folder)
    wanted = {"missing": "got none", "cut": f"wanted {len(content)} bytes", "changed": "SHA-256"}
    assert wanted[damage] in str(caught.value)


@pytest.mark.parametrize("name", ["train.word_ids.npy", "train.offsets.npy"])
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_without_digests_a_damaged_split_is_still_named(
    copied_folder: Path, name: str, damage: str
) -> None:
    path = copied_folder / name
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[:-8])
    data = PreparedData(copied_folder, verify=False)
    with pytest.raises(DataError, match=f"{path}: "):
        data.store("train")


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (None, "got a folder without it"),
        ("{", "manifest.json: wanted JSON"),
        ('{"format": "rrnn_lit prepared text", "format_version": 99}', "version 1, got"),
        ("[]", "got list"),
        (
            '{"format": "rrnn_lit prepared text", "format_version": 1, "files": []}',
            "wanted the entries config and files",
        ),
        (
            '{"format": "rrnn_lit prepared text", "format_version": 1, "files": {}, "config": {}}',
            "wanted an entry for words.txt, got none",
        ),
    ],
)
def test_a_bad_manifest_is_named(copied_folder: Path, content: str | None, wanted: str) -> None:
    (copied_folder / "manifest.json").unlink()
    if content is not None:
        (copied_folder / "manifest.json").write_text(content)
    with pytest.raises(DataError, match=str(copied_folder)) as caught:
        PreparedData(copied_folder)
    assert wanted in str(caught.value)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: wanted a folder .* got no such folder"):
        PreparedData(tmp_path / "nowhere")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(DataError, match="data: wanted a folder .* got a file"):
        PreparedData(tmp_path / "data")


@pytest.mark.parametrize("name", ["words.txt", "word_vectors.npy"])
@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_without_digests_a_damaged_dictionary_is_still_named(
    copied_folder: Path, name: str, content: bytes | None
) -> None:
    (copied_folder / name).unlink()
    if content is not None:
        (copied_folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{copied_folder / name}: wanted "):
        PreparedData(copied_folder, verify=False)


@pytest.mark.parametrize("max_words", [None, "12", 12.0, [12]])
def test_an_odd_longest_sentence_is_refused_by_file(
    copied_folder: Path, max_words: object
) -> None:
    path = copied_folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["config"]["text"]["max_words"] = max_words
    path.write_text(json.dumps(manifest))
    data = PreparedData(copied_folder)
    with pytest.raises(DataError, match="manifest.json: wanted a whole number config.text.max"):
        data.store("train")


def test_offsets_that_do_not_start_at_the_first_word_are_refused(copied_folder: Path) -> None:
    path = copied_folder / "train.offsets.npy"
    offsets = np.load(path, allow_pickle=False)
    offsets[0] = -3
    np.save(path, offsets, allow_pickle=False)
    data = PreparedData(copied_folder, verify=False)
    with pytest.raises(DataError, match="the offsets of the sentences disagree"):
        data.store("train")
