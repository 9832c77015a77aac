import pytest
import torch
from torch import Tensor

from rrnn_lit.evaluation.ratio_methods import PLAIN, all_methods, rounded


@pytest.fixture
def vectors() -> Tensor:
    mixing_SS = torch.linalg.qr(torch.randn(16, 16))[0] * torch.logspace(0, -1.5, 16)
    mixed_NS: Tensor = 0.2 * torch.randn(2000, 16) @ mixing_SS.T
    return mixed_NS


def test_every_way_at_every_size_it_can_have(vectors: Tensor) -> None:
    sizes: dict[str, list[int]] = {}
    said: list[str] = []
    for method in all_methods(vectors, [2.0, 8.0], False, said.append):
        sizes.setdefault(method.name, []).append(method.num_bytes)
        assert method.restore(vectors[:5]).shape == (5, 16)
    assert sizes == {
        PLAIN: [32],
        "rounded, 8 bits": [16],
        "rounded, 4 bits": [8],
        "rounded, 2 bits": [4],
        "PCA, fp16": [16, 4],
        "PCA, 8 bits": [16, 4],
        "PCA, 4 bits": [16, 4],
        "PCA, 2 bits": [16, 4],
    }
    assert said[0] == "PCA, fp16: 16 bytes"


def test_a_budget_above_all_numbers_needs_no_components(vectors: Tensor) -> None:
    names = [method.name for method in all_methods(vectors, [1.0], False)]
    assert "PCA, fp16" in names
    assert len([n for n in names if n.startswith("PCA")]) == 4


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_rounding_follows_the_range_of_each_component(vectors: Tensor, bits: int) -> None:
    shifted = vectors * 0.01 + 5.0
    restored = rounded(shifted, bits)(shifted)
    for component in restored.T:
        assert len(component.unique()) <= 2**bits
    share = (restored - shifted).square().mean(0) / shifted.var(0)
    assert share.max() < {8: 1e-3, 4: 0.02, 2: 0.2}[bits]


def test_fewer_bits_for_more_components_lose_less_at_the_same_size(vectors: Tensor) -> None:
    lost = {
        method.name: float((method.restore(vectors) - vectors).square().sum(1).mean())
        for method in all_methods(vectors, [8.0], False)
    }
    assert lost["PCA, 4 bits"] < lost["PCA, 8 bits"] < lost["PCA, fp16"]
    assert lost[PLAIN] < 1e-6
