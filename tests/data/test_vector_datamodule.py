from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rrnn_lit.data.datamodule import SentenceDataModule
from rrnn_lit.data.manifest import DataError
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.vector_datamodule import SentenceVectorDataModule
from tests.data.vector_folder import write_vectors

OPTIONS: dict[str, Any] = {
    "batch_size": 16,
    "max_words": 10,
    "seed": 3,
    "max_passes": None,
    "length_buckets": 2,
    "tune_sentences": 8,
    "test_sentences": None,
    "holdout_sentences": None,
    "eval_batch_size": 6,
}


def make_data(folder: Path, vectors: Path | None = None, **changes: Any) -> Any:
    where = None if vectors is None else str(vectors)
    options = {**OPTIONS, **changes}
    return SentenceVectorDataModule(str(folder), "somewhere", where, **options)


@pytest.fixture
def vectors(prepared_folder: Path, tmp_path: Path) -> Path:
    """Vectors of the training sentences: each holds its sentence's number."""
    data = PreparedData(prepared_folder)
    numbers = np.flatnonzero(data.store("train").lengths <= OPTIONS["max_words"])
    rows_NS = np.stack([numbers, -numbers], axis=1).astype(np.float16)
    facts = {"max_words": OPTIONS["max_words"], "data_digest": data.digest}
    return write_vectors(tmp_path / "vectors", rows_NS, 30, facts)


def first_batches(loader: Any, number: int = 20) -> list[dict[str, Any]]:
    return list(islice(loader, number))


def seen(batches: list[dict[str, Any]]) -> list[Any]:
    return [
        (b["batch_number"], b["sentence_numbers_B"].tolist(), b["word_ids_BT"].tolist())
        for b in batches
    ]


def test_batches_are_those_of_the_sentences_without_blanks(prepared_folder: Path) -> None:
    data = make_data(prepared_folder)
    sentences = SentenceDataModule(str(prepared_folder), blank_every=0, **OPTIONS)
    assert seen(first_batches(data.train_dataloader())) == seen(
        first_batches(sentences.train_dataloader())
    )
    for one, other in zip(data.val_dataloader(), sentences.val_dataloader(), strict=True):
        assert seen(first_batches(one)) == seen(first_batches(other))
    for name in ("test_dataloader", "predict_dataloader"):
        one, other = getattr(data, name)(), getattr(sentences, name)()
        assert seen(first_batches(one)) == seen(first_batches(other))


def test_every_sentence_brings_its_own_stored_vector(prepared_folder: Path, vectors: Path) -> None:
    batches = first_batches(make_data(prepared_folder, vectors).train_dataloader())
    plain = first_batches(make_data(prepared_folder).train_dataloader())
    assert seen(batches) == seen(plain)
    for batch in batches:
        numbers_B = batch["sentence_numbers_B"].half()
        assert batch["sentence_vector_BS"].tolist() == [[n, -n] for n in numbers_B.tolist()]


@pytest.mark.parametrize("stored", [False, True])
def test_training_goes_on_at_its_position(
    prepared_folder: Path, vectors: Path, stored: bool
) -> None:
    def data() -> Any:
        return make_data(prepared_folder, vectors if stored else None)

    straight = seen(first_batches(data().train_dataloader()))
    state = {**data().state_dict(), "position": 7}
    resumed = data()
    resumed.load_state_dict(state)
    assert resumed.position == 7
    assert seen(first_batches(resumed.train_dataloader()))[:10] == straight[7:17]


def test_another_source_of_vectors_is_refused(prepared_folder: Path, vectors: Path) -> None:
    plain, stored = make_data(prepared_folder), make_data(prepared_folder, vectors)
    with pytest.raises(ValueError, match="data.vectors: the checkpoint was written with vectors"):
        stored.load_state_dict(plain.state_dict())
    with pytest.raises(ValueError, match="data.vectors: the checkpoint was written with stored"):
        plain.load_state_dict(stored.state_dict())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_words": 9}, "data.vectors: wanted max_words 9 in .*, got 10"),
        ({"batch_size": 0}, "data.batch_size: wanted a number of at least 1, got 0"),
        ({"shard_sentences": 0}, "data.shard_sentences: wanted a number of at least 1, got 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    prepared_folder: Path, vectors: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_data(prepared_folder, vectors, **changes)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"split": "tune"}, "data.vectors: wanted split train in .*, got tune"),
        ({"data_digest": "x"}, "data.vectors: wanted data_digest .* in .*, got x"),
        ({"kind": "compressed_vectors"}, "wanted sentence_vectors, got compressed_vectors"),
    ],
)
def test_vectors_of_something_else_are_refused(
    prepared_folder: Path, tmp_path: Path, facts: dict[str, Any], message: str
) -> None:
    folder = write_vectors(tmp_path / "v", np.zeros((5, 2), np.float16), 5, facts)
    with pytest.raises(DataError, match=message):
        make_data(prepared_folder, folder)
