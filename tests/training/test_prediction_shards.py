import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rrnn_lit.bench.faults.saves import die
from rrnn_lit.data.manifest import DataError
from rrnn_lit.data.sentence_vectors import SentenceVectors
from rrnn_lit.training.prediction_shards import PredictionShards
from rrnn_lit.training.samples import Reconstruction
from tests.training.tiny import in_child

FACTS: dict[str, Any] = {
    "kind": "sentence_vectors",
    "split": "tune",
    "num_sentences": 10,
    "row_size": 3,
    "shard_sentences": 4,
    "dtype": "float16",
    "max_words": 12,
    "weights_digest": "weights",
    "data_digest": "data",
}
ROWS = np.random.default_rng(0).standard_normal((10, 3)).astype(np.float16)
# renames of a whole prediction: progress, two for each of three shards, sentences, manifest
NUM_RENAMES = 1 + 2 * 3 + 2


def reconstruction(number: int) -> Reconstruction:
    return Reconstruction(number, [f"word{number}", "EOS"], ["a", "EOS"], [True] * 2, [1.0], [1.0])


def write(shards: PredictionShards, number: int) -> None:
    places = range(10)[4 * number : 4 * number + 4]
    shards.write(number, ROWS[list(places)], [reconstruction(place) for place in places])


def predict(folder: Path, facts: dict[str, Any] | None = None) -> list[int]:
    shards = PredictionShards(folder, facts or FACTS)
    numbers = shards.settle()
    for number in numbers:
        write(shards, number)
    shards.finish()
    return numbers


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_rows_and_sentences_in_order(tmp_path: Path) -> None:
    assert predict(tmp_path / "p") == [0, 1, 2]
    assert np.array_equal(SentenceVectors(tmp_path / "p").rows(np.arange(10)), ROWS)
    lines = (tmp_path / "p" / "reconstructions.jsonl").read_text().splitlines()
    assert [f'"word{i}"' in line for i, line in enumerate(lines)] == [True] * 10
    names = {f"sentence_vectors-0000{i}.npy" for i in range(3)}
    assert set(content(tmp_path / "p")) == {*names, "manifest.json", "reconstructions.jsonl"}


@pytest.mark.parametrize("survived", range(NUM_RENAMES))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_prediction_killed_at_any_file_goes_on_to_the_same_bytes(
    tmp_path: Path, survived: int, after: bool
) -> None:
    predict(tmp_path / "straight")

    def killed() -> int:
        replace, done = os.replace, [0]

        def kill(source: Any, target: Any) -> None:
            if done[0] == survived:
                if after:
                    replace(source, target)
                die()
            done[0] += 1
            replace(source, target)

        os.replace = kill  # type: ignore[assignment]
        predict(tmp_path / "p")
        return 0

    assert in_child(killed) == -9
    finished = survived == NUM_RENAMES - 1 and after
    state = PredictionShards(tmp_path / "p", FACTS).state()
    assert (state == "finished") == finished
    if not finished:
        with pytest.raises(DataError, match="as `rrnn predict` writes it last"):
            SentenceVectors(tmp_path / "p")
    before = content(tmp_path / "p")
    numbers = predict(tmp_path / "p")
    whole = sum(name.endswith(".npy") for name in before)
    assert numbers == (list(range(whole, 3)) or [2])
    assert content(tmp_path / "p") == content(tmp_path / "straight")


@pytest.mark.parametrize(
    "change", [{"weights_digest": "others"}, {"shard_sentences": 5}, {"max_words": 9}]
)
@pytest.mark.parametrize("finished", [False, True])
def test_shards_of_something_else_are_not_kept(
    tmp_path: Path, change: dict[str, Any], finished: bool
) -> None:
    shards = PredictionShards(tmp_path / "p", FACTS)
    shards.settle()
    for number in range(3):
        write(shards, number)
    if finished:
        shards.finish()
    own_file = tmp_path / "p" / "notes.txt"
    own_file.write_text("mine")
    other = PredictionShards(tmp_path / "p", {**FACTS, **change})
    assert other.state() == "new"
    assert other.settle() == list(range(len(other.sizes)))
    assert set(content(tmp_path / "p")) == {"progress.json", "notes.txt"}


def test_a_damaged_shard_is_written_again(tmp_path: Path) -> None:
    shards = PredictionShards(tmp_path / "p", FACTS)
    shards.settle()
    for number in range(2):
        write(shards, number)
    path = tmp_path / "p" / "sentence_vectors-00000.npy"
    path.write_bytes(path.read_bytes()[:-1])
    assert shards.settle() == [0, 2]


def test_a_shard_that_changed_after_the_end_is_predicted_again(tmp_path: Path) -> None:
    predict(tmp_path / "p")
    whole = content(tmp_path / "p")
    path = tmp_path / "p" / "sentence_vectors-00001.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(DataError, match="its SHA-256 differs from the manifest's; predict it"):
        SentenceVectors(tmp_path / "p")
    assert predict(tmp_path / "p") == [0, 1, 2]
    assert content(tmp_path / "p") == whole


def test_a_full_disk_is_named_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = PredictionShards(tmp_path / "p", FACTS)
    shards.settle()
    write(shards, 0)
    before = content(tmp_path / "p")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="00001.npy: the shard could not be written: .*No space"):
        write(shards, 1)
    assert content(tmp_path / "p") == before


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_refused(tmp_path: Path, bad: float) -> None:
    shards = PredictionShards(tmp_path / "p", FACTS)
    shards.settle()
    with pytest.raises(DataError, match="wanted finite vectors, got inf or NaN"):
        shards.write(0, np.full((4, 3), bad, np.float16), [])
