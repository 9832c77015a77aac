"""What is recorded computes what is not recorded; recording itself needs a GPU."""

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor

from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder
from rrnn_lit.models.packing import Packing
from rrnn_lit.training.cuda_graphs import PaddedAutoencoder, RecordedAutoencoder
from rrnn_lit.training.lightning_cli import RRNNCLI
from tests.training.conftest import Fit

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
    predicted_BTW = packing.unpack(predicted_NW, 12)
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


def losses_and_gradients(cli: RRNNCLI) -> list[tuple[Tensor, list[Tensor]]]:
    """Loss and gradients of every batch of a pass, the short last one included."""
    found = []
    loader = iter(cli.datamodule.train_dataloader())
    for _ in range(cli.datamodule.order.batches_per_pass):
        loss = cli.model.training_step(next(loader), 0)
        parameters = list(cli.model.parameters())
        found.append((loss.detach(), list(torch.autograd.grad(loss, parameters))))
    return found


def test_training_steps_are_the_same_packed_and_recorded(
    fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = fit({"model.dropout": 0.0, "data.blank_every": 0})
    wanted = losses_and_gradients(cli)
    # what recording returns without a GPU: the step itself
    monkeypatch.setattr(torch.cuda, "make_graphed_callables", lambda step, sample: step)
    monkeypatch.setattr(torch.random, "fork_rng", lambda devices: nullcontext())
    shapes: list[tuple[int, ...]] = []
    recorded = RecordedAutoencoder(cli.model.autoencoder, 4)
    call = RecordedAutoencoder.__call__

    def spy(self: RecordedAutoencoder, words_BTW: Tensor, lengths_B: Tensor) -> Tensor:
        shapes.append(tuple(words_BTW.shape))
        return call(self, words_BTW, lengths_B)

    monkeypatch.setattr(RecordedAutoencoder, "__call__", spy)
    monkeypatch.setattr(cli.model, "_recorded", recorded)
    got = losses_and_gradients(cli)
    assert shapes
    assert {shape[1] % 4 for shape in shapes} == {0}
    assert len(shapes) == len(got) - 1  # the last batch is short and not recorded
    torch.testing.assert_close(got, wanted)


@pytest.mark.gpu
def test_a_recorded_graph_repeats_values_and_gradients() -> None:
    model = make_model("cuda").train()
    recorded = RecordedAutoencoder(model, 4)
    lengths_B = LENGTHS_B.cuda()
    for num_steps in (8, 12, 8, 12):
        words_BTW = torch.randn(3, num_steps, 4, device="cuda")
        lengths_B = lengths_B % 5 + 1
        packing = Packing.padded(lengths_B, num_steps)
        got = recorded(words_BTW, lengths_B)
        got_gradients = [g.clone() for g in gradients_of(got, packing, model)]
        wanted = PaddedAutoencoder(model)(words_BTW, lengths_B)
        torch.testing.assert_close(got, wanted)
        torch.testing.assert_close(got_gradients, gradients_of(wanted, packing, model))


@pytest.mark.gpu
def test_recording_draws_no_random_number() -> None:
    recorded = RecordedAutoencoder(make_model("cuda").train(), 4)
    before = torch.cuda.get_rng_state()
    recorded(torch.randn(3, 8, 4).cuda(), LENGTHS_B.cuda())
    assert torch.equal(torch.cuda.get_rng_state(), before)
