import pytest
import torch

from rrnn_lit.models.initialisation import Initialisation, initialise_weight


def draw(num_outputs: int, num_inputs: int, kind: Initialisation, scale: float) -> torch.Tensor:
    weight_OI = torch.full((num_outputs, num_inputs), torch.nan)
    initialise_weight(weight_OI, kind, scale)
    return weight_OI


@pytest.mark.parametrize("num_inputs", [15, 16, 20, 59, 60, 61, 1000])
def test_fifteen_inputs_per_unit(num_inputs: int) -> None:
    weight_OI = draw(40, num_inputs, "sparse", 0.1)
    assert (weight_OI != 0).sum(dim=1).tolist() == [15] * 40


@pytest.mark.parametrize("num_inputs", [1, 7, 14])
def test_fewer_inputs_than_fifteen_are_all_connected(num_inputs: int) -> None:
    weight_OI = draw(40, num_inputs, "sparse", 0.1)
    assert (weight_OI != 0).all()


def test_units_choose_different_inputs_and_use_all_of_them() -> None:
    is_used_OI = draw(2000, 60, "sparse", 0.1) != 0
    assert len(is_used_OI.unique(dim=0)) == 2000
    # 2000 x 15 / 60 = 500 units expected per input, standard deviation 19
    assert ((is_used_OI.sum(dim=0) - 500).abs() < 100).all()


def test_nonzero_weights_are_normal_with_the_scale() -> None:
    weight_OI = draw(1000, 100, "sparse", 0.0833083)
    values = weight_OI[weight_OI != 0]
    # 15,000 values: relative standard errors 0.6 % of the deviation, 0.008 of the mean
    assert float(values.std()) == pytest.approx(0.0833083, rel=0.03)
    assert abs(float(values.mean())) < 0.04 * 0.0833083
    share_inside = float((values.abs() < 0.0833083).float().mean())
    assert share_inside == pytest.approx(0.6827, abs=0.02)


@pytest.mark.parametrize("num_inputs", [7, 15, 400])
def test_dense_rows_have_the_norm_of_sparse_ones(num_inputs: int) -> None:
    dense, sparse = (draw(2000, num_inputs, kind, 0.1) for kind in ("dense", "sparse"))
    assert (dense != 0).all()
    square = dense.square().sum(dim=1).mean(), sparse.square().sum(dim=1).mean()
    # 2,000 rows of at least 7 values: 1.2 % standard error
    assert float(square[0] / square[1]) == pytest.approx(1.0, rel=0.06)


@pytest.mark.parametrize("kind", ["sparse", "dense"])
def test_same_seed_same_weights(kind: Initialisation) -> None:
    torch.manual_seed(1234)
    first = draw(10, 30, kind, 0.1)
    assert not torch.equal(draw(10, 30, kind, 0.1), first)
    torch.manual_seed(1234)
    assert torch.equal(draw(10, 30, kind, 0.1), first)
