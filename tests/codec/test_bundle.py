import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rrnn_lit.codec.bundle import BundleError, is_bundle, read_bundle, write_bundle
from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.models.building import autoencoder_of, weights_digest
from rrnn_lit.models.packing import Packing
from tests.codec.damage import contents
from tests.codec.parts import OPTIONS, fill, tiny_parts

RICH: dict[str, Any] = {
    "corrections": {"teh": ["the"], "alot": ["a", "lot"]},
    "whole_phrases": "old_mill\n",
}


def vectors_of(parts: CodecParts) -> torch.Tensor:
    """Return the vectors of two sentences of the first words."""
    lengths_B = torch.tensor([5, 3])
    packing = Packing.of(lengths_B, torch.device("cpu"))
    words_NW = torch.tensor(np.array(parts.word_vectors.vectors_VW[:8], dtype=np.float32))
    return parts.autoencoder.encoder.encode(words_NW, packing)


@pytest.mark.parametrize("compressor", [False, True])
def test_what_is_read_is_what_was_written(tmp_path: Path, compressor: bool) -> None:
    parts = replace(tiny_parts(compressor), **RICH)
    write_bundle(parts, tmp_path / "bundle")
    read = read_bundle(tmp_path / "bundle")
    assert torch.equal(vectors_of(read), vectors_of(parts))
    assert weights_digest(read.autoencoder) == weights_digest(parts.autoencoder)
    assert read.autoencoder_options == parts.autoencoder_options
    assert read.compressor_options == parts.compressor_options
    if parts.compressor is not None:
        assert read.compressor is not None
        assert weights_digest(read.compressor) == weights_digest(parts.compressor)
    assert read.word_vectors.words == parts.word_vectors.words
    assert np.array_equal(read.word_vectors.vectors_VW, parts.word_vectors.vectors_VW)
    assert np.array_equal(read.whitening.factor, parts.whitening.factor)
    for name in ("text", "facts", "known_words", "whole_phrases", "corrections"):
        assert getattr(read, name) == getattr(parts, name), name


def test_the_networks_that_are_read_are_ready_for_use(tmp_path: Path) -> None:
    write_bundle(tiny_parts(compressor=True), tmp_path / "bundle")
    read = read_bundle(tmp_path / "bundle")
    for network in (read.autoencoder, read.compressor):
        assert network is not None
        assert not network.training
        assert not any(weight.requires_grad for weight in network.parameters())
        assert {weight.device.type for weight in network.parameters()} == {"cpu"}


@pytest.mark.parametrize("cell", ["gru", "lstm", "tanh", "transformer"])
def test_networks_of_other_cells_come_back_too(tmp_path: Path, cell: str) -> None:
    options = {**OPTIONS, "cell": cell, "hidden_size": 16}
    autoencoder = autoencoder_of(options)
    fill(autoencoder, torch.Generator().manual_seed(0))
    parts = replace(tiny_parts(), autoencoder=autoencoder, autoencoder_options=options)
    write_bundle(parts, tmp_path / "bundle")
    assert torch.equal(vectors_of(read_bundle(tmp_path / "bundle")), vectors_of(parts))


def test_the_same_parts_give_the_same_bytes(tmp_path: Path) -> None:
    write_bundle(tiny_parts(compressor=True), tmp_path / "first")
    write_bundle(tiny_parts(compressor=True), tmp_path / "second")
    write_bundle(read_bundle(tmp_path / "first"), tmp_path / "third")
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    assert contents(tmp_path / "first") == contents(tmp_path / "third")


def test_other_weights_give_another_manifest(tmp_path: Path) -> None:
    write_bundle(tiny_parts(seed=0), tmp_path / "first")
    write_bundle(tiny_parts(seed=1), tmp_path / "second")
    assert (tmp_path / "first" / "manifest.sha256").read_bytes() != (
        tmp_path / "second" / "manifest.sha256"
    ).read_bytes()


