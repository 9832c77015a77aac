import json
import shutil
import tracemalloc
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from rrnn_lit.codec.bundle import read_bundle, write_bundle
from tests.codec.damage import edit_json, reseal
from tests.codec.parts import tiny_parts
from tests.codec.test_bundle_layout import refused

NAME = "autoencoder.safetensors"
WEIGHT = "encoder.sentence_vector.weight"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "bundle"
    write_bundle(tiny_parts(), folder)
    return folder


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may damage."""
    return shutil.copytree(whole, tmp_path / "bundle")


def with_weight(bundle: Path, name: str, tensor: torch.Tensor | None) -> None:
    """Replace, add or leave out one weight and seal the bundle again."""
    tensors = load_file(bundle / NAME)
    if tensor is None:
        del tensors[name]
    else:
        tensors[name] = tensor
    save_file(tensors, bundle / NAME)
    reseal(bundle)


def with_header(bundle: Path, name: str, key: str, value: object) -> None:
    """Let the head of the file lie about one weight, and seal the bundle again."""
    content = (bundle / NAME).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header[name][key] = value
    head = json.dumps(header).encode()
    (bundle / NAME).write_bytes(len(head).to_bytes(8, "little") + head + content[8 + length :])
    reseal(bundle)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_weight_that_is_not_finite_is_refused_by_name(bundle: Path, value: float) -> None:
    with_weight(bundle, WEIGHT, torch.full((24, 20), value))
    assert f"{NAME}: wanted finite weights, got inf or NaN in {WEIGHT}" in refused(bundle)


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int32, torch.bool]
)
def test_a_weight_of_another_dtype_is_refused_by_name(bundle: Path, dtype: torch.dtype) -> None:
    with_weight(bundle, WEIGHT, torch.zeros(24, 20, dtype=dtype))
    assert f"{NAME}: wanted {WEIGHT} of shape [24, 20] and torch.float32" in refused(bundle)


@pytest.mark.parametrize("shape", [(20, 24), (24, 21), (480,), (24, 20, 1)])
def test_a_weight_of_another_shape_is_refused_by_name(
    bundle: Path, shape: tuple[int, ...]
) -> None:
    with_weight(bundle, WEIGHT, torch.zeros(shape))
    text = refused(bundle)
    assert f"{NAME}: wanted {WEIGHT} of shape [24, 20]" in text
    assert f"got shape {list(shape)}" in text


def test_a_missing_weight_is_named(bundle: Path) -> None:
    with_weight(bundle, WEIGHT, None)
    assert f"{NAME}: wanted the weights of the options, {WEIGHT}, got none" in refused(bundle)


def test_a_weight_too_many_is_named(bundle: Path) -> None:
    with_weight(bundle, "encoder.more", torch.zeros(3))
    assert "got another, encoder.more" in refused(bundle)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shape", [24, 10**12]),
        ("shape", [2**63, 2**63]),
        ("shape", [-24, 20]),
        ("dtype", "F64"),
        ("dtype", "os.system"),
        ("data_offsets", [0, 10**15]),
        ("data_offsets", [5, 5]),
    ],
)
def test_a_head_that_lies_is_refused(bundle: Path, key: str, value: object) -> None:
    with_header(bundle, WEIGHT, key, value)
    assert NAME in refused(bundle)


@pytest.mark.parametrize("length", [0, 2**40, 2**64 - 1])
def test_a_head_of_a_false_length_is_refused(bundle: Path, length: int) -> None:
    content = (bundle / NAME).read_bytes()
    (bundle / NAME).write_bytes(length.to_bytes(8, "little") + content[8:])
    reseal(bundle)
    assert f"{NAME}: wanted a safetensors file" in refused(bundle)


@pytest.mark.parametrize(
    ("name", "value"),
    [("hidden_size", 10**9), ("sentence_vector_size", 10**14), ("hidden_size", 10**30)],
)
def test_a_huge_size_takes_no_memory(bundle: Path, name: str, value: int) -> None:
    edit_json(bundle / "config.json", "autoencoder", name, value=value)
    tracemalloc.start()
    try:
        text = refused(bundle)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert f"config.json: wanted {name} to fit the" in text
    assert peak < 10_000_000


def test_options_of_another_width_are_refused_before_weights_are_read(bundle: Path) -> None:
    # fits the size of the file, so that only the comparison of shapes finds it
    edit_json(bundle / "config.json", "autoencoder", "hidden_size", value=4000)
    assert f"{NAME}: wanted encoder.rnn" in refused(bundle)


def test_weights_do_not_follow_later_changes_of_the_file(bundle: Path) -> None:
    parts = read_bundle(bundle)
    before = [weight.clone() for weight in parts.autoencoder.parameters()]
    size = (bundle / NAME).stat().st_size
    with open(bundle / NAME, "r+b") as file:
        file.write(b"\xff" * size)
    after = list(parts.autoencoder.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_others_may_read_the_weights_as_they_may_read_the_rest(whole: Path) -> None:
    assert (whole / NAME).stat().st_mode == (whole / "words.txt").stat().st_mode
