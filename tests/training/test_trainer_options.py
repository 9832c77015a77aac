import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning.pytorch as pl
import pytest
import yaml

from rrnn_lit.training.trainer_options import (
    canonical_precision,
    check_seed,
    check_trainer_options,
)

FOLDER = Path(__file__).parents[2] / "configs"
# not those of `rrnn prepare` and `rrnn compare`
CONFIGS = [p for p in sorted(FOLDER.glob("[!p]*.yaml")) if not p.name.startswith("compare_")]
DEFAULTS = {
    name: parameter.default for name, parameter in inspect.signature(pl.Trainer).parameters.items()
}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configs_pass(path: Path) -> None:
    options = yaml.safe_load(path.read_text(encoding="utf-8"))["trainer"]
    check_trainer_options(SimpleNamespace(**{**DEFAULTS, **options}))
    assert canonical_precision(options["precision"]) == options["precision"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("max_steps", 0, "wanted at least 1, got 0"),
        ("log_every_n_steps", 0, "wanted at least 1, got 0"),
        ("val_check_interval", 0, "wanted at least 1, got 0"),
        ("val_check_interval", 0.5, "wanted at least 1, got 0.5"),
        ("accumulate_grad_batches", 0, "wanted at least 1, got 0"),
        ("gradient_clip_val", -0.5, "wanted at least 0, got -0.5"),
        ("logger", False, "wanted null, got False; every run has metrics.jsonl"),
        ("plugins", ["x"], r"wanted null, got \['x'\]; precision and checkpoints"),
        ("default_root_dir", "elsewhere", "wanted null, got elsewhere; the folder is run.folder"),
        ("barebones", True, "wanted false, got True"),
        ("fast_dev_run", True, "wanted false, got True; give a small trainer.max_steps"),
        ("overfit_batches", 3, "wanted 0, got 3"),
        ("limit_train_batches", 2, "wanted null, got 2; a run is one endless epoch"),
        ("limit_val_batches", 0, "wanted null, got 0; give data.tune_sentences"),
        ("limit_test_batches", 1.0, "wanted null, got 1.0; give data.holdout_sentences"),
        ("limit_predict_batches", 1, "wanted null, got 1"),
        ("max_epochs", 0, "wanted null or -1, got 0; a run is one endless epoch"),
        ("min_epochs", 2, "wanted null, got 2"),
        ("check_val_every_n_epoch", 2, "wanted null or 1, got 2"),
    ],
)
def test_what_no_run_can_honour_is_refused_by_name(name: str, value: Any, message: str) -> None:
    good = {**DEFAULTS, "max_steps": 10}
    check_trainer_options(SimpleNamespace(**good))
    with pytest.raises(ValueError, match=rf"^trainer\.{name}: {message}"):
        check_trainer_options(SimpleNamespace(**{**good, name: value}))


def test_an_evaluation_may_be_due_by_the_clock() -> None:
    by_clock = {"max_steps": 1, "val_check_interval": "00:01:00:00"}
    check_trainer_options(SimpleNamespace(**{**DEFAULTS, **by_clock}))


@pytest.mark.parametrize(
    ("given", "meant"),
    [(None, "32-true"), (32, "32-true"), ("16", "16-mixed"), ("bf16-mixed", "bf16-mixed")],
)
def test_short_forms_of_a_precision(given: object, meant: str) -> None:
    assert canonical_precision(given) == meant


@pytest.mark.parametrize("precision", [64, "64-true", "bf16-true", "transformer-engine"])
def test_other_precisions_are_refused(precision: object) -> None:
    message = f"trainer.precision: wanted 16-mixed, bf16-mixed or 32-true, got {precision}"
    with pytest.raises(ValueError, match=message):
        canonical_precision(precision)


@pytest.mark.parametrize("seed", [0, 2**32 - 1, True, False])
def test_seeds_that_numpy_takes(seed: int | bool) -> None:
    check_seed(seed)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_other_seeds_are_refused_by_name(seed: int) -> None:
    message = f"seed_everything: wanted a number from 0 to 4294967295, got {seed}"
    with pytest.raises(ValueError, match=message):
        check_seed(seed)
