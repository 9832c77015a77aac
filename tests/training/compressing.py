"""A tiny compressor behind a tiny autoencoder: the shipped demo config with small sizes."""

from pathlib import Path
from typing import Any

import yaml

from rrnn_lit.training.lightning_cli import RRNNCLI
from tests.training.tiny import Options

COMPRESSOR_DEMO = Path(__file__).parents[2] / "configs" / "compressor_demo.yaml"
# rounding, an extra layer, match drop with a margin, decay, L2, clipping are all on
TINY: dict[str, Any] = {
    "trainer.accelerator": "cpu",
    "trainer.precision": "32-true",
    "trainer.max_steps": 10,
    "trainer.val_check_interval": 4,
    "trainer.log_every_n_steps": 3,
    "trainer.gradient_clip_val": 1.0,
    "trainer.enable_progress_bar": False,
    "checkpoint.every_n_steps": 3,
    "wandb.enabled": False,
    "samples.num_sentences": 3,
    "loss.match_margin": 0.1,
    "stopping.patience": 100,
    "model.compressed_size": 6,
    "model.activation": "tanh",
    "model.bits": 4,
    "model.extra_layers": 1,
    "model.layer_size": 5,
    "model.init": "pca",
    "model.pca_vectors": 100,
    "model.loss": "words",
    "model.learning_rate": 0.01,
    "model.decay": 0.99,
    "model.l2": 0.001,
    "data.batch_size": 8,
    "data.max_words": 12,
    "data.length_buckets": 3,
    "data.eval_batch_size": 16,
    "data.tune_sentences": None,
    "data.test_sentences": None,
}
PAPERS: dict[str, Any] = {
    "model.bits": 32,
    "model.extra_layers": 0,
    "model.init": "sparse",
    "model.loss": "vector",
}


def compressor_config(
    data: Path, autoencoder: Path, run: Path, options: Options | None = None
) -> Options:
    """Return the tiny config; `options` are dotted names."""
    config: Options = yaml.safe_load(COMPRESSOR_DEMO.read_text(encoding="utf-8"))
    places = {
        "data.folder": str(data),
        "data.autoencoder": str(autoencoder),
        "run.folder": str(run),
    }
    for name, value in {**TINY, **places, **(options or {})}.items():
        group, key = name.split(".")
        config[group][key] = value
    return config


def write_compressor(
    data: Path, autoencoder: Path, run: Path, options: Options | None = None
) -> Path:
    """Write the tiny config beside the run's folder and return its path."""
    path = run.with_name(f"{run.name}.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    config = compressor_config(data, autoencoder, run, options)
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def fit_compressor(
    data: Path,
    autoencoder: Path,
    run: Path,
    options: Options | None = None,
    *arguments: str,
) -> RRNNCLI:
    """Train with the tiny config, options and further arguments; return the finished RRNNCLI."""
    path = write_compressor(data, autoencoder, run, options)
    return RRNNCLI(["fit", "--config", str(path), *arguments])
