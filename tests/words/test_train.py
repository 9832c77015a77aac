import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from rrnn_lit.words.train import TrainSettings, train_vectors

SETTINGS = TrainSettings(
    word_dim=6,
    min_count=2,
    epochs=3,
    window=2,
    negative=2,
    sample=0.001,
    algorithm="cbow",
    seed=1,
)
ANIMALS = [["the", "cat", "purrs", "softly"], ["a", "dog", "barks", "loudly"], ["the", "dog"]]
TEXT = ANIMALS * 20 + [["lonely"]]
COUNTS = Counter(word for sentence in TEXT for word in sentence)


def digest() -> str:
    words, vectors_VW = train_vectors(TEXT, len(TEXT), COUNTS, SETTINGS)
    return hashlib.sha256("".join(words).encode() + vectors_VW.tobytes()).hexdigest()


def test_words_come_by_count_then_name_and_rare_ones_are_left_out() -> None:
    words, vectors_VW = train_vectors(TEXT, len(TEXT), COUNTS, SETTINGS)
    assert words == ["dog", "the", "a", "barks", "cat", "loudly", "purrs", "softly"]
    assert vectors_VW.shape == (8, 6)


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process_with_another_hash_seed_gives_the_same_bits(hash_seed: str) -> None:
    command = "from tests.words.test_train import digest; print(digest())"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    result = subprocess.run(
        [sys.executable, "-c", command],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == digest()


@pytest.mark.parametrize("change", [{"seed": 2}, {"algorithm": "skipgram"}, {"epochs": 4}])
def test_each_setting_reaches_gensim(change: dict[str, object]) -> None:
    settings = replace(SETTINGS, **change)  # type: ignore[arg-type]  # parametrised
    one = train_vectors(TEXT, len(TEXT), COUNTS, SETTINGS)[1]
    other = train_vectors(TEXT, len(TEXT), COUNTS, settings)[1]
    assert not np.array_equal(one, other)


def test_progress_adds_up_to_all_sentences_of_all_epochs() -> None:
    calls: list[int] = []
    train_vectors(TEXT * 30, len(TEXT) * 30, COUNTS, SETTINGS, calls.append)
    assert sum(calls) == 3 * 30 * len(TEXT)
    assert len(calls) > 3


def test_an_error_while_reading_ends_the_training() -> None:
    class Broken:
        def __iter__(self) -> Iterator[list[str]]:
            yield from ANIMALS
            raise OSError("the disk went away")

    with pytest.raises(OSError, match="the disk went away"):
        train_vectors(Broken(), 4, COUNTS, SETTINGS)


def test_too_few_words_name_the_option() -> None:
    with pytest.raises(
        ValueError, match=r"words.min_count: wanted at least 2 words that occur 41"
    ):
        train_vectors(TEXT, len(TEXT), COUNTS, replace(SETTINGS, min_count=41))
