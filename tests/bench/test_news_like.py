"""Made-up text has the sizes of news text and can be trained on."""

from pathlib import Path

import numpy as np

from rrnn_lit.bench.news_like import write_news_like
from rrnn_lit.data.manifest import read_manifest
from rrnn_lit.data.prepared import PreparedData


def write(folder: Path, seed: int = 0) -> Path:
    write_news_like(folder, num_sentences=3_000, vocab_size=1_000, word_dim=8, seed=seed)
    return folder


def test_a_written_folder_passes_the_checks_of_a_prepared_one(tmp_path: Path) -> None:
    prepared = PreparedData(write(tmp_path), verify=True)
    assert prepared.word_vectors.vocab_size == 1_000
    assert prepared.store("train").num_sentences == 3_000


def test_lengths_and_words_are_those_of_news(tmp_path: Path) -> None:
    prepared = PreparedData(write(tmp_path), verify=False)
    store = prepared.store("train")
    assert 23 < store.lengths.mean() < 26
    assert store.lengths.max() == 60
    sentences = [store.sentence(number) for number in range(3_000)]
    eos_id = prepared.word_vectors.eos_id
    assert all(s[-1] == eos_id and eos_id not in s[:-1] for s in sentences)
    counts = np.bincount(np.concatenate(sentences), minlength=1_000)
    # by Zipf's law word 0 comes 11 times as often as word 100: 1 / 10 against 1 / 110
    assert 8 < counts[0] / counts[98:103].mean() < 14


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    first, second, other = (
        read_manifest(write(tmp_path / name, seed))["files"]
        for name, seed in (("first", 0), ("second", 0), ("other", 1))
    )
    assert first == second
    assert first != other
