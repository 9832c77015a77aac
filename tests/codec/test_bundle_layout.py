import json
import os
import shutil
from pathlib import Path

import pytest

from rrnn_lit.codec.bundle import BundleError, read_bundle, write_bundle
from tests.codec.damage import edit_json, flip_bit, reseal, seal_manifest
from tests.codec.parts import tiny_parts

FILES = [
    "README.md",
    "autoencoder.safetensors",
    "compressor.safetensors",
    "config.json",
    "known_words.txt",
    "manifest.json",
    "manifest.sha256",
    "metrics.json",
    "whitening.npy",
    "word_vectors.npy",
    "words.txt",
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "bundle"
    write_bundle(tiny_parts(compressor=True), folder)
    return folder


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may damage."""
    return shutil.copytree(whole, tmp_path / "bundle")


def refused(folder: Path) -> str:
    """Return the text of the refusal."""
    with pytest.raises(BundleError) as caught:
        read_bundle(folder)
    return str(caught.value)


def test_the_tests_know_all_files(whole: Path) -> None:
    assert sorted(os.listdir(whole)) == FILES
    read_bundle(whole)


def test_what_a_clone_has_beside_the_files_is_left_alone(bundle: Path) -> None:
    (bundle / ".git").mkdir()
    (bundle / ".cache" / "huggingface").mkdir(parents=True)
    (bundle / ".gitattributes").write_bytes(b"*.safetensors filter=lfs\n")
    read_bundle(bundle)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.37, 0.5, 0.81, 1.0])
@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_found_and_the_file_named(bundle: Path, name: str, share: float) -> None:
    flip_bit(bundle / name, share)
    assert name in refused(bundle)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_is_named(bundle: Path, name: str) -> None:
    os.truncate(bundle / name, (bundle / name).stat().st_size // 2)
    assert name in refused(bundle)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_missing_is_named(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    assert f"{name}: wanted" in refused(bundle)


@pytest.mark.parametrize("name", FILES)
def test_an_empty_file_is_named(bundle: Path, name: str) -> None:
    (bundle / name).write_bytes(b"")
    assert name in refused(bundle)


@pytest.mark.parametrize("name", ["weights.pkl", "model.py", ".hidden", "whole_phrases.txt"])
def test_a_file_that_the_manifest_does_not_list_is_named(bundle: Path, name: str) -> None:
    (bundle / name).write_bytes(b"\x80\x04.")
    assert f"{name}: wanted only files that the manifest lists" in refused(bundle)


@pytest.mark.parametrize("name", ["weights.pkl", "../outside.txt", "/etc/hostname", ""])
def test_a_manifest_that_lists_other_files_is_refused(bundle: Path, name: str) -> None:
    (bundle.parent / "outside.txt").write_text("x")
    if name == "weights.pkl":
        (bundle / name).write_bytes(b"\x80\x04.")
        reseal(bundle)
    else:
        text = (bundle / "manifest.json").read_text()
        (bundle / "manifest.json").write_text(text.replace("README.md", name, 1))
        seal_manifest(bundle)
    assert "manifest.json: wanted only the files of a bundle" in refused(bundle)


@pytest.mark.parametrize("name", FILES)
def test_symbolic_links_are_not_followed(bundle: Path, name: str) -> None:
    outside = bundle.parent / "outside"
    (bundle / name).rename(outside)
    (bundle / name).symlink_to(outside)
    assert f"{name}: wanted a plain file, got a symbolic link" in refused(bundle)


def test_of_the_folder_of_a_run_it_is_said_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "config.yaml").touch()
    text = refused(tmp_path)
    assert "manifest.sha256 of a bundle, got none; `rrnn export` makes a bundle of a run" in text


def test_a_folder_inside_is_refused(bundle: Path) -> None:
    (bundle / "more").mkdir()
    assert "more: wanted a plain file, got a folder" in refused(bundle)


def test_the_bundle_itself_may_be_a_link(bundle: Path) -> None:
    link = bundle.with_name("latest")
    link.symlink_to(bundle)
    assert read_bundle(link).facts["name"] == "tiny"


@pytest.mark.parametrize("name", ["manifest.json", "config.json"])
@pytest.mark.parametrize(
    ("key", "value", "found"),
    [("format_version", 2, "got 'rrnn_lit bundle' version 2"), ("format", "x", "got 'x' version")],
)
def test_another_format_is_refused_with_both_versions(
    bundle: Path, name: str, key: str, value: object, found: str
) -> None:
    edit_json(bundle / name, key, value=value)
    text = refused(bundle)
    assert f"{name}: wanted 'rrnn_lit bundle' version 1" in text
    assert found in text


@pytest.mark.parametrize(
    "content",
    ["[]", "{}", "null", '{"format": 1}', "{" * 5000, '{"files": []}', "[" * 200_000, "\x00"],
)
def test_a_manifest_that_is_something_else_is_refused(bundle: Path, content: str) -> None:
    (bundle / "manifest.json").write_text(content)
    seal_manifest(bundle)
    assert "manifest.json: wanted" in refused(bundle)


@pytest.mark.parametrize(
    ("key", "value"),
    [("bytes", "12"), ("bytes", True), ("sha256", 3), ("sha256", "../x"), ("sha256", None)],
)
def test_an_entry_of_another_type_is_refused(bundle: Path, key: str, value: object) -> None:
    path = bundle / "manifest.json"
    content = json.loads(path.read_text())
    content["files"]["words.txt"][key] = value
    path.write_text(json.dumps(content))
    seal_manifest(bundle)
    assert "manifest.json: wanted the manifest of a bundle" in refused(bundle)


def test_the_seal_is_what_sha256sum_checks(whole: Path) -> None:
    digest, name = (whole / "manifest.sha256").read_text().split("  ")
    assert len(digest) == 64
    assert name == "manifest.json\n"
