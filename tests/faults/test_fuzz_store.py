"""Spoilt prepared folders: what is opened is what was written, or the file is named."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rrnn_lit.data.manifest import MANIFEST_FILE, file_digest
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.token_store import SPLITS
from rrnn_lit.training.prepared_text import prepared_text
from rrnn_lit.words.whitening import Whitening
from tests.faults.spoiling import (
    EDITS,
    SEEDS,
    Edit,
    attempt,
    deep_json,
    json_bytes,
    spoil,
    spoil_tree,
)

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(300)]  # a busy machine

FILES = (
    *("words.txt", "word_vectors.npy", "whitening.npy", "stats.json"),
    *(f"{split}.{kind}.npy" for split in SPLITS for kind in ("word_ids", "offsets")),
)
Content = dict[str, Any]


class Folder:
    """A prepared folder that is spoilt and made whole again."""

    def __init__(self, original: Path, path: Path) -> None:
        shutil.copytree(original, path, copy_function=shutil.copyfile)
        self.path = path
        self.bytes = {name: (path / name).read_bytes() for name in (*FILES, MANIFEST_FILE)}
        self.content = everything(path)

    def write(self, files: dict[str, bytes], renew: bool = False) -> None:
        """Write these files and the others as they were."""
        for name, content in (self.bytes | files).items():
            (self.path / name).write_bytes(content)
        if renew:
            manifest = json.loads(self.bytes[MANIFEST_FILE])
            for name in files:
                manifest["files"][name] = {
                    "bytes": len(files[name]),
                    "sha256": file_digest(self.path / name),
                }
            (self.path / MANIFEST_FILE).write_text(json.dumps(manifest))

    def opened(self) -> Content | None:
        """Return what is read; None when it was refused as it should be."""
        content, text = attempt(lambda: everything(self.path))
        if content is None:
            assert str(self.path) in text
            assert "\n" not in text
            assert len(text) < 2_000
        return content


def everything(folder: Path) -> Content:
    """Return all that training, evaluation and export read of a prepared folder."""
    data = PreparedData(folder)
    content: Content = {
        "words": data.word_vectors.words,
        "vectors": data.word_vectors.vectors_VW.tobytes(),
        "whitening": np.stack([*vars(Whitening.load(folder)).values()]).tobytes(),
    }
    text = prepared_text(folder, data.manifest, data.word_vectors.words, None, None)
    content["known"] = text.known_words
    for split in SPLITS:
        store = data.store(split)
        ids = [store.sentence(number).tolist() for number in range(store.num_sentences)]
        assert all(0 <= i < data.word_vectors.vocab_size for sentence in ids for i in sentence)
        content[split] = ids
    return content


@pytest.fixture(scope="module")
def folder(prepared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(prepared_folder, tmp_path_factory.mktemp("spoilt") / "data")


@settings(max_examples=300)
@given(name=st.sampled_from(FILES), edits=EDITS)
def test_a_spoilt_file_is_refused_by_its_name(
    folder: Folder, name: str, edits: list[Edit]
) -> None:
    spoilt = spoil(folder.bytes[name], edits)
    folder.write({name: spoilt})
    opened = folder.opened()
    assert opened is None or (spoilt == folder.bytes[name] and opened == folder.content)
    if opened is None:
        with pytest.raises(ValueError, match=name):
            everything(folder.path)


@settings(max_examples=600)
@given(name=st.sampled_from(FILES), edits=EDITS)
def test_a_spoilt_file_with_a_fitting_digest_harms_nothing(
    folder: Folder, name: str, edits: list[Edit]
) -> None:
    folder.write({name: spoil(folder.bytes[name], edits)}, renew=True)
    opened = folder.opened()
    if opened is not None:
        same = {key: value == folder.content[key] for key, value in opened.items()}
        assert sum(not equal for equal in same.values()) <= 1  # what the file says, and no more


@settings(max_examples=100)
@given(first=st.sampled_from(FILES), second=st.sampled_from(FILES), renew=st.booleans())
def test_swapped_files_are_refused(folder: Folder, first: str, second: str, renew: bool) -> None:
    swapped = {first: folder.bytes[second], second: folder.bytes[first]}
    folder.write(swapped, renew)
    opened = folder.opened()
    if first == second:
        assert opened == folder.content
    elif not renew:
        assert opened is None


@settings(max_examples=300)
@given(edits=EDITS)
def test_bytes_of_the_manifest_change_no_data(folder: Folder, edits: list[Edit]) -> None:
    folder.write({MANIFEST_FILE: spoil(folder.bytes[MANIFEST_FILE], edits)})
    assert folder.opened() in (None, folder.content)


@settings(max_examples=600)
@given(name=st.sampled_from((MANIFEST_FILE, MANIFEST_FILE, "stats.json")), seed=SEEDS)
def test_values_of_json_change_no_data(folder: Folder, name: str, seed: int) -> None:
    tree = spoil_tree(json.loads(folder.bytes[name]), seed)
    folder.write({name: json_bytes(tree)}, renew=name != MANIFEST_FILE)
    assert folder.opened() in (None, folder.content)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"3", b"null", deep_json()])
@pytest.mark.parametrize("name", [MANIFEST_FILE, "stats.json"])
def test_json_of_something_else_changes_no_data(folder: Folder, name: str, content: bytes) -> None:
    folder.write({name: content}, renew=name != MANIFEST_FILE)
    assert folder.opened() in (None, folder.content)


@pytest.mark.parametrize("name", [*FILES, MANIFEST_FILE])
def test_a_lost_file_is_refused_by_its_name(folder: Folder, name: str) -> None:
    folder.write({})
    (folder.path / name).unlink()
    with pytest.raises(ValueError, match=name):
        everything(folder.path)
