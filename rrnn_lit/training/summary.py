"""`summary.json`: what a finished run comes to; its presence marks the run as finished."""

import json
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback, Timer
from rich.console import Console
from rich.table import Table

from rrnn_lit.data.manifest import write_json
from rrnn_lit.training.compressor_module import CompressorModule
from rrnn_lit.training.frozen_autoencoder import parts_behind, vector_size
from rrnn_lit.training.metric_keys import split_key
from rrnn_lit.training.run_clock import RunClock
from rrnn_lit.training.run_folder import SUMMARY_FILE
from rrnn_lit.training.split_metrics import VALIDATION_SPLITS
from rrnn_lit.training.stopping import MatchedWordsStopping, time_is_up

_INTEGERS = ("words", "sentences")
# figure -> column of the table
_RATES = {
    "matched_word_rate": "words",
    "exact_sentence_rate": "exact",
    "strict_matched_word_rate": "strict words",
    "strict_exact_sentence_rate": "strict exact",
}


# figure of a compressor's run -> the same without the compressor
_PLAIN = {
    "matched_word_rate": "plain_matched_word_rate",
    "exact_sentence_rate": "plain_exact_sentence_rate",
}


class LoadedStep(Callback):
    """Remembers the `global_step` of the checkpoint that is evaluated; `trainer` then has 0."""

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take it from the checkpoint."""
        self.step = int(checkpoint["global_step"])


def split_figures(metrics: dict[str, Any], split: str) -> dict[str, float | int]:
    """Return the figures of a split from logged metrics, counts as integers."""
    prefix = split_key(split, "")
    figures = {
        k.removeprefix(prefix): float(v) for k, v in metrics.items() if k.startswith(prefix)
    }
    return {
        name: int(value) if name.endswith(_INTEGERS) else round(value, 6)
        for name, value in figures.items()
    }


def stop_reason(trainer: pl.Trainer) -> str:
    """Return why training ended."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    for callback in callbacks:
        if isinstance(callback, MatchedWordsStopping) and callback.reason is not None:
            return callback.reason
    if 0 < trainer.max_steps <= trainer.global_step:
        return f"trainer.max_steps={trainer.max_steps} reached"
    if any(isinstance(callback, Timer) and time_is_up(callback) for callback in callbacks):
        return f"trainer.max_time reached at step {trainer.global_step}"
    return f"ended by another callback or limit at step {trainer.global_step}"


def describe_run(trainer: pl.Trainer, module: Any, seconds: float, reason: str) -> dict[str, Any]:
    """Return the summary of a run whose final weights were just evaluated on tune and test.

    Args:
        trainer: after `fit`.
        module: the trained AutoencoderModule or CompressorModule.
        seconds: wall time of training, evaluations included, over all starts of the run.
        reason: why training ended.
    """
    data = trainer.datamodule  # type: ignore[attr-defined]
    return {
        "steps": trainer.global_step,
        "sentences": module.monitor.num_sentences,
        "seconds": round(seconds, 1),
        **_effective_time(trainer),
        "stop_reason": reason,
        "vocab_size": data.word_vectors.vocab_size,
        "max_words": data.hparams["max_words"],
        **_sizes(trainer, module),
        "num_parameters": sum(p.numel() for p in module.parameters()),
        "precision": str(trainer.precision),
        "seed": data.hparams["seed"],
        "splits": {
            split: describe_split(trainer, module, split, "last", trainer.global_step)
            for split in VALIDATION_SPLITS
        },
    }


