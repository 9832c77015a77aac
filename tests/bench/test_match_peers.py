"""Each peer must answer right where no duplicates and ties exist, or its time means nothing."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from rrnn_lit.bench import match_peers as peers
from rrnn_lit.bench.match_data import Predictions, brute_force
from rrnn_lit.bench.match_peers import Answer

UNIT_VW = F.normalize(torch.randn(500, 16, generator=torch.Generator().manual_seed(1)))
TARGETS_N = torch.arange(0, 500, 10)
NOISE_NW = torch.randn(50, 16, generator=torch.Generator().manual_seed(2))
GIVEN = Predictions(UNIT_VW[TARGETS_N] + 0.25 * NOISE_NW, TARGETS_N)
BUILDERS: list[Callable[[], Answer]] = [
    lambda: peers.naive(UNIT_VW),
    lambda: peers.chunked_argmax(UNIT_VW),
    lambda: peers.chunked_amax(UNIT_VW),
    lambda: peers.with_matmul_precision("medium", peers.chunked_amax(UNIT_VW)),
    lambda: peers.gensim_most_similar(UNIT_VW),
]


@pytest.mark.parametrize(
    "build", BUILDERS, ids=["naive", "argmax", "amax", "amax, medium", "gensim"]
)
def test_a_peer_answers_like_brute_force(build: Callable[[], Answer]) -> None:
    expected = brute_force(UNIT_VW, GIVEN, 0.0)
    assert 10 < expected.sum() < 45
    assert build()(GIVEN, 0.0).tolist() == expected.tolist()


@pytest.mark.parametrize("metric", ["IP", "L2"])
def test_faiss_answers_like_brute_force(metric: str) -> None:
    pytest.importorskip("faiss")
    answer = peers.faiss_flat(UNIT_VW, metric)
    assert answer(GIVEN, 0.0).tolist() == brute_force(UNIT_VW, GIVEN, 0.0).tolist()


def test_chunks_join_without_a_gap() -> None:
    many_VW = F.normalize(torch.randn(9_000, 8, generator=torch.Generator().manual_seed(3)))
    ids_N = torch.tensor([0, 8_191, 8_192, 8_999])
    given = Predictions(many_VW[ids_N], ids_N)
    assert peers.chunked_argmax(many_VW)(given, 0.0).all()
    assert peers.chunked_amax(many_VW)(given, 0.0).all()
    swapped = Predictions(many_VW[ids_N], ids_N.flip(0))
    assert not peers.chunked_argmax(many_VW)(swapped, 0.0).any()
    assert not peers.chunked_amax(many_VW)(swapped, 0.0).any()


def test_comparing_scores_takes_the_margin_into_account() -> None:
    expected = brute_force(UNIT_VW, GIVEN, 0.1)
    assert peers.chunked_amax(UNIT_VW)(GIVEN, 0.1).tolist() == expected.tolist()
    assert expected.sum() < brute_force(UNIT_VW, GIVEN, 0.0).sum()


def test_another_setting_of_products_ends_with_the_call() -> None:
    seen = []

    def answer(given: Predictions, margin: float) -> torch.Tensor:
        seen.append(torch.get_float32_matmul_precision())
        return given.target_ids_N > 0

    peers.with_matmul_precision("medium", answer)(GIVEN, 0.0)
    assert [*seen, torch.get_float32_matmul_precision()] == ["medium", "highest"]
