import json
from pathlib import Path

import pytest

from rrnn_lit.training.sample_sentences import SampleSentences
from tests.training.conftest import Fit


def sample_numbers(folder: Path) -> list[int]:
    lines = (folder / "reconstructions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["sentence_number"] for line in lines]


def test_the_same_evaluated_sentences_in_every_run(fit: Fit) -> None:
    first = fit({"data.tune_sentences": 8, "samples.num_sentences": 5})
    other = {"data.tune_sentences": 8, "samples.num_sentences": 5, "data.seed": 3}
    second = fit(other, "--seed_everything", "9", "--run.if_exists", "new")
    numbers = sample_numbers(first.folder)
    assert len(set(numbers)) == 5
    assert numbers == sorted(numbers)
    assert max(numbers) < 8
    assert sample_numbers(second.folder) == numbers


@pytest.mark.parametrize(("wanted", "got"), [(0, 0), (100, 20)])
def test_number_of_sentences(fit: Fit, wanted: int, got: int) -> None:
    cli = fit({"trainer.max_steps": 4, "samples.num_sentences": wanted})
    assert len(sample_numbers(cli.folder)) == got


def test_negative_number_is_refused() -> None:
    with pytest.raises(ValueError, match="samples.num_sentences: wanted at least 0, got -1"):
        SampleSentences(-1)
