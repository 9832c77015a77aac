"""A tiny run: the shipped demo config with small sizes, and what tests do with runs."""

import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml

DEMO = Path(__file__).parents[2] / "configs" / "demo.yaml"
# dropout, match drop with a margin, decay, L2, clipping, length buckets and blanks are all on
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
    "model.hidden_size": 16,
    "model.dropout": 0.3,
    "model.match_drop": 1.0,
    "model.learning_rate": 0.01,
    "model.decay": 0.99,
    "model.l2": 0.001,
    "data.batch_size": 8,
    "data.max_words": 12,
    "data.length_buckets": 3,
    "data.blank_every": 5,
    "data.eval_batch_size": 16,
    "data.tune_sentences": None,
    "data.test_sentences": None,
}
Options = dict[str, Any]


def tiny_config(data: Path, run: Path, options: Options | None = None) -> Options:
    """Return the tiny config; `options` are dotted names."""
    config: Options = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    all_options = {"data.folder": str(data), "run.folder": str(run), **TINY, **(options or {})}
    for name, value in all_options.items():
        group, key = name.split(".")
        config[group][key] = value
    return config


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


def load(path: Path) -> dict[str, Any]:
    """Return a checkpoint; anything but tensors and plain values is refused."""
    return dict(torch.load(path, map_location="cpu", weights_only=True))


# where a run lives and how long it took: the only keys in which two equal runs may differ;
# and Lightning's note of the score it saved last in this process (best_model_score is compared)
OWN = (
    *("dirpath", "best_model_path", "kth_best_model_path", "last_model_path"),
    *("seconds", "current_score"),
)


def differences(first: Any, second: Any, place: str = "") -> list[str]:
    """Return the places in which two checkpoints differ, bit for bit."""
    if type(first) is not type(second):
        return [f"{place}: {type(first).__name__} and {type(second).__name__}"]
    if isinstance(first, torch.Tensor):
        same = first.dtype == second.dtype and torch.equal(first, second)
        return [] if same else [place]
    if isinstance(first, dict):
        if place.endswith("best_k_models"):
            return differences(list(first.values()), list(second.values()), f"{place} scores")
        found = [f"{place}/{key}: only one has it" for key in set(first) ^ set(second)]
        for key in first.keys() & second.keys():
            if key not in OWN:
                found += differences(first[key], second[key], f"{place}/{key}")
        return sorted(found)
    if isinstance(first, list | tuple):
        if len(first) != len(second):
            return [f"{place}: {len(first)} and {len(second)} entries"]
        pairs = enumerate(zip(first, second, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{place}[{i}]")]
    return [] if first == second else [f"{place}: {first} and {second}"]


def in_child(work: Callable[[], int]) -> int:
    """Run `work` in a forked process; return its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 70
        # the parent's pool of threads does not exist here: waiting for it would never end
        torch.set_num_threads(1)
        try:
            code = work()
        except BaseException:
            traceback.print_exc()  # nothing above would
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
