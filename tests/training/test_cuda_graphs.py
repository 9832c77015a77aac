"""What is recorded computes what is not recorded; recording itself needs a GPU."""

import pytest
import torch

from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder
from rrnn_lit.models.packing import Packing
from rrnn_lit.training.cuda_graphs import PaddedAutoencoder, RecordedAutoencoder

SHAPE = AutoencoderShape(4, 6, 5, "bias_term", 0.0, True, "output")
LENGTHS_B = torch.tensor([2, 5, 3])


def make_model(device: str = "cpu") -> SentenceAutoencoder:
    torch.manual_seed(3)
    model = SentenceAutoencoder(SHAPE).to(device)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return model


def gradients_of(
    predicted_NW: torch.Tensor, packing: Packing, model: torch.nn.Module
) -> list[torch.Tensor]:
    """Gradients of a loss that sees words only, never padding."""
    predicted_BTW = packing.unpack(predicted_NW, 8)
    weights = torch.arange(predicted_BTW.numel(), device=predicted_BTW.device) % 7 - 3.0
    loss = (predicted_BTW * weights.view_as(predicted_BTW)).sum()
    return list(torch.autograd.grad(loss, list(model.parameters())))


@pytest.mark.parametrize(("multiple", "longest", "wanted"), [(1, 5, 5), (4, 5, 8), (4, 8, 8)])
def test_lengths_are_rounded_up(multiple: int, longest: int, wanted: int) -> None:
    assert RecordedAutoencoder(make_model(), multiple).num_steps(longest) == wanted


def test_the_recorded_step_equals_the_packed_one() -> None:
    model = make_model()
    words_BTW = torch.randn(3, 8, 4)
    packed, padded = Packing.of(LENGTHS_B, torch.device("cpu")), Packing.padded(LENGTHS_B, 8)
    wanted = model.reconstruct(packed.pack(words_BTW), packed)
    got = PaddedAutoencoder(model)(words_BTW, LENGTHS_B)
    torch.testing.assert_close(padded.unpack(got, 8), packed.unpack(wanted, 8))
    torch.testing.assert_close(
        gradients_of(got, padded, model), gradients_of(wanted, packed, model)
    )


def test_the_recorded_step_never_asks_for_values() -> None:
    # tensors without values: whatever would make the host wait raises here
    with torch.device("meta"):
        model = SentenceAutoencoder(SHAPE)
        words_BTW, lengths_B = torch.empty(3, 8, 4), torch.empty(3, dtype=torch.int64)
    predicted_NW = PaddedAutoencoder(model)(words_BTW, lengths_B)
    assert predicted_NW.shape == (24, 4)
    predicted_NW.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.gpu
def test_a_recorded_graph_repeats_values_and_gradients() -> None:
    model = make_model("cuda").train()
    recorded = RecordedAutoencoder(model, 4)
    lengths_B = LENGTHS_B.cuda()
    for _ in range(3):
        words_BTW = torch.randn(3, 8, 4, device="cuda")
        packing = Packing.padded(lengths_B, 8)
        got = recorded(words_BTW, lengths_B)
        got_gradients = gradients_of(got, packing, model)
        wanted = PaddedAutoencoder(model)(words_BTW, lengths_B)
        torch.testing.assert_close(got, wanted)
        torch.testing.assert_close(got_gradients, gradients_of(wanted, packing, model))
