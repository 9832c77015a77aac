import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from rrnn_lit import cli as command
from rrnn_lit.data.synthetic import write_synthetic
from rrnn_lit.models.building import autoencoder_of, weights_digest
from rrnn_lit.training.compressor_module import CompressorModule
from rrnn_lit.training.lightning_cli import RRNNCLI
from rrnn_lit.training.metrics_log import read_metrics
from rrnn_lit.training.open_run import open_model
from rrnn_lit.training.summary import read_summary
from tests.training.compressing import PAPERS, fit_compressor, write_compressor
from tests.training.conftest import Fit
from tests.training.tiny import load, tiny_config

BEST = "checkpoints/best.ckpt"
LAST = "checkpoints/last.ckpt"


def test_checkpoint_holds_the_compressor_alone(
    straight_compressor: Path, straight_run: Path
) -> None:
    checkpoint = load(straight_compressor / LAST)
    assert {name.partition(".")[0] for name in checkpoint["state_dict"]} == {"compressor"}
    assert checkpoint["hyper_parameters"]["sentence_vector_size"] == 16
    trained = load(straight_run / BEST)
    autoencoder = autoencoder_of(trained["hyper_parameters"])
    weights = {k.removeprefix("autoencoder."): v for k, v in trained["state_dict"].items()}
    autoencoder.load_state_dict(weights)
    assert checkpoint["autoencoder_digest"] == weights_digest(autoencoder)
    assert checkpoint["dictionary_digest"] == trained["dictionary_digest"]
    # moments of as many weights as the compressor has
    assert len(checkpoint["optimizer_states"][0]["state"]) == len(checkpoint["state_dict"])


def test_a_run_says_what_compression_costs(straight_compressor: Path, straight_run: Path) -> None:
    summary = read_summary(straight_compressor)
    assert (summary["bytes_per_vector"], summary["plain_bytes_per_vector"]) == (3, 32)
    assert (summary["compressed_size"], summary["bits"], summary["hidden_size"]) == (6, 4, 16)
    records = read_metrics(straight_run / "metrics.jsonl")
    # the weights of the best checkpoint, which the compressor stands behind
    step = load(straight_run / BEST)["global_step"]
    plain = next(r for r in records if r["step"] == step and "test/matched_words" in r)
    for split in ("tune", "test"):
        figures = summary["splits"][split]
        assert figures["plain_matched_words"] == plain[f"{split}/matched_words"]
        assert figures["plain_exact_sentences"] == plain[f"{split}/exact_sentences"]
        assert figures["matched_words"] <= figures["plain_matched_words"] + 5
        assert figures["squared_error"] > 0
    logged = read_metrics(straight_compressor / "metrics.jsonl")
    evaluated = [r for r in logged if "tune/matched_words" in r]
    assert [r["step"] for r in evaluated] == [4, 8, 10]
    assert len({r["tune/plain_matched_words"] for r in evaluated}) == 1
    assert all(0 <= r["train/matched_word_rate"] <= 1 for r in logged if "train/loss" in r)


def test_enough_numbers_lose_nothing(
    prepared_folder: Path, straight_run: Path, tmp_path: Path
) -> None:
    options = {"model.compressed_size": 16, "model.bits": 32, "model.learning_rate": 1e-9}
    run = fit_compressor(prepared_folder, straight_run, tmp_path / "run", options).folder
    figures = read_summary(run)["splits"]["test"]
    assert figures["matched_words"] == figures["plain_matched_words"]
    assert figures["squared_error"] < 1e-2


def test_training_lowers_the_loss(
    prepared_folder: Path, straight_run: Path, tmp_path: Path
) -> None:
    options = {
        **PAPERS,
        "model.init": "dense",
        "trainer.max_steps": 20,
        "trainer.val_check_interval": 20,
        "trainer.log_every_n_steps": 5,
        "data.batch_size": 32,
    }
    run = fit_compressor(prepared_folder, straight_run, tmp_path / "run", options).folder
    losses = [r["train/loss"] for r in read_metrics(run / "metrics.jsonl") if "train/loss" in r]
    assert losses[-1] < 0.8 * losses[0]


def test_the_loss_of_the_paper_is_half_the_squared_distance(
    prepared_folder: Path, straight_run: Path, tmp_path: Path
) -> None:
    options = {
        **PAPERS,
        "model.learning_rate": 1e-12,
        "trainer.max_steps": 1,
        "trainer.log_every_n_steps": 1,
        "data.batch_size": 140,
        "data.length_buckets": 0,
    }
    cli = fit_compressor(prepared_folder, straight_run, tmp_path / "run", options)
    records = read_metrics(cli.folder / "metrics.jsonl")
    loss = next(r["train/loss"] for r in records if "train/loss" in r)
    batch: Any = next(iter(cli.datamodule.train_dataloader()))
    steps = cli.model.steps
    vectors_BS = steps.vectors(batch, steps.packing(batch))
    with torch.no_grad():
        difference_BS = cli.model.compressor(vectors_BS) - vectors_BS
    wanted = 0.5 * float(difference_BS.square().sum()) / 140
    assert loss == pytest.approx(wanted, rel=1e-4)


