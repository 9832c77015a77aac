"""Word vectors from strangers: nothing in them runs, and each lie is refused by its name."""

import gzip
import io
import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from rrnn_lit.data.manifest import file_digest, read_manifest, write_json
from tests.faults.canaries import (
    EXIT_BAD_INPUT,
    Canary,
    ended,
    object_array,
    text_pickle,
    torch_pickle,
)
from tests.training.tiny import tiny_config
from tests.words.test_word2vec import binary

Got = Callable[[str], None]
WORDS = ["the", "miller", "bought", "boats", "yesterday", "."]
ROWS = [(word, [float(number), 1.0, -1.0]) for number, word in enumerate(WORDS)]


def kv_file(folder: Path, canary: Canary) -> bytes:
    """Return a file as gensim saves its own vectors, with a canary inside."""
    from gensim.models import KeyedVectors

    vectors: Any = KeyedVectors(3)
    vectors.add_vectors(WORDS, np.ones((len(WORDS), 3), np.float32))
    vectors.canary = canary
    vectors.save(str(folder / "made.kv"))
    return (folder / "made.kv").read_bytes()


def prepare(folder: Path, name: str, content: bytes) -> int:
    path = folder / name
    path.write_bytes(content)
    text = folder / "text.txt"
    text.write_text("The miller bought boats yesterday.\n" * 3)
    return ended(
        *("prepare", "--source", "files", "--files", text, "--vectors", path),
        *("--words.word_dim", "3", "--out", folder / "out", "--processes", "1"),
        *("--words.dictionary", "full", "--text.language_threshold", "0"),
    )


@pytest.mark.promise(23)
def test_foreign_vectors_are_refused_for_the_right_reason(
    tmp_path: Path, got: Got, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = Canary(tmp_path / "sung")
    nan = struct.pack("3f", 1.0, float("nan"), 0.0)
    cases: dict[str, tuple[str, bytes, str]] = {
        "kv": ("own.kv", kv_file(tmp_path, canary), "can run code when opened"),
        "object npy": ("own.npy", object_array(canary), "wanted a word2vec file named"),
        "truncated": ("cut.bin", binary(ROWS)[:-5], "the file was cut|got a cut file"),
        "header lie": ("lie.bin", binary(ROWS, "1000000000000 3"), "header promises 10{12} x 3"),
        "nan": ("nan.bin", binary(ROWS, "7 3") + b"odd " + nan, "got NaN or inf for 'odd'"),
        "twice": ("twice.bin", binary([*ROWS, ROWS[0]]), "got 'the' twice"),
        # the same behind another name and in a packed file
        "kv named bin": ("own.bin", kv_file(tmp_path, canary), "wanted a first line of two"),
        "npy named vec": ("own.vec", object_array(canary), "wanted a first line of two"),
        "pickle named txt": ("own.txt", text_pickle(canary), "wanted a first line of two"),
        "checkpoint": ("own.txt.gz", gzip.compress(torch_pickle(canary)), "wanted a first line"),
        "packed lie": (
            "lie.txt.gz",
            gzip.compress(b"1000000000000 3\nthe 1 2 3\n"),
            "header promises 10{12} x 3",
        ),
        "huge rows": (
            "wide.bin",
            binary(ROWS, "6 1000000000000"),
            "word_dim: wanted vectors of 3",
        ),
    }
    refused, sung = 0, 0
    for name, (file, content, reason) in cases.items():
        code = prepare(tmp_path, file, content)
        line = capfd.readouterr().err.splitlines()[-1]
        is_right = code == EXIT_BAD_INPUT and re.search(reason, line) is not None
        refused += is_right
        assert is_right, f"{name}: {code}: {line}"
        sung += canary.path.exists()
    got(f"{sung} canaries, {refused} of {len(cases)} refused")
    assert sung == 0
    assert refused == len(cases)


def test_the_canaries_would_sing(tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    canary = Canary(tmp_path / "kv")
    kv_file(tmp_path, canary)
    KeyedVectors.load(str(tmp_path / "made.kv"))
    assert canary.path.is_dir()
    other = Canary(tmp_path / "npy")
    np.load(io.BytesIO(object_array(other)), allow_pickle=True)
    assert other.path.is_dir()


@pytest.mark.promise(23)
@pytest.mark.parametrize("name", ["word_vectors.npy", "train.word_ids.npy"])
def test_objects_in_a_prepared_folder_are_refused_though_its_manifest_fits(
    tmp_path: Path, prepared_folder: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(prepared_folder, data)
    found = data / name
    canary = Canary(tmp_path / "sung")
    found.chmod(0o666)
    found.write_bytes(object_array(canary))
    manifest = read_manifest(data)
    wanted = {"bytes": found.stat().st_size, "sha256": file_digest(found)}
    (data / "manifest.json").chmod(0o666)
    files = {**manifest["files"], found.name: wanted}
    write_json(data / "manifest.json", {**manifest, "files": files})
    config = tmp_path / "c.yaml"
    config.write_text(yaml.safe_dump(tiny_config(data, tmp_path / "run")))
    assert ended("fit", "--config", config) == EXIT_BAD_INPUT
    assert found.name in capfd.readouterr().err.splitlines()[-1]
    assert not canary.path.exists()
