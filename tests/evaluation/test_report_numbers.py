from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.evaluation import report_numbers as numbers
from rrnn_lit.evaluation.categories import CATEGORIES, categories_of
from rrnn_lit.evaluation.evaluate import Evaluated
from rrnn_lit.evaluation.intervals import Estimate, share_of_sentences, share_of_words
from rrnn_lit.training.metric_keys import RATES
from tests.evaluation.reports import by_hand

WORDS = ["the", "dog", "Dog", "cat", "two", "three", "UNK", "EOS"]
# 3 sentences: exact; one wrong word that is loosely right; an early EOS and a wrong word
PAIRS = [
    ("the dog EOS", "the dog EOS"),
    ("the dog two EOS", "the Dog two EOS"),
    ("two UNK dog EOS", "EOS UNK cat EOS"),
]


@pytest.fixture(scope="module")
def evaluated() -> Evaluated:
    return by_hand(PAIRS, WORDS)


def test_every_rate_is_a_figure_in_the_papers_order_first() -> None:
    assert [figure.key for figure in numbers.FIGURES] == list(RATES)


@pytest.mark.parametrize(
    ("key", "part", "whole"),
    [
        ("matched_word_rate", 8, 11),
        ("loosely_matched_word_rate", 9, 11),
        ("exact_sentence_rate", 1, 3),
        ("strict_matched_word_rate", 4, 7),
        ("strict_exact_sentence_rate", 1, 3),
    ],
)
def test_figures_by_hand(evaluated: Evaluated, key: str, part: int, whole: int) -> None:
    (figure,) = (f for f in numbers.FIGURES if f.key == key)
    found = numbers.estimate(evaluated, figure)
    assert (found.part, found.whole, found.value) == (part, whole, part / whole)
    assert 0 <= found.low < found.value < found.high <= 1


def test_a_difference_is_first_minus_second(evaluated: Evaluated) -> None:
    perfect = by_hand([(target, target) for target, _ in PAIRS], WORDS)
    found = numbers.compare(perfect, evaluated, numbers.FIGURES[0])
    assert (found.part, found.whole, found.value) == (3, 11, 3 / 11)


def test_by_length_by_hand(evaluated: Evaluated) -> None:
    three, four = numbers.by_length(evaluated)
    assert (three["shortest"], three["longest"]) == (3, 3)
    assert three["matched_words"] == share_of_words(np.array([3]), np.array([3]))
    assert four["matched_words"] == share_of_words(np.array([3, 2]), np.array([4, 4]))
    assert four["exact_sentences"] == share_of_sentences(0, 2)


@pytest.mark.parametrize(
    ("lengths", "wanted"),
    [([1, 10], [(1, 10, 2)]), ([10, 11, 20, 60], [(1, 10, 1), (11, 20, 2), (51, 60, 1)])],
)
def test_bands_of_ten(lengths: list[int], wanted: list[tuple[int, int, int]]) -> None:
    pairs = [(" ".join(["the"] * n),) * 2 for n in lengths]
    rows = numbers.by_length(by_hand(pairs, WORDS), numbers.BAND)
    found = [(r["shortest"], r["longest"], r["exact_sentences"].whole) for r in rows]
    assert found == wanted


def test_by_position_by_hand(evaluated: Evaluated) -> None:
    start = numbers.by_position(evaluated, from_end=False)
    assert [row["position"] for row in start] == [1, 2, 3, 4]
    assert [(r["wrong"].part, r["wrong"].whole) for r in start] == [(1, 3), (1, 3), (1, 3), (0, 2)]
    end = numbers.by_position(evaluated, from_end=True)
    assert [row["position"] for row in end] == [0, 1, 2, 3]
    assert [(r["wrong"].part, r["wrong"].whole) for r in end] == [(0, 3), (1, 3), (1, 3), (1, 2)]


def test_by_frequency_by_hand(evaluated: Evaluated) -> None:
    counts_V = np.array([1000, 40, 0, 0, 9, 0, 5, 5])
    left_out = WORDS.index("EOS"), WORDS.index("UNK")
    rare, medium, often = numbers.by_frequency(evaluated, counts_V, left_out)
    assert (rare["fewest"], rare["most"]) == (9, 9)  # two, twice
    assert (rare["matched"].part, rare["matched"].whole) == (1, 2)
    assert (medium["matched"].part, medium["matched"].whole) == (1, 3)  # dog
    assert medium["mean"] == pytest.approx(40)
    assert (often["matched"].part, often["matched"].whole) == (2, 2)  # the


def test_words_that_train_lacks_have_a_bin_of_their_own(evaluated: Evaluated) -> None:
    counts_V = np.array([0, 1, 1, 1, 1, 1, 1, 1])
    never, once = numbers.by_frequency(evaluated, counts_V, ())
    assert (never["fewest"], never["most"], never["matched"].whole) == (0, 0, 2)
    assert never["mean"] < once["mean"] == 1


def test_by_category_by_hand(evaluated: Evaluated) -> None:
    categories = categories_of(evaluated.target_N, evaluated.lengths_B, WORDS)
    rows = {r["category"]: r for r in numbers.by_category(evaluated, categories)}
    assert list(rows) == list(CATEGORIES)
    wrong = {name: (r["wrong"].part, r["wrong"].whole) for name, r in rows.items()}
    assert wrong["number words"] == (1, 2)
    assert wrong["other words"] == (2, 3)
    assert wrong["function words"] == (0, 2)
    assert wrong["EOS and UNK"] == (0, 4)
    assert wrong["months"] == (0, 0)
    assert rows["number words"]["share_of_all_wrong"] == pytest.approx(1 / 3)
    assert sum(r["share_of_all_wrong"] for r in rows.values()) == pytest.approx(1)


def test_train_words_are_counted(prepared_folder: Path) -> None:
    data = PreparedData(prepared_folder)
    store = data.store("train")
    wanted = np.zeros(data.word_vectors.vocab_size, dtype=int)
    for number in range(store.num_sentences):
        for word_id in store.sentence(number):
            wanted[word_id] += 1
    assert numbers.count_train_words(data).tolist() == wanted.tolist()


def test_estimates_are_changed_wherever_they_stand() -> None:
    estimate = Estimate(1, 2, 0.5, 0.1, 0.9)
    content = {"a": [estimate, {"b": estimate}], "c": "text", "d": None}
    found = numbers.map_estimates(content, lambda e: e.part)
    assert found == {"a": [1, {"b": 1}], "c": "text", "d": None}
