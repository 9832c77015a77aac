from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.synthetic import write_synthetic
from rrnn_lit.data.token_store import SPLITS


def test_folder_passes_every_check_and_has_the_sizes_asked_for(tmp_path: Path) -> None:
    write_synthetic(tmp_path, num_words=30, num_sentences=100, max_words=9, word_dim=8)
    data = PreparedData(tmp_path)
    assert data.word_vectors.vectors_VW.shape == (30 + 21, 8)
    sizes = {split: data.store(split).num_sentences for split in SPLITS}
    assert sizes == {"train": 70, "tune": 10, "test": 10, "holdout": 10}
    assert data.store("train").lengths.max() == 9


def test_no_sentence_is_in_two_splits(tmp_path: Path) -> None:
    write_synthetic(tmp_path)
    data = PreparedData(tmp_path)
    sentences = [
        data.store(split).sentence(i).tobytes()
        for split in SPLITS
        for i in range(data.store(split).num_sentences)
    ]
    assert len(set(sentences)) == len(sentences) == 200


def test_same_seed_same_bytes_and_another_seed_other_words(tmp_path: Path) -> None:
    first = write_synthetic(tmp_path / "a", seed=1)
    assert write_synthetic(tmp_path / "b", seed=1) == first
    assert write_synthetic(tmp_path / "c", seed=2)["files"] != first["files"]


def test_frequent_words_come_first(tmp_path: Path) -> None:
    write_synthetic(tmp_path, num_words=20, num_sentences=300)
    store = PreparedData(tmp_path).store("train")
    ids = np.concatenate([store.sentence(i)[:-1] for i in range(store.num_sentences)])
    counts = np.bincount(ids, minlength=20)
    assert counts[0] > 3 * counts[10] > 0


def test_too_few_words_for_the_sentences_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="num_sentences: wanted 500 distinct"):
        write_synthetic(tmp_path, num_words=2, num_sentences=500, max_words=4)


def test_no_two_words_share_a_vector(tmp_path: Path) -> None:
    write_synthetic(tmp_path)
    vectors_VW = np.load(tmp_path / "word_vectors.npy")
    assert len(np.unique(vectors_VW, axis=0)) == len(vectors_VW)
