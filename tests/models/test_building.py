from typing import Any

import pytest
import torch

from rrnn_lit.models.building import autoencoder_of, initialised_autoencoder

# what a checkpoint from before other cells holds
EARLIER: dict[str, Any] = {
    "word_dim": 5,
    "hidden_size": 8,
    "sentence_vector_size": None,
    "first_step": "bias_term",
    "dropout": 0.0,
    "dropout_locked": True,
    "dropout_position": "output",
    "learning_rate": 0.1,
}
TRAINED = {
    **EARLIER,
    "init": "dense",
    "feed_forward_scale": 0.5,
    "recurrent_scale": 0.5,
    "scaling": "none",
    "base_size": 512,
}


def test_options_of_earlier_checkpoints_build_the_papers_network() -> None:
    network = autoencoder_of(EARLIER)
    assert network.cell == "residual"
    assert network.encoder.rnn.residual
    assert network.encoder.reverse
    assert network.encoder.middle_layer
    now = {"cell": "residual", "residual": True, "encoder_order": "reversed", "middle_layer": True}
    torch.manual_seed(1)
    then, _ = initialised_autoencoder(TRAINED)
    torch.manual_seed(1)
    same, _ = initialised_autoencoder({**TRAINED, **now})
    for name, weight in then.state_dict().items():
        assert torch.equal(weight, same.state_dict()[name])


@pytest.mark.parametrize("name", [name for name in EARLIER if name != "learning_rate"])
def test_a_missing_option_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=rf"model\.{name}: wanted a value, got none"):
        autoencoder_of({k: v for k, v in EARLIER.items() if k != name})


def test_the_scales_are_for_the_residual_cell() -> None:
    ours, _ = initialised_autoencoder(TRAINED)
    assert all((p == 0).all() for n, p in ours.named_parameters() if "bias" in n)
    torch.manual_seed(1)
    small, _ = initialised_autoencoder({**TRAINED, "cell": "gru"})
    torch.manual_seed(1)
    large, _ = initialised_autoencoder({**TRAINED, "cell": "gru", "recurrent_scale": 50.0})
    for name, weight in small.state_dict().items():
        assert torch.equal(weight, large.state_dict()[name])
        assert weight.any()
