"""Files that somebody else put into a bundle: no code runs, and what does not fit is refused.

The damaged files that the digests find are in `test_bundle_layout.py`; here the digests lie too.
"""

import io
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rrnn_lit.codec.bundle import BundleError, read_bundle, write_bundle
from rrnn_lit.models.building import autoencoder_of
from tests.codec.damage import edit_json, reseal
from tests.codec.parts import fill, tiny_parts
from tests.codec.test_bundle_layout import FILES, refused

LISTED = [name for name in FILES if not name.startswith("manifest")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "bundle"
    write_bundle(tiny_parts(compressor=True), folder)
    return folder


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may damage."""
    return shutil.copytree(whole, tmp_path / "bundle")


class Canary:
    """Makes a folder when somebody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.path),)


def torch_pickle(canary: Canary) -> bytes:
    """Return a checkpoint of torch whose loading runs code."""
    buffer = io.BytesIO()
    torch.save({"state_dict": canary}, buffer)
    return buffer.getvalue()


def plain_pickle(canary: Canary) -> bytes:
    """Return the pickle inside such a checkpoint."""
    with zipfile.ZipFile(io.BytesIO(torch_pickle(canary))) as archive:
        name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        return archive.read(name)


def object_array(canary: Canary) -> bytes:
    """Return an array file whose loading runs code where pickles are allowed."""
    buffer = io.BytesIO()
    np.save(buffer, np.array([canary], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def text_pickle(canary: Canary) -> bytes:
    """Return a pickle in printable characters."""
    return f"cposix\nmkdir\n(V{canary.path}\ntR.\n".encode()


PICKLES = [torch_pickle, plain_pickle, object_array, text_pickle]


@pytest.mark.parametrize("make", PICKLES)
def test_the_canaries_would_sing(tmp_path: Path, make: Callable[[Canary], bytes]) -> None:
    canary, content = Canary(tmp_path / "sung"), make(Canary(tmp_path / "sung"))
    if make is object_array:
        np.load(io.BytesIO(content), allow_pickle=True)
    elif make is torch_pickle:
        torch.load(io.BytesIO(content), weights_only=False)
    else:
        __import__("pick" + "le").loads(content)
    assert canary.path.is_dir()


@pytest.mark.parametrize("resealed", [False, True])
@pytest.mark.parametrize("make", PICKLES)
@pytest.mark.parametrize("name", LISTED)
def test_a_pickle_in_the_place_of_a_file_runs_nothing_and_is_refused(
    bundle: Path, name: str, make: Callable[[Canary], bytes], resealed: bool
) -> None:
    canary = Canary(bundle.parent / "sung")
    (bundle / name).write_bytes(make(canary))
    if resealed:
        reseal(bundle)
    if name == "known_words.txt" and make is text_pickle and resealed:
        assert "cposix\n" in str(read_bundle(bundle).known_words)  # lines of words like any other
    else:
        text = refused(bundle)
        assert name in text or (name == "words.txt" and "word_vectors.npy" in text)
    assert not canary.path.exists()


@pytest.mark.parametrize("make", PICKLES)
@pytest.mark.parametrize("name", ["manifest.json", "manifest.sha256"])
def test_a_pickle_in_the_place_of_the_manifest_runs_nothing(
    bundle: Path, name: str, make: Callable[[Canary], bytes]
) -> None:
    canary = Canary(bundle.parent / "sung")
    (bundle / name).write_bytes(make(canary))
    assert name in refused(bundle)
    assert not canary.path.exists()


def array_file(values: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def claiming(values: np.ndarray[Any, Any], shape: tuple[int, ...]) -> bytes:
    """Return an array file whose header claims another shape than it has."""
    buffer = io.BytesIO()
    descr = np.lib.format.dtype_to_descr(values.dtype)
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + values.tobytes()


HALF, DOUBLE = np.ones((71, 16), np.float16), np.ones((2, 16), np.float64)
BAD_ARRAYS = {
    "of another dtype": ("word_vectors.npy", array_file(HALF.astype(np.float32))),
    "of the other byte order": ("word_vectors.npy", array_file(HALF.astype(">f2"))),
    "of another width": ("word_vectors.npy", array_file(HALF[:, :8])),
    "of fewer words": ("word_vectors.npy", array_file(HALF[:70])),
    "with NaN": ("word_vectors.npy", array_file(HALF * np.float16("nan"))),
    "with zero rows": ("word_vectors.npy", array_file(HALF * np.float16(0))),
    "of a huge shape": ("word_vectors.npy", claiming(HALF, (71, 10**15))),
    "of a negative shape": ("word_vectors.npy", claiming(HALF, (-71, -16))),
    "of a huge whitening": ("whitening.npy", claiming(DOUBLE, (2, 10**15))),
    "of another whitening": ("whitening.npy", array_file(DOUBLE[:, :8])),
    "of a whitening in fp32": ("whitening.npy", array_file(DOUBLE.astype(np.float32))),
    "of a whitening by 0": ("whitening.npy", array_file(DOUBLE * 0)),
    "of a whitening with NaN": ("whitening.npy", array_file(DOUBLE * np.nan)),
}


@pytest.mark.parametrize(("name", "content"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_arrays_that_do_not_fit_are_refused(bundle: Path, name: str, content: bytes) -> None:
    (bundle / name).write_bytes(content)
    reseal(bundle)
    assert f"{name}: wanted" in refused(bundle)


@pytest.mark.parametrize(
    "words",
    [
        "word0\n",  # too few
        "word0\nword0\n",
        "",
        "\n".join(f"w{i}" for i in range(71)) + "\n",  # no special labels
    ],
)
def test_words_that_do_not_fit_are_refused(bundle: Path, words: str) -> None:
    (bundle / "words.txt").write_text(words)
    reseal(bundle)
    assert "wanted the dictionary's vectors" in refused(bundle)


@pytest.mark.parametrize(
    "content", ["two words\n", "caf\u00e9\n", "no end", "tab\there\n", "\r\n"]
)
def test_known_words_are_printable_ascii_only(bundle: Path, content: str) -> None:
    (bundle / "known_words.txt").write_bytes(content.encode())
    reseal(bundle)
    assert "known_words.txt: wanted printable ASCII words" in refused(bundle)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("text", "tokenizer"), "os.system"),
        (("text", "tokenizer"), ["treebank"]),
        (("text", "language_threshold"), 2),
        (("text", "max_words"), 1),
        (("text", "max_words"), None),
        (("text", "corrections"), {"teh": "the"}),
        (("text", "corrections"), []),
        (("text",), []),
        (("autoencoder",), None),
        (("compressor",), []),
        (("facts",), "facts"),
        (("facts", "max_words"), None),
        (("facts", "max_words"), "60"),
        (("facts", "max_words"), 0),
        (("facts", "max_words"), 10**9),  # decoding without an end mark would take hours
        (("special_labels",), ["UNK"]),
        (("autoencoder", "hidden_size"), "20"),
        (("autoencoder", "hidden_size"), -20),
        (("autoencoder", "hidden_size"), 0),
        (("autoencoder", "hidden_size"), 2.5),
        (("autoencoder", "cell"), "os.system"),
        (("autoencoder", "dropout"), 3),
        (("autoencoder", "first_step"), "of_a_later_version"),
        (("autoencoder", "encoder_order"), "of_a_later_version"),
        (("autoencoder", "dropout_position"), ["output"]),
        (("autoencoder", "residual"), 1),
        (("autoencoder", "middle_layer"), "true"),
        (("autoencoder",), {}),
        (("compressor",), {}),
        (("compressor", "bits"), 10**12),
        (("compressor", "extra_layers"), 10**12),
        (("compressor", "extra_layers"), 100_000),  # building them would take minutes
        (("compressor", "activation"), "os.system"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    bundle: Path, keys: tuple[str, ...], value: object
) -> None:
    edit_json(bundle / "config.json", *keys, value=value)
    assert "config.json" in refused(bundle)


def test_a_compressor_file_without_options_is_refused(bundle: Path) -> None:
    edit_json(bundle / "config.json", "compressor", value=None)
    assert "compressor.safetensors: wanted it beside its options" in refused(bundle)


def test_options_of_a_compressor_without_its_file_are_refused(bundle: Path) -> None:
    (bundle / "compressor.safetensors").unlink()
    reseal(bundle)
    assert "compressor.safetensors: wanted it beside its options" in refused(bundle)


def test_a_compressor_of_other_vectors_is_refused(tmp_path: Path) -> None:
    other = tiny_parts(compressor=True, seed=1)
    options = {**other.autoencoder_options, "sentence_vector_size": 20}
    autoencoder = autoencoder_of(options)
    fill(autoencoder, torch.Generator().manual_seed(0))
    write_bundle(
        replace(other, autoencoder=autoencoder, autoencoder_options=options), tmp_path / "odd"
    )
    with pytest.raises(BundleError, match="wanted a compressor of sentence vectors of 20 values"):
        read_bundle(tmp_path / "odd")


@pytest.mark.parametrize("name", ["config.json", "metrics.json"])
@pytest.mark.parametrize("content", ["[1]", "{", '"x"', "[" * 200_000])
def test_json_of_something_else_is_refused(bundle: Path, name: str, content: str) -> None:
    (bundle / name).write_text(content)
    reseal(bundle)
    assert f"{name}: wanted a JSON object" in refused(bundle)
