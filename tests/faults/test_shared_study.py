"""A row that somebody put into the study storage runs nothing and leads nowhere."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.samplers import CmaEsSampler
from optuna.trial import TrialState, create_trial

from rrnn_lit.search import attributes
from rrnn_lit.search.cli import main
from rrnn_lit.search.settings import (
    SAMPLERS,
    PrunerSettings,
    SamplerSettings,
    StopSettings,
)
from rrnn_lit.search.space import Dimension
from rrnn_lit.search.storage import SweepStorage, open_storage
from rrnn_lit.search.study import load_study, open_study
from tests.faults.canaries import Canary, text_pickle
from tests.search.sweeping import NAME, RATE, run_host, toy_definition

Got = Callable[[str], None]
STUDY = """
base: {base}
budget: {{steps: 5}}
seed: 1
objective: {{metric: tune/matched_words, direction: maximize}}
space: {{model.learning_rate: {{distribution: uniform, low: 0.1, high: 0.2}}}}
stopping: {{trials: 1}}
sampler: {{kind: cmaes}}
"""


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[SweepStorage]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = open_storage(f"sqlite:///{tmp_path}/sweep.db", num_workers=1)
    yield storage
    storage.close()
    optuna.logging.set_verbosity(before)


def poison(canary: Canary) -> dict[str, Any]:
    """Return system attributes as CMA-ES keeps its state, with a canary for the state."""
    state = text_pickle(canary).hex()
    names = ("cma:optimizer:0", "sepcma:optimizer:0", "cmawm:optimizer:0")
    return {**dict.fromkeys(names, state), "cma:generation": 0, "cma:n_restarts": 0}


def poisoned(study: optuna.Study, canary: Canary) -> None:
    """Add a trial to a study as somebody may who can write to its storage."""
    space: dict[str, BaseDistribution] = {RATE: FloatDistribution(1e-4, 1e-2, log=True)}
    study.add_trial(
        create_trial(
            state=TrialState.COMPLETE,
            value=1e9,
            params={RATE: 1e-3},
            distributions=space,
            system_attrs=poison(canary),
            user_attrs={attributes.FOLDER: "../../etc"},
        )
    )


def test_the_row_would_sing_where_cma_es_draws(storage: SweepStorage, tmp_path: Path) -> None:
    canary = Canary(tmp_path / "sung")
    study, _ = open_study(toy_definition(), storage)
    poisoned(study, canary)
    sampler = object.__new__(CmaEsSampler)  # without the package that computes
    sampler._attr_prefix = "cma:"
    sampler._restore_optimizer(study.get_trials())
    assert canary.path.is_dir()


SETTINGS = {
    "random": SamplerSettings("random"),
    "tpe": SamplerSettings("tpe", startup_trials=1),
    "qmc": SamplerSettings("qmc"),
    "grid": SamplerSettings("grid"),
}
RULES = {"random": PrunerSettings("median", startup_trials=1), "tpe": PrunerSettings("asha")}


@pytest.mark.promise(27)
def test_no_sampler_pruner_or_command_of_ours_wakes_a_poisoned_row(
    storage: SweepStorage, tmp_path: Path, got: Got, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = Canary(tmp_path / "sung")
    assert set(SETTINGS) == set(SAMPLERS)
    finished = 0
    for kind, sampler in SETTINGS.items():
        grid = Dimension(RATE, "categorical", values=(1e-3, 2e-3)) if kind == "grid" else None
        space: dict[str, Any] = {} if grid is None else {"space": (grid,)}
        pruner = RULES.get(kind, PrunerSettings("none"))
        definition = toy_definition(
            name=kind, sampler=sampler, pruner=pruner, stopping=StopSettings(trials=2), **space
        )
        study, _ = open_study(definition, storage)
        if grid is None:
            poisoned(study, canary)
        else:
            study.add_trial(create_trial(value=1.0, system_attrs=poison(canary)))
        _, trials = run_host(definition, storage, tmp_path / "runs")
        finished += sum(trial.state.is_finished() for trial in trials[1:])
    storage.close()
    address = ("--storage", f"sqlite:///{tmp_path}/sweep.db")
    for command in ("show", "export", "plots"):
        out = () if command == "show" else ("--out", str(tmp_path / command))
        main([command, "random", *out, *address])
    got(f"{int(canary.path.exists())} canaries with {len(SETTINGS)} samplers, CMA-ES refused")
    assert finished >= len(SETTINGS)  # they drew and judged beside the row
    assert not canary.path.exists()
    assert "cmaes" not in sys.modules
    study_file = tmp_path / "study.yaml"
    (tmp_path / "base.yaml").write_text("model: {learning_rate: 1}\n")
    study_file.write_text(STUDY.format(base=tmp_path / "base.yaml"))
    capfd.readouterr()
    assert main(["run", str(study_file), *address]) in (64, 65)
    assert "CMA-ES keeps a pickle in the storage" in capfd.readouterr().err


@pytest.mark.promise(27)
@pytest.mark.parametrize("root", ["../../outside", "/etc", ["x"]])
def test_a_row_cannot_lead_a_trial_out_of_its_folder(
    storage: SweepStorage, tmp_path: Path, root: object
) -> None:
    study, _ = open_study(toy_definition(), storage)
    study.set_user_attr(attributes.RUNG_OF, root)
    study.enqueue_trial({RATE: 1e-3}, user_attrs={attributes.ORIGIN: 0})
    before = {path for path in tmp_path.rglob("*") if "runs" not in path.parts}
    with pytest.raises(ValueError, match="refused: trials stay in the folder of their study"):
        run_host(toy_definition(), storage, tmp_path / "a" / "b" / "runs")
    new = {path for path in tmp_path.rglob("*") if "runs" not in path.parts} - before
    assert {path.name for path in new} <= {"a", "b"}


@pytest.mark.promise(27)
@pytest.mark.parametrize("text", ["[" * 100_000, json.dumps({"a": "x" * 10**6}), "1" * 5000])
def test_a_definition_that_is_a_flood_is_no_definition(storage: SweepStorage, text: str) -> None:
    study, _ = open_study(toy_definition(), storage)
    study.set_user_attr(attributes.DEFINITION, text)
    with pytest.raises(ValueError, match="cannot read what the storage says about it"):
        load_study(NAME, storage)