def test_another_process_reads_the_same_without_the_training_framework(tmp_path: Path) -> None:
    parts = tiny_parts()
    write_bundle(parts, tmp_path / "bundle")
    code = f"""
import sys
from pathlib import Path
from rrnn_lit.codec.bundle import read_bundle
from rrnn_lit.models.building import weights_digest
print(weights_digest(read_bundle(Path({str(tmp_path / "bundle")!r})).autoencoder))
heavy = ("lightning", "torchmetrics", "wandb", "optuna", "gensim", "matplotlib", "pandas")
print([name for name in (*heavy, "nltk", "anyascii", "py3langid") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:2] == [weights_digest(parts.autoencoder), "[]"]


@pytest.mark.parametrize("taken", ["a bundle", "a foreign file", "a bundle and more", "a file"])
def test_a_taken_folder_is_refused_and_left_alone(tmp_path: Path, taken: str) -> None:
    target = tmp_path / "target"
    if taken == "a file":
        target.write_text("mine")
    else:
        if taken.startswith("a bundle"):
            write_bundle(tiny_parts(seed=1), target)
        target.mkdir(exist_ok=True)
        if taken != "a bundle":
            (target / "mine.txt").write_text("mine")
    before = target.read_bytes() if target.is_file() else contents(target)
    for overwrite in (False, True):
        if overwrite and taken == "a bundle":
            continue
        with pytest.raises(BundleError, match="target: wanted a new or an empty folder"):
            write_bundle(tiny_parts(), target, overwrite=overwrite)
    assert before == (target.read_bytes() if target.is_file() else contents(target))
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_an_empty_folder_or_with_overwrite_a_bundle_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    target.mkdir()
    write_bundle(tiny_parts(compressor=True, seed=1), target)
    parts = tiny_parts(seed=2)
    write_bundle(parts, target, overwrite=True)
    assert weights_digest(read_bundle(target).autoencoder) == weights_digest(parts.autoencoder)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_bundle_can_replace_the_one_it_was_read_from(tmp_path: Path) -> None:
    write_bundle(tiny_parts(), tmp_path / "bundle")
    before = contents(tmp_path / "bundle")
    write_bundle(read_bundle(tmp_path / "bundle"), tmp_path / "bundle", overwrite=True)
    assert contents(tmp_path / "bundle") == before


@contextmanager
def files_of_at_most(num_bytes: int) -> Iterator[None]:
    """Let writes beyond so many bytes fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("num_bytes", [200, 1000, 5000])
def test_a_full_disk_leaves_the_earlier_bundle_and_nothing_else(
    tmp_path: Path, num_bytes: int
) -> None:
    write_bundle(tiny_parts(), tmp_path / "bundle")
    before = contents(tmp_path / "bundle")
    parts = tiny_parts(seed=1)
    with files_of_at_most(num_bytes), pytest.raises(OSError, match=r"."):
        write_bundle(parts, tmp_path / "bundle", overwrite=True)
    assert contents(tmp_path / "bundle") == before
    assert os.listdir(tmp_path) == ["bundle"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_not_written(tmp_path: Path, value: float) -> None:
    parts = tiny_parts()
    next(parts.autoencoder.parameters())[0, 0] = value
    with pytest.raises(BundleError, match=r"finite.*encoder"):
        write_bundle(parts, tmp_path / "bundle")
    assert os.listdir(tmp_path) == []


def test_a_compressor_without_its_options_is_not_written(tmp_path: Path) -> None:
    parts = replace(tiny_parts(compressor=True), compressor_options=None)
    with pytest.raises(BundleError, match="compressor with its options"):
        write_bundle(parts, tmp_path / "bundle")
    assert os.listdir(tmp_path) == []


def test_a_figure_that_is_not_a_number_becomes_null(tmp_path: Path) -> None:
    facts = {"name": "odd", "splits": {"tune": {"strict_matched_word_rate": float("nan")}}}
    write_bundle(replace(tiny_parts(), facts=facts), tmp_path / "bundle")
    splits = read_bundle(tmp_path / "bundle").facts["splits"]
    assert splits == {"tune": {"strict_matched_word_rate": None}}


def test_facts_that_are_no_plain_values_are_refused(tmp_path: Path) -> None:
    parts = replace(tiny_parts(), facts={"name": "odd", "data": object()})
    with pytest.raises(BundleError, match=r"config\.json: wanted plain values"):
        write_bundle(parts, tmp_path / "bundle")


def test_is_bundle_tells_bundles_from_other_folders(tmp_path: Path, prepared_folder: Path) -> None:
    write_bundle(tiny_parts(), tmp_path / "bundle")
    assert is_bundle(tmp_path / "bundle")
    assert not is_bundle(tmp_path)
    assert not is_bundle(tmp_path / "missing")
    assert not is_bundle(prepared_folder)
    (tmp_path / "bundle" / "manifest.sha256").unlink()
    assert is_bundle(tmp_path / "bundle")  # a damaged one: reading it says so


def test_nothing_that_is_not_there_is_read(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="missing: wanted the folder of a bundle, got no such"):
        read_bundle(tmp_path / "missing")
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match="file: wanted the folder of a bundle, got a file"):
        read_bundle(tmp_path / "file")
