import pytest
import torch

from rrnn_lit.bench.match_data import (
    Kind,
    Predictions,
    brute_force,
    make_dictionary,
    make_predictions,
    parallel_group,
)
from tests import reference

WORDS_VW = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0], [1.0, 1.0]])


@pytest.mark.parametrize(
    ("predicted", "target", "margin", "matched"),
    [
        ((1.0, 0.1), 0, 0.0, True),
        ((1.0, 0.1), 2, 0.0, True),  # its multiple with a lower word_id does not beat it
        ((1.0, 0.1), 1, 0.0, False),
        ((0.6, 0.5), 0, 0.0, False),
        # cosine 0.995 with word 0 and 0.774 with word 3: a lead of 0.22
        ((1.0, 0.1), 0, 0.2, True),
        ((1.0, 0.1), 0, 0.25, False),
    ],
)
def test_brute_force_by_hand(
    predicted: tuple[float, float], target: int, margin: float, matched: bool
) -> None:
    given = Predictions(torch.tensor([predicted]), torch.tensor([target]))
    assert brute_force(WORDS_VW, given, margin).tolist() == [matched]


@pytest.mark.parametrize("margin", [0.0, 0.1])
def test_brute_force_equals_the_reference_of_the_tests(margin: float) -> None:
    dictionary_VW = make_dictionary(600, 12, seed=3)
    given = make_predictions(dictionary_VW, "mixed", 64, torch.Generator().manual_seed(0))
    predicted_NW, words_VW = given.predicted_NW.numpy(), dictionary_VW.numpy()
    expected = reference.matches_by_brute_force(
        reference.cosines(predicted_NW, words_VW),
        words_VW,
        given.target_ids_N.tolist(),
        margin,
        1e-12,
    )
    assert brute_force(dictionary_VW, given, margin).tolist() == expected


@pytest.mark.parametrize(
    ("kind", "least", "most"), [("unmatched", 0, 0.1), ("mixed", 0.3, 0.9), ("matched", 1, 1)]
)
def test_the_kinds_match_as_rarely_as_they_say(kind: Kind, least: float, most: float) -> None:
    dictionary_VW = make_dictionary(3_000, 64, seed=0)
    given = make_predictions(dictionary_VW, kind, 200, torch.Generator().manual_seed(0))
    share = float(brute_force(dictionary_VW, given, 0.0).double().mean())
    assert least <= share <= most


def test_the_dictionary_holds_a_duplicate_and_a_multiple_in_every_thousand() -> None:
    group_V = parallel_group(make_dictionary(2_000, 16, seed=0))
    others = (group_V != torch.arange(2_000)).nonzero().squeeze(1)
    assert others.tolist() == [500, 502, 1_500, 1_502]
    assert group_V[others].tolist() == [499, 501, 1_499, 1_501]


@pytest.mark.parametrize("vocab_size", [1, 100, 500, 501, 502, 503])
def test_a_dictionary_may_be_smaller_than_the_place_of_its_first_duplicate(
    vocab_size: int,
) -> None:
    dictionary_VW = make_dictionary(vocab_size, 16, seed=0)
    assert dictionary_VW.shape == (vocab_size, 16)
    others = (parallel_group(dictionary_VW) != torch.arange(vocab_size)).nonzero().squeeze(1)
    assert others.tolist() == [copy for copy in (500, 502) if copy < vocab_size]


def test_frequent_words_are_drawn_most() -> None:
    dictionary_VW = make_dictionary(1_000, 8, seed=0)
    given = make_predictions(dictionary_VW, "matched", 500, torch.Generator().manual_seed(0))
    assert (given.target_ids_N < 100).sum() > 200
