from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from rrnn_lit.data.prepare_cli import parse as parse_prepare
from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder
from rrnn_lit.models.compressor import compressor_of
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.compressor_module import CompressorModule
from rrnn_lit.training.lightning_cli import RRNNCLI

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
# those of `rrnn prepare` and `rrnn compare` are no run's
TRAINING = [path for path in CONFIGS if not path.name.startswith(("prepare", "compare"))]
COMPRESSORS = [path for path in TRAINING if path.name.startswith("compressor")]
AUTOENCODERS = [path for path in TRAINING if path not in COMPRESSORS]
PREPARE = [path for path in CONFIGS if path.name.startswith("prepare")]


def read(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def resolve(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the config with every option's value, as `rrnn fit --print_config` prints it."""
    with pytest.raises(SystemExit) as done:
        RRNNCLI(["fit", "--config", str(path), "--print_config"])
    assert done.value.code == 0
    return dict(yaml.safe_load(capsys.readouterr().out))


def test_all_recipes_are_found() -> None:
    assert {"autoencoder", "demo"} <= {path.stem for path in AUTOENCODERS}
    names = {"compressor", "compressor_author", "compressor_demo"}
    assert names == {path.stem for path in COMPRESSORS}
    assert "prepare" in {path.stem for path in PREPARE}


@pytest.mark.parametrize("path", AUTOENCODERS, ids=lambda path: path.stem)
def test_training_config_parses_and_builds_its_model(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = resolve(path, capsys)
    options = {**config["model"], "match_margin": config["loss"]["match_margin"]}
    # every option is accepted, at a width that fits; the sizes are built without memory
    AutoencoderModule(word_dim=8, **{**options, "hidden_size": 4})
    shape = {
        name: options[name] for name in AutoencoderShape.__dataclass_fields__ if name != "word_dim"
    }
    with torch.device("meta"):
        model = SentenceAutoencoder(AutoencoderShape(word_dim=300, **shape))
    width, vector = options["hidden_size"], options["sentence_vector_size"]
    assert model.encoder.rnn.weight_h.shape == (width, width)
    assert model.encoder.sentence_vector.weight.shape == (vector or width, width)


@pytest.mark.parametrize("path", COMPRESSORS, ids=lambda path: path.stem)
def test_compressor_config_parses_and_builds_its_model(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = resolve(path, capsys)
    assert config["task"] == "compressor"
    options = {**config["model"], "match_margin": config["loss"]["match_margin"]}
    small = {**options, "compressed_size": 4, "layer_size": 4}
    assert CompressorModule(sentence_vector_size=8, **small).hparams["init"] == options["init"]
    with torch.device("meta"):
        model = compressor_of({**options, "sentence_vector_size": 10_000})
    assert model.up.weight.shape == (10_000, options["compressed_size"])


@pytest.mark.parametrize("path", TRAINING, ids=lambda path: path.stem)
def test_training_config_gives_every_option_of_ours(path: Path) -> None:
    config = read(path)
    for group in ("run", "checkpoint", "loss_scale", "loss", "wandb", "stopping", "samples"):
        assert config[group]
    for name in ("max_steps", "val_check_interval", "precision", "log_every_n_steps"):
        assert config["trainer"][name] is not None
    # one endless epoch, evaluated by steps
    assert config["trainer"]["max_epochs"] == -1
    assert config["trainer"]["check_val_every_n_epoch"] is None
    assert config["trainer"]["num_sanity_val_steps"] == 0


@pytest.mark.parametrize("path", PREPARE, ids=lambda path: path.stem)
def test_prepare_config_parses(path: Path) -> None:
    config = parse_prepare(["--config", str(path)])
    assert config.text.max_words == read(path)["text"]["max_words"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_opens_with_command_hardware_time_and_result(path: Path) -> None:
    comment = path.read_text(encoding="utf-8").split("\n\n")[0]
    head = [line for line in comment.splitlines() if line.startswith("#")]
    for word in ("command:", "hardware:", "time:", "result:"):
        assert any(word in line for line in head), f"{path.name} does not say {word}"


# the paper and its author's program
PAPER = {
    "trainer.precision": "16-mixed",
    "trainer.max_steps": 2_220_000,
    "trainer.val_check_interval": 20_000,
    "trainer.gradient_clip_val": None,
    "trainer.accumulate_grad_batches": 1,
    "loss_scale.init": 50,
    "loss_scale.growth_interval": 2000,
    "loss.match_margin": 0.0,
    "stopping.patience": 5,
    "stopping.min_relative_gain": 0.001,
    "model.hidden_size": 10_000,
    "model.sentence_vector_size": None,
    "model.first_step": "bias_term",
    "model.dropout": 0.5,
    "model.dropout_locked": True,
    "model.dropout_position": "output",
    "model.init": "sparse",
    "model.feed_forward_scale": 0.0833083,
    "model.recurrent_scale": 0.0456395,
    "model.loss": "squared",
    "model.match_drop": 1.0,
    "model.learning_rate": 4.22e-5,
    "model.decay": 0.9999987,
    "model.l2": 1.84e-7,
    "model.beta1": 0.85,
    "model.beta2": 0.99,
    "model.eps": 1e-4,
    "model.round_moments": "none",
    "data.batch_size": 32,
    "data.max_words": 60,
    "data.seed": 1234,
    "data.max_passes": 1,
    "data.length_buckets": 0,
    "data.blank_every": 200,
    "data.tune_sentences": 32_000,
}
# the author's program where it differs from the paper's text or has more digits
AUTHOR = {
    **PAPER,
    "model.dropout_position": "before_tanh",
    "model.learning_rate": 4.2243115e-5,
    "model.decay": 0.9999986886978,
    "model.l2": 1.8427478e-7,
    "model.round_moments": "fp16",
}


# what the compressor shares with the autoencoder, and what it has of its own
SHARED = ("trainer", "loss_scale", "stopping", "data")
SAME = ("learning_rate", "decay", "l2", "beta1", "beta2", "eps", "round_moments", "init")
SAME_MODEL = {f"model.{name}" for name in (*SAME, "feed_forward_scale")}


def compressors(recipe: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in recipe.items()
        if name.startswith(SHARED) or name in SAME_MODEL
    }
    del kept["data.blank_every"]
    return {
        **kept,
        "trainer.max_steps": 500_000,
        "trainer.val_check_interval": 10_000,
        "model.compressed_size": 3_000,
        "model.activation": "tanh",
        "model.bits": 32,
        "model.extra_layers": 0,
        "model.loss": "vector",
        **own,
    }


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("autoencoder", PAPER),
        ("autoencoder_author", AUTHOR),
        ("compressor", compressors(PAPER, {})),
        ("compressor_author", compressors(AUTHOR, {"model.activation": "leaky_relu"})),
    ],
)
def test_recipe_has_the_published_values(
    name: str, recipe: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    config = resolve(ROOT / "configs" / f"{name}.yaml", capsys)
    assert config["seed_everything"] == 1234
    got = {option: config[(p := option.split("."))[0]][p[1]] for option in recipe}
    assert got == recipe


@pytest.mark.parametrize(
    "name", ["autoencoder", "autoencoder_author", "compressor", "compressor_author"]
)
def test_every_value_of_a_recipe_has_its_source(name: str) -> None:
    lines = (ROOT / "configs" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    for group in ("model:", "loss_scale:", "stopping:"):
        start = lines.index(group) + 1
        for line in lines[start:]:
            if not line.startswith(" "):
                break
            assert "#" in line, f"no source beside {line.strip()!r}"