def _effective_time(trainer: pl.Trainer) -> dict[str, Any]:
    """Return which share of the time since the first start was kept training, if that is known."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    for callback in callbacks:
        if isinstance(callback, RunClock):
            figures = callback.effective(trainer)
            return {} if figures is None else figures.as_dict()
    return {}


def _sizes(trainer: pl.Trainer, module: Any) -> dict[str, Any]:
    """Return widths and bytes of a stored vector; sentence vectors are stored as fp16."""
    if not isinstance(module, CompressorModule):
        options = module.hparams
        return {
            "hidden_size": options["hidden_size"],
            "bytes_per_vector": 2 * vector_size(options),
        }
    behind = parts_behind(trainer.datamodule).autoencoder_options  # type: ignore[attr-defined]
    return {
        "task": "compressor",
        "hidden_size": behind["hidden_size"],
        "compressed_size": module.compressor.shape.compressed_size,
        "bits": module.compressor.shape.bits,
        "bytes_per_vector": module.compressor.bytes_per_vector,
        "plain_bytes_per_vector": 2 * vector_size(behind),
    }


def describe_split(
    trainer: pl.Trainer, module: Any, split: str, weights: str, step: int
) -> dict[str, Any]:
    """Return what the summary says about a split that was just evaluated.

    Args:
        trainer: after the evaluation.
        module: the evaluated AutoencoderModule or CompressorModule.
        split: its name.
        weights: name of the checkpoint that holds the evaluated weights, `last` or `best`.
        step: `global_step` of these weights.
    """
    return {
        "weights": weights,
        "step": step,
        "max_words": trainer.datamodule.hparams["max_words"],  # type: ignore[attr-defined]
        **split_figures(dict(trainer.callback_metrics), split),
        "by_length": module.metrics.by_length[split],
    }


def read_summary(folder: Path) -> dict[str, Any]:
    """Return the summary of a finished run.

    Raises:
        ValueError: the folder holds no finished run, or its summary is damaged.
    """
    path = folder / SUMMARY_FILE
    if not path.is_file():
        raise ValueError(f"run.folder: wanted a finished run with {SUMMARY_FILE}, got {folder}")
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        return {**summary, "splits": dict(summary["splits"])}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{path}: wanted the summary of a run, got {error!r}") from error


def add_split(folder: Path, split: str, figures: dict[str, Any]) -> dict[str, Any]:
    """Write the figures of a split into the summary of a finished run and return it."""
    summary = read_summary(folder)
    summary["splits"][split] = figures
    write_json(folder / SUMMARY_FILE, summary)
    return summary


def print_summary(summary: dict[str, Any], console: Console) -> None:
    """Print the figures of all splits as a table under one line about the run."""
    plain = summary.get("plain_bytes_per_vector")
    instead = "" if plain is None else f" instead of {plain:,}"
    console.print(
        f"\n{summary['steps']:,} steps, {summary['sentences']:,} sentences, "
        f"{summary['seconds']:,.0f} s; width {summary['hidden_size']:,}, "
        f"{summary['bytes_per_vector']:,} bytes per vector{instead}, "
        f"{summary['vocab_size']:,} dictionary "
        f"words, trained on sentences of at most {summary['max_words']} words (with EOS), "
        f"seed {summary['seed']}, {summary['precision']}\n{_kept_time(summary)}"
        f"stopped: {summary['stop_reason']}",
        highlight=False,
        soft_wrap=True,
    )
    table = Table()
    for name in ("split", "weights", "sentences", "longest", *_RATES.values()):
        table.add_column(name, justify="left" if name in ("split", "weights") else "right")
    for split, figures in summary["splits"].items():
        table.add_row(
            split,
            f"{figures['weights']}, step {figures['step']:,}",
            f"{figures['num_sentences']:,}",
            f"{figures['max_words']}",
            *(f"{figures[rate]:.2%}" for rate in _RATES),
        )
    console.print(table)
    if plain is not None:
        console.print(_beside_plain(summary))


def _kept_time(summary: dict[str, Any]) -> str:
    """Return a line about the starts of the run; summaries of earlier versions have none."""
    share = summary.get("effective_training_time")
    if share is None:
        return ""
    starts = f"{summary['starts']:,} start{'s' if summary['starts'] > 1 else ''}"
    lost = f"{summary['lost_steps']:,} steps done again"
    return f"{share:.1%} of the time since the first start was training; {starts}, {lost}\n"


def _beside_plain(summary: dict[str, Any]) -> Table:
    """Return the figures of a compressor's run beside those of the plain vectors."""
    table = Table(title="compressed and plain vectors")
    columns = [_RATES[rate] for rate in _PLAIN]
    for name in ("split", "vectors", "bytes", *columns):
        table.add_column(name, justify="left" if name in ("split", "vectors") else "right")
    for split, figures in summary["splits"].items():
        for vectors, size, rates in (
            ("compressed", summary["bytes_per_vector"], list(_PLAIN)),
            ("plain", summary["plain_bytes_per_vector"], list(_PLAIN.values())),
        ):
            table.add_row(split, vectors, f"{size:,}", *(f"{figures[r]:.2%}" for r in rates))
    return table
