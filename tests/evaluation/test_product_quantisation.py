import warnings

import pytest
import torch
from torch import Tensor

from rrnn_lit.evaluation import product_quantisation
from rrnn_lit.evaluation.product_quantisation import balanced, learn, possible_bytes


@pytest.fixture
def vectors() -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of faiss' own wrapper
        pytest.importorskip("faiss")
    return torch.randn(400, 8) * torch.tensor([4.0, 4.0, 1.0, 1.0, 1.0, 1.0, 0.1, 0.1])


@pytest.mark.parametrize(
    ("size", "wanted", "got"), [(384, 232, 192), (384, 38, 32), (7, 6, 1), (4, 100, 4)]
)
def test_parts_are_equally_long(size: int, wanted: int, got: int) -> None:
    assert possible_bytes(size, wanted) == got


@pytest.mark.parametrize("rotate", [False, True])
def test_more_bytes_lose_less(vectors: Tensor, rotate: bool) -> None:
    lost = [
        float((learn(vectors, num_bytes, rotate)(vectors) - vectors).square().mean())
        for num_bytes in (1, 4, 8)
    ]
    assert lost == sorted(lost, reverse=True)
    assert lost[-1] < 0.01 * float(vectors.square().mean())


def test_rotation_balances_the_parts_and_is_one(vectors: Tensor) -> None:
    mixed_NS = vectors @ torch.linalg.qr(torch.randn(8, 8))[0]
    centred_NS = mixed_NS - mixed_NS.mean(0)
    rotation_SS = balanced(centred_NS, 2)
    torch.testing.assert_close(rotation_SS.T @ rotation_SS, torch.eye(8))
    variances_S = (centred_NS @ rotation_SS).var(0)
    first, second = variances_S.log().split(4)
    spread = float(variances_S.log().max() - variances_S.log().min())
    assert abs(float(first.sum() - second.sum())) < 0.2 * spread
    assert {int(v > 1) for v in first} == {int(v > 1) for v in second} == {0, 1}


def test_rotation_helps_where_parts_differ(vectors: Tensor) -> None:
    lost = {
        rotate: float((learn(vectors, 4, rotate)(vectors) - vectors).square().mean())
        for rotate in (False, True)
    }
    assert lost[True] < lost[False]


def test_every_part_is_one_of_256(vectors: Tensor) -> None:
    restored = learn(vectors, 4, False)(vectors)
    for part in restored.split(2, dim=1):
        assert len(part.unique(dim=0)) <= 256


def test_the_same_vectors_learn_the_same(vectors: Tensor) -> None:
    first, second = (learn(vectors, 2, False)(vectors) for _ in range(2))
    assert torch.equal(first, second)


def test_too_few_vectors_are_refused(vectors: Tensor) -> None:
    with pytest.raises(ValueError, match="wanted 256 training vectors, got 255"):
        learn(vectors[:255], 2, False)


def test_faiss_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_quantisation, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="wanted the package faiss, it is not installed"):
        learn(torch.zeros(300, 4), 2, False)
