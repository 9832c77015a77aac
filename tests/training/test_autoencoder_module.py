from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from rrnn_lit.data.synthetic import write_synthetic
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.lightning_cli import RRNNCLI
from rrnn_lit.training.metrics_log import read_metrics
from tests.training.conftest import Fit
from tests.training.tiny import TINY, Options, differences, load

LAST = "checkpoints/last.ckpt"


def matched_by_hand(predicted_W: Tensor, word_id: int, dictionary_VW: Tensor, lead: float) -> bool:
    """Whether the word's cosine beats every other one's by `lead`, in float64."""
    cosines_V = torch.nn.functional.cosine_similarity(
        predicted_W.double(), dictionary_VW.double(), dim=1
    )
    others_V = torch.cat([cosines_V[:word_id], cosines_V[word_id + 1 :]])
    return bool(others_V.max() <= cosines_V[word_id] - lead)


def plain_loop(cli: RRNNCLI, num_steps: int) -> list[Tensor]:
    """Train as a textbook would write it; return the weights. Uses the options of TINY."""
    model, options = cli.model.autoencoder, cli.model.hparams
    dictionary_VW = torch.tensor(cli.datamodule.word_vectors.vectors_VW).float()
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": options["l2"]},
        {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ]
    betas = (options["beta1"], options["beta2"])
    adam = torch.optim.Adam(
        groups, lr=options["learning_rate"], betas=betas, eps=options["eps"], fused=True
    )
    batches = iter(cli.datamodule.train_dataloader())
    model.train()
    for step in range(num_steps):
        batch = next(batches)
        word_ids_BT, lengths_B = batch["word_ids_BT"], batch["lengths_B"]
        target_BTW = dictionary_VW[word_ids_BT]
        predicted_BTW = model(target_BTW, lengths_B)
        counted_BT = torch.zeros(word_ids_BT.shape, dtype=torch.bool)
        for b, length in enumerate(lengths_B.tolist()):
            for t in range(length):
                counted_BT[b, t] = not matched_by_hand(
                    predicted_BTW[b, t].detach(),
                    int(word_ids_BT[b, t]),
                    dictionary_VW,
                    options["match_margin"],
                )
        if options["match_drop"] == 0:
            counted_BT = torch.arange(word_ids_BT.shape[1]) < lengths_B[:, None]
        errors_BTW = torch.where(counted_BT[..., None], predicted_BTW - target_BTW, 0.0)
        loss = 0.5 * errors_BTW.square().sum() / len(lengths_B)
        for group in adam.param_groups:
            group["lr"] = options["learning_rate"] * options["decay"] ** step
        adam.zero_grad()
        loss.backward()
        # in the optimizer's order: the last bit of the norm depends on it
        clipped = [p for group in adam.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(clipped, TINY["trainer.gradient_clip_val"])
        adam.step()
    return [p.detach() for p in model.parameters()]


@pytest.mark.parametrize(
    "options",
    [
        {},  # every switch of TINY is on: dropout, match drop with a margin, decay, L2, clipping
        {"loss.match_margin": 0.0},
        {"model.match_drop": 0.0},
    ],
    ids=["margin", "no margin", "no match drop"],
)
def test_trainer_equals_plain_loop(build: Fit, options: Options) -> None:
    trained, by_hand = build(options), build(options)
    torch.manual_seed(3)
    trained.trainer.fit(trained.model, datamodule=trained.datamodule)
    torch.manual_seed(3)
    wanted = plain_loop(by_hand, TINY["trainer.max_steps"])
    got = [p.detach() for p in trained.model.autoencoder.parameters()]
    assert differences(got, wanted) == []


def test_match_drop_and_its_margin_change_the_training(fit: Fit) -> None:
    every_step = {"trainer.log_every_n_steps": 1, "trainer.max_steps": 10}
    dropped = {}
    for name, options in {
        "paper": {"loss.match_margin": 0.0},
        "margin": {"loss.match_margin": 0.1},
        "half": {"loss.match_margin": 0.0, "model.match_drop": 0.5},
    }.items():
        cli = fit({**every_step, **options}, "--run.if_exists", "new")
        records = read_metrics(cli.folder / "metrics.jsonl")
        shares = [r["train/dropped_word_rate"] for r in records if "train/loss" in r]
        dropped[name] = sum(shares)
    assert dropped["paper"] > dropped["margin"] > 0
    assert dropped["paper"] > dropped["half"] > 0


@pytest.mark.parametrize("loss", ["squared", "cosine"])
def test_overfits_four_sentences(fit: Fit, tmp_path: Path, loss: str) -> None:
    data = tmp_path / "four"
    write_synthetic(data, num_words=12, num_sentences=7, max_words=6)
    cli = fit(
        {
            "data.folder": str(data),
            "data.max_words": 6,
            "data.batch_size": 4,
            "data.length_buckets": 0,
            "data.blank_every": 0,
            "model.hidden_size": 48,
            "model.dropout": 0.0,
            # down to 5 %: at the full rate single words come and go with the last bits of a CPU
            "model.decay": 0.985,
            "model.l2": 0.0,
            "model.loss": loss,
            "loss.match_margin": 0.2,
            "trainer.max_steps": 200,
            "trainer.val_check_interval": 200,
            "checkpoint.every_n_steps": 200,
        }
    )
    cli.model.eval()
    batch = next(iter(cli.datamodule.train_dataloader()))
    decoded = cli.model.predict_step(batch, 0)["decoded"]
    assert len(decoded.lengths_B) == 4
    assert int((decoded.matched_BT & decoded.valid()).sum()) == int(decoded.lengths_B.sum())


def test_accumulated_gradients_log_once_a_step(fit: Fit) -> None:
    cli = fit({"trainer.max_steps": 6}, "--trainer.accumulate_grad_batches", "2")
    records = [r for r in read_metrics(cli.folder / "metrics.jsonl") if "train/loss" in r]
    assert [r["step"] for r in records] == [3, 6]
    assert [r["train/sentences"] for r in records] == [6 * 8, 12 * 8]


def test_logs_every_figure_at_its_step(straight_run: Path) -> None:
    records = read_metrics(straight_run / "metrics.jsonl")
    assert [(r["step"], "train/loss" in r, "test/matched_words" in r) for r in records] == [
        (3, True, False),
        (4, False, True),
        (6, True, False),
        (8, False, True),
        (9, True, False),
        (10, False, True),  # the end of a run is always evaluated
    ]
    last_training = records[-2]
    assert last_training["optimizer/num_updates"] == 9
    assert last_training["optimizer/learning_rate"] == 0.01 * 0.99**8  # of the ninth update
    assert last_training["train/sentences"] == 9 * 8
    assert 0 < last_training["train/matching_time_share"] < 1
    assert "fp16/loss_scale" not in last_training


def test_moments_are_rounded_when_asked(fit: Fit, straight_run: Path) -> None:
    cli = fit({"model.round_moments": "fp16"})
    states = load(cli.folder / LAST)["optimizer_states"][0]["state"].values()
    moments = [state[name] for state in states for name in ("exp_avg", "exp_avg_sq")]
    assert all(torch.equal(moment, moment.half().float()) for moment in moments)
    plain = load(straight_run / LAST)
    moment = plain["optimizer_states"][0]["state"][0]["exp_avg"]
    assert not torch.equal(moment, moment.half().float())


VALID = {
    "word_dim": 4,
    "hidden_size": 3,
    "sentence_vector_size": None,
    "first_step": "bias_term",
    "dropout": 0.0,
    "dropout_locked": True,
    "dropout_position": "output",
    "init": "sparse",
    "feed_forward_scale": 0.1,
    "recurrent_scale": 0.1,
    "loss": "squared",
    "match_drop": 1.0,
    "match_margin": 0.0,
    "learning_rate": 0.1,
    "decay": 1.0,
    "l2": 0.0,
    "beta1": 0.9,
    "beta2": 0.9,
    "eps": 0.1,
    "round_moments": "none",
    "memory": "standard",
    "graph_words": 0,
}


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("match_drop", 1.5, "at least 0 and at most 1, got 1.5"),
        ("match_margin", -0.1, "at least 0 and at most 2, got -0.1"),
        ("learning_rate", 0.0, "more than 0 and less than inf, got 0.0"),
        ("feed_forward_scale", 0.0, "more than 0 and less than inf, got 0.0"),
        ("decay", 1.1, "more than 0 and at most 1, got 1.1"),
        ("l2", float("nan"), "at least 0 and less than inf, got nan"),
        ("beta1", 1.0, "at least 0 and less than 1, got 1.0"),
        ("eps", -1.0, "at least 0 and less than inf, got -1.0"),
        ("graph_words", -4, "at least 0 and less than inf, got -4"),
    ],
)
def test_option_out_of_range_is_refused_by_name(name: str, value: float, wanted: str) -> None:
    AutoencoderModule(**VALID)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"model.{name}: wanted {wanted}"):
        AutoencoderModule(**{**VALID, name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"model.memory": "lean"},
            r"trainer\.gradient_clip_val: wanted 0 with model\.memory lean",
        ),
        (
            {
                "model.memory": "lean",
                "trainer.gradient_clip_val": None,
                "trainer.accumulate_grad_batches": 2,
            },
            r"trainer\.accumulate_grad_batches: wanted 1 with model\.memory lean.*got 2",
        ),
        ({"model.graph_words": 4}, r"model\.graph_words: wanted 0 without a CUDA device, got 4"),
    ],
)
def test_what_the_memory_or_the_device_cannot_do_is_refused(
    fit: Fit, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit(options)


def test_lean_memory_trains_like_standard_memory(fit: Fit) -> None:
    losses = []
    for memory in ("standard", "lean"):
        cli = fit({"model.memory": memory, "trainer.gradient_clip_val": None})
        records = read_metrics(cli.folder / "metrics.jsonl")
        names = ("train/loss", "train/gradient_norm")
        losses.append([r[name] for r in records for name in names if name in r])
    assert len(losses[0]) >= 6
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