def test_the_autoencoder_does_not_change(
    prepared_folder: Path, straight_run: Path, tmp_path: Path
) -> None:
    cli = fit_compressor(prepared_folder, straight_run, tmp_path / "run")
    frozen = cli.model.steps.frozen
    assert weights_digest(frozen.network) == frozen.digest
    assert not any(p.requires_grad for p in frozen.network.parameters())
    own = {id(p) for p in cli.model.parameters()}
    assert own == {id(p) for p in cli.model.compressor.parameters()}


def test_another_autoencoder_is_refused(
    prepared_folder: Path, straight_run: Path, straight_compressor: Path, tmp_path: Path, fit: Fit
) -> None:
    other = fit({"trainer.max_steps": 4}, "--seed_everything", "7").folder
    path = write_compressor(prepared_folder, other, tmp_path / "run")
    last = ["--ckpt_path", str(straight_compressor / LAST)]
    for name in ("fit", "validate"):
        with pytest.raises(ValueError, match="data.autoencoder: wanted the autoencoder with"):
            RRNNCLI([name, "--config", str(path), *last])


def test_an_autoencoder_of_another_dictionary_is_refused(
    straight_run: Path, tmp_path: Path
) -> None:
    write_synthetic(tmp_path / "other", seed=1)
    path = write_compressor(tmp_path / "other", straight_run, tmp_path / "run")
    with pytest.raises(ValueError, match="dictionary"):
        RRNNCLI(["--config", str(path)], run=False)


def test_a_checkpoint_of_an_autoencoder_is_refused(
    prepared_folder: Path, straight_run: Path, tmp_path: Path
) -> None:
    path = write_compressor(prepared_folder, straight_run, tmp_path / "run")
    with pytest.raises(ValueError, match="ckpt_path: wanted a checkpoint of a compressor"):
        RRNNCLI(["validate", "--config", str(path), "--ckpt_path", str(straight_run / LAST)])


def test_an_autoencoder_refuses_the_checkpoint_of_a_compressor(
    prepared_folder: Path, straight_compressor: Path, tmp_path: Path
) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(tiny_config(prepared_folder, tmp_path / "run")))
    with pytest.raises(ValueError, match="ckpt_path: wanted a checkpoint of an autoencoder"):
        RRNNCLI(["fit", "--config", str(path), "--ckpt_path", str(straight_compressor / LAST)])


def test_a_missing_autoencoder_is_named_by_its_option_alone(
    prepared_folder: Path, tmp_path: Path
) -> None:
    path = write_compressor(prepared_folder, tmp_path / "nowhere", tmp_path / "run")
    with pytest.raises(ValueError, match=r"^data\.autoencoder: .*nowhere: wanted the folder of"):
        RRNNCLI(["--config", str(path)], run=False)


def test_batches_before_training_do_not_stand_for_a_split(
    prepared_folder: Path, straight_run: Path, straight_compressor: Path, tmp_path: Path
) -> None:
    options = {"trainer.num_sanity_val_steps": 1, "trainer.max_steps": 4}
    run = fit_compressor(prepared_folder, straight_run, tmp_path / "run", options).folder
    wanted = read_summary(straight_compressor)["splits"]["tune"]["plain_matched_words"]
    assert read_summary(run)["splits"]["tune"]["plain_matched_words"] == wanted


def test_holdout_goes_into_the_summary(straight_compressor: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(straight_compressor, run)
    assert command.main(["test", "--run", str(run)]) == 0
    holdout = read_summary(run)["splits"]["holdout"]
    assert holdout["num_sentences"] == 20
    assert 0 <= holdout["matched_words"] <= holdout["num_words"]
    assert "plain_matched_words" in holdout


def test_a_finished_run_opens_as_a_model(straight_compressor: Path, straight_run: Path) -> None:
    parts = open_model(straight_compressor)
    assert parts.compressor is not None
    weights = load(straight_compressor / BEST)["state_dict"]
    for name, weight in parts.compressor.state_dict().items():
        assert torch.equal(weight, weights[f"compressor.{name}"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.0}, "model.learning_rate: wanted more than 0 .*, got 0.0"),
        ({"beta1": 1.0}, "model.beta1: wanted at least 0 and less than 1, got 1.0"),
        ({"pca_vectors": 0}, "model.pca_vectors: wanted at least 1 .*, got 0"),
        (
            {"pca_vectors": 3},
            "model.pca_vectors: wanted at least .* for as many components, got 3",
        ),
        ({"match_drop": 2}, "model.match_drop: wanted at least 0 and at most 1, got 2"),
        ({"bits": 3}, "model.bits: wanted 32, 16, 8, 4 or 2, got 3"),
        ({"activation": "leaky_relu", "bits": 32}, "model.init: wanted sparse or dense with"),
    ],
)
def test_a_bad_option_is_refused_by_name(
    straight_compressor: Path, change: dict[str, Any], message: str
) -> None:
    options = load(straight_compressor / LAST)["hyper_parameters"]
    CompressorModule(**options)
    with pytest.raises(ValueError, match=message):
        CompressorModule(**{**options, **change})
