from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.evaluation.throughput import measure_speed
from tests.codec.parts import tiny_parts
from tests.evaluation.reports import CPU


def test_speed_comes_with_its_conditions(prepared_folder: Path) -> None:
    store = PreparedData(prepared_folder, verify=False).store("holdout")
    found = measure_speed(tiny_parts(), store, np.arange(20), 8, CPU)
    num_words = int(store.lengths.sum())
    conditions = {
        "num_sentences": 20,
        "num_words": num_words,
        "batch_size": 8,
        "passes": 3,
        "threads": torch.get_num_threads(),
        "device": "cpu",
        "dtype": "float32",
        "vocab_size": 71,
    }
    assert conditions.items() <= asdict(found).items()
    for step in ("encode", "decode"):
        sentences = getattr(found, f"{step}_sentences_per_second")
        assert sentences > 0
        words = getattr(found, f"{step}_words_per_second")
        assert words / sentences == pytest.approx(num_words / 20)
