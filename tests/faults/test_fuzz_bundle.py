"""Spoilt bundles: what is opened is what was written, or the file is named."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rrnn_lit.codec.bundle import read_bundle, write_bundle
from rrnn_lit.codec.sentence_codec import SentenceCodec
from rrnn_lit.models.building import weights_digest
from tests.codec.damage import contents, reseal, seal_manifest
from tests.codec.parts import tiny_parts
from tests.codec.test_bundle_layout import FILES
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

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.timeout(300),  # a busy machine
    pytest.mark.filterwarnings("ignore:Initializing zero-element tensors"),  # of odd sizes
]

LISTED = [name for name in FILES if not name.startswith("manifest")]
JSON = ["config.json", "config.json", "config.json", "metrics.json", "manifest.json"]
SENTENCES = ["word3 word14 word15", ""]
Content = dict[str, Any]


class Folder:
    """A bundle that is spoilt and made whole again."""

    def __init__(self, path: Path) -> None:
        write_bundle(tiny_parts(compressor=True), path)
        self.path, self.bytes = path, contents(path)
        self.content = everything(path)

    def write(self, files: dict[str, bytes], sealed: bool = False) -> None:
        """Write these files and the others as they were; `sealed` makes all digests fit."""
        for name, content in (self.bytes | files).items():
            (self.path / name).write_bytes(content)
        if "manifest.json" in files and sealed:
            seal_manifest(self.path)
        elif sealed:
            reseal(self.path)

    def opened(self) -> Content | None:
        """Return what is read; None when it was refused as it should be."""
        content, text = attempt(lambda: everything(self.path))
        if content is None:
            assert str(self.path) in text
            assert "\n" not in text
            assert len(text) < 2_000
        return content


def everything(folder: Path) -> Content:
    """Return all that a bundle holds, as values to compare."""
    parts = read_bundle(folder)
    assert parts.compressor is not None
    return {
        "autoencoder": weights_digest(parts.autoencoder),
        "options": parts.autoencoder_options,
        "compressor": weights_digest(parts.compressor),
        "compressor_options": parts.compressor_options,
        "words": parts.word_vectors.words,
        "vectors": parts.word_vectors.vectors_VW.tobytes(),
        "whitening": [values.tolist() for values in vars(parts.whitening).values()],
        "text": asdict(parts.text),
        "facts": parts.facts,
        "known_words": parts.known_words,
        "corrections": parts.corrections,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(tmp_path_factory.mktemp("spoilt") / "bundle")


@settings(max_examples=200)
@given(name=st.sampled_from(FILES), edits=EDITS)
def test_a_spoilt_file_is_refused_by_its_name(
    folder: Folder, name: str, edits: list[Edit]
) -> None:
    spoilt = spoil(folder.bytes[name], edits)
    folder.write({name: spoilt})
    if spoilt == folder.bytes[name]:
        assert folder.opened() == folder.content
        return
    with pytest.raises(ValueError, match=name):
        everything(folder.path)


@settings(max_examples=300)
@given(name=st.sampled_from(LISTED), edits=EDITS)
def test_a_spoilt_file_with_fitting_digests_harms_nothing(
    folder: Folder, name: str, edits: list[Edit]
) -> None:
    folder.write({name: spoil(folder.bytes[name], edits)}, sealed=True)
    opened = folder.opened()
    if opened is not None and name != "config.json":
        other = [key for key, value in opened.items() if value != folder.content[key]]
        assert len(other) <= 1  # what the file says, and no more


@settings(max_examples=300)
@given(name=st.sampled_from(JSON), seed=SEEDS)
def test_odd_values_of_json_are_refused_or_can_be_used(
    folder: Folder, name: str, seed: int
) -> None:
    tree = spoil_tree(json.loads(folder.bytes[name]), seed)
    folder.write({name: json_bytes(tree)}, sealed=True)
    opened = folder.opened()
    if opened is None:
        return
    codec = SentenceCodec.load(folder.path)
    vectors = codec.encode(SENTENCES)
    assert vectors.shape == (2, 24)
    assert codec.decompress(codec.compress(vectors)).shape == (2, 24)
    assert len(codec.decode(vectors)) == 2


@settings(max_examples=100)
@given(first=st.sampled_from(LISTED), second=st.sampled_from(LISTED), sealed=st.booleans())
def test_swapped_files_are_refused(folder: Folder, first: str, second: str, sealed: bool) -> None:
    swapped = {first: folder.bytes[second], second: folder.bytes[first]}
    folder.write(swapped, sealed)
    assert folder.opened() == (folder.content if first == second else None)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"3", b"null", deep_json()])
@pytest.mark.parametrize("name", sorted(set(JSON)))
def test_json_of_something_else_is_refused_by_its_name(
    folder: Folder, name: str, content: bytes
) -> None:
    folder.write({name: content}, sealed=True)
    with pytest.raises(ValueError, match=name):
        everything(folder.path)


def test_folders_and_pipes_in_the_place_of_files_are_refused(
    folder: Folder, tmp_path: Path
) -> None:
    folder.write({})
    for name in FILES:
        copy = shutil.copytree(folder.path, tmp_path / name)
        (copy / name).unlink()
        (copy / name).mkdir()
        with pytest.raises(ValueError, match=name):
            everything(copy)
