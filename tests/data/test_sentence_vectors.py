import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from rrnn_lit.data.manifest import DataError
from rrnn_lit.data.sentence_vectors import SentenceVectors
from tests.data.vector_folder import write_vectors

FIRST = "sentence_vectors-00000.npy"


def some_rows(number: int = 23, size: int = 4) -> npt.NDArray[np.float16]:
    return np.random.default_rng(0).standard_normal((number, size)).astype(np.float16)


@pytest.mark.parametrize("shard_sentences", [1, 5, 23])
def test_rows_of_any_order_come_from_their_shards(tmp_path: Path, shard_sentences: int) -> None:
    rows_NS = some_rows()
    vectors = SentenceVectors(write_vectors(tmp_path / "v", rows_NS, shard_sentences))
    numbers = np.array([22, 0, 5, 4, 5, 21])
    assert (len(vectors), vectors.row_size) == (23, 4)
    assert np.array_equal(vectors.rows(numbers), rows_NS[numbers])
    assert vectors.rows(np.array([], dtype=np.int64)).shape == (0, 4)


def test_more_shards_than_files_can_be_open(tmp_path: Path) -> None:
    rows_NS = some_rows(300, 1)
    vectors = SentenceVectors(write_vectors(tmp_path / "v", rows_NS, 1))
    for numbers in (np.arange(300), np.arange(300)[::-1]):
        assert np.array_equal(vectors.rows(numbers), rows_NS[numbers])
    handles = len(list(Path("/proc/self/fd").iterdir()))
    assert handles < 250


@pytest.mark.parametrize("number", [-1, 23])
def test_a_row_that_is_not_there_is_refused(tmp_path: Path, number: int) -> None:
    vectors = SentenceVectors(write_vectors(tmp_path / "v", some_rows(), 5))
    with pytest.raises(DataError, match="wanted rows from 0 to 22, got"):
        vectors.rows(np.array([3, number]))


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_number_that_is_not_finite_is_refused_when_it_is_read(
    tmp_path: Path, bad: float
) -> None:
    rows_NS = some_rows()
    rows_NS[7, 2] = bad
    vectors = SentenceVectors(write_vectors(tmp_path / "v", rows_NS, 5))
    vectors.rows(np.array([6, 8]))
    with pytest.raises(DataError, match="wanted finite numbers, got others in row 7"):
        vectors.rows(np.array([6, 7]))


def test_integer_codes_are_rows_too(tmp_path: Path) -> None:
    codes = np.arange(12, dtype=np.uint8).reshape(6, 2)
    folder = write_vectors(tmp_path / "v", codes, 4, {"kind": "compressed_vectors"})
    vectors = SentenceVectors(folder, "compressed_vectors")
    assert np.array_equal(vectors.rows(np.arange(6)), codes)
    with pytest.raises(DataError, match="wanted sentence_vectors, got compressed_vectors"):
        SentenceVectors(folder)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def change(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def shorten(path: Path) -> None:
    np.save(path, np.load(path, allow_pickle=False)[:-1], allow_pickle=False)


@pytest.mark.parametrize(
    ("damage", "verify", "message"),
    [
        (Path.unlink, False, f"{FIRST}: wanted the shard the manifest lists, got none"),
        (cut, False, f"{FIRST}: wanted a readable .npy file, got"),
        (empty, False, f"{FIRST}: wanted a readable .npy file, got"),
        (shorten, False, f"{FIRST}: wanted 5 rows of 4 float16, got float16 of shape"),
        (change, True, f"{FIRST}: its SHA-256 differs from the manifest's"),
    ],
)
def test_a_damaged_shard_is_refused_by_name(
    tmp_path: Path, damage: Any, verify: bool, message: str
) -> None:
    folder = write_vectors(tmp_path / "v", some_rows(), 5)
    damage(folder / FIRST)
    with pytest.raises(DataError, match=message):
        SentenceVectors(folder, verify=verify)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"format_version": 2}, "wanted 'rrnn_lit sentence vectors' version 1, got"),
        ({"format": "x"}, "wanted 'rrnn_lit sentence vectors' version 1, got"),
        ({"num_sentences": True}, "wanted a number num_sentences of at least 1, got True"),
        ({"shard_sentences": 0}, "wanted a number shard_sentences of at least 1, got 0"),
        ({"dtype": "object"}, "wanted dtype float16 or uint8, got 'object'"),
        ({"weights_digest": None}, "wanted a text weights_digest, got None"),
        ({"shards": [1]}, "wanted a list of shards with their sha256, got"),
        ({"num_sentences": 40}, "wanted 8 shards for 40 sentences, got 5"),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path: Path, facts: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        SentenceVectors(write_vectors(tmp_path / "v", some_rows(), 5, facts))


def test_an_unfinished_folder_is_refused(tmp_path: Path) -> None:
    folder = write_vectors(tmp_path / "v", some_rows(), 5)
    (folder / "manifest.json").write_text(json.dumps([]))
    with pytest.raises(DataError, match="wanted 'rrnn_lit sentence vectors' version 1, got list"):
        SentenceVectors(folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="wanted JSON, got"):
        SentenceVectors(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(DataError, match="got one without it"):
        SentenceVectors(folder)
    with pytest.raises(DataError, match="got no folder"):
        SentenceVectors(tmp_path / "w")
