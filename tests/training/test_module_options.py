from typing import Any

import pytest

from rrnn_lit.training.module_options import check_options, check_same_options
from tests.training.conftest import Fit
from tests.training.tiny import read_json

OPTIONS: dict[str, Any] = {
    "word_dim": 5,
    "hidden_size": 8,
    "sentence_vector_size": None,
    "first_step": "bias_term",
    "feed_forward_scale": 0.1,
    "recurrent_scale": 0.1,
    "match_drop": 1.0,
    "match_margin": 0.0,
    "learning_rate": 0.1,
    "decay": 1.0,
    "l2": 0.0,
    "beta1": 0.9,
    "beta2": 0.9,
    "eps": 1e-8,
    "round_moments": "none",
    "memory": "standard",
    "graph_words": 0,
    "scaling": "none",
    "base_size": 512,
    "cell": "residual",
    "residual": True,
    "encoder_order": "reversed",
    "middle_layer": True,
}
LATER = ("scaling", "base_size", "cell", "residual", "encoder_order", "middle_layer")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"memory": "lean"}, "model.memory: wanted standard with model.cell gru.*; got lean"),
        ({"graph_words": 8}, "model.graph_words: wanted 0 with model.cell gru.*; got 8"),
        ({"scaling": "mup"}, "model.scaling: wanted none with model.cell gru.*; got mup"),
    ],
)
def test_what_needs_our_recurrence_is_refused_with_another_cell(
    changes: dict[str, Any], text: str
) -> None:
    check_options({**OPTIONS, **changes})
    check_options({**OPTIONS, "cell": "gru"})
    with pytest.raises(ValueError, match=text):
        check_options({**OPTIONS, "cell": "gru", **changes})


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("cell", "gru"),
        ("residual", False),
        ("encoder_order", "forward"),
        ("middle_layer", False),
    ],
)
def test_a_checkpoint_of_another_network_is_refused_by_name(name: str, other: object) -> None:
    earlier = {k: v for k, v in OPTIONS.items() if k not in LATER}
    check_same_options(earlier, OPTIONS)
    now = {**OPTIONS, name: other}
    check_same_options(now, now)
    with pytest.raises(ValueError, match=rf"model\.{name}: the checkpoint has .*{OPTIONS[name]}"):
        check_same_options(earlier, now)


@pytest.mark.parametrize(
    "options",
    [
        {"model.cell": "gru"},
        {"model.cell": "lstm"},
        {"model.cell": "tanh"},
        {"model.cell": "transformer"},
        {"model.residual": False},
        {"model.encoder_order": "forward"},
        {"model.middle_layer": False},
    ],
    ids=str,
)
def test_every_network_trains_and_resumes(fit: Fit, options: dict[str, Any]) -> None:
    first = fit({**options, "trainer.max_steps": 4})
    before = first.model.autoencoder.decoder.output.weight.detach().clone()
    last = str(first.folder / "checkpoints" / "last.ckpt")
    second = fit({**options, "trainer.max_steps": 8}, "--ckpt_path", last)
    assert read_json(second.folder / "summary.json")["steps"] == 8
    after = second.model.autoencoder.decoder.output.weight
    assert after.isfinite().all()
    assert not before.equal(after)
