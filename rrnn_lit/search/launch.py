"""Runs a study to its end on this machine: `rrnn sweep run` and `rrnn sweep extend`."""

import os
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna
import yaml
from rich.console import Console

from rrnn_lit.search import attributes
from rrnn_lit.search.live_view import LiveView
from rrnn_lit.search.objective import check_objective
from rrnn_lit.search.options import check_options, flatten
from rrnn_lit.search.plots import write_plots
from rrnn_lit.search.show import print_study
from rrnn_lit.search.space import extremes
from rrnn_lit.search.stop_rule import stop_reason
from rrnn_lit.search.stop_signals import call_on_signals
from rrnn_lit.search.storage import SweepStorage, masked
from rrnn_lit.search.study_file import Definition, from_json, read_study, to_json
from rrnn_lit.search.trial_process import TrialServer
from rrnn_lit.search.wandb_study import log_study
from rrnn_lit.search.worker import SweepHost, SweepOptions

PLOTS = "plots"


@dataclass(frozen=True)
class Launch:
    """How this process runs a study.

    Attributes:
        options: of the host.
        url: of the storage; shown without its password.
        console: where to print.
    """

    options: SweepOptions
    url: str
    console: Console


def define(
    path: Path,
    name: str | None,
    extra: Mapping[str, Any],
    trials: int | None,
    seed: int | None,
    server: TrialServer,
) -> Definition:
    """Return the study of a file, after what it says of its runs was tried on the command itself.

    Args:
        path: study file.
        name: of the study; None for the file's.
        extra: dotted options that all trials share, beside the file's.
        trials: results wanted; None for the file's number.
        seed: of the draws; None for the file's.
        server: tries the options.

    Raises:
        ValueError: the file or an option is wrong, or a run would not log the objective.
    """
    definition = read_study(path, name)
    overrides = {**definition.overrides, **extra}
    stopping = definition.stopping
    if trials is not None:
        stopping = replace(stopping, trials=trials)
    # through JSON: what was put in here is checked as if it stood in the file
    changes: dict[str, Any] = {"overrides": overrides, "stopping": stopping}
    if seed is not None:
        changes["seed"] = seed
    definition = from_json(to_json(replace(definition, **changes)))
    with tempfile.TemporaryDirectory(prefix="rrnn-sweep-") as folder:
        base = Path(folder) / "base.yaml"
        base.write_text(yaml.safe_dump(definition.base_options), encoding="utf-8")
        try:
            check_options(definition, flatten(server.resolve(base, {})))
            check_objective(definition, flatten(server.resolve(base, definition.overrides)))
            _check_values(definition, base, server)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    return definition


def _check_values(definition: Definition, base: Path, server: TrialServer) -> None:
    """Refuse values of the space that the option they are for cannot have."""
    for options in extremes(definition.space):
        try:
            server.resolve(base, {**definition.overrides, **options})
        except ValueError:
            # what only all of them together break is for the trials to find out
            for option, value in options.items():
                _check_value(definition, base, option, value, server)


def _check_value(
    definition: Definition, base: Path, option: str, value: Any, server: TrialServer
) -> None:
    try:
        server.resolve(base, {**definition.overrides, option: value})
    except ValueError as error:
        raise ValueError(
            f"space.{option}: wanted values that the run takes, got {value!r}: {error}"
        ) from error


def run_study(
    study: optuna.Study,
    definition: Definition,
    storage: SweepStorage,
    server: TrialServer,
    launch: Launch,
) -> bool:
    """Run trials until the study is done, then show it; return False if a signal ended it.

    Raises:
        KeyboardInterrupt: Ctrl-C; running trials were put back.
        ValueError: the sweep gave up: too many trials failed, or they are refused one by one.
    """
    wanted = definition.stopping.trials
    host = SweepHost(study, definition, storage, server, launch.options, wanted)
    folder = launch.options.out / definition.name
    root = study.user_attrs.get(attributes.RUNG_OF, definition.name)
    trials = launch.options.out / root  # a trial that goes on stays in its folder
    _say(launch, f"study {definition.name} in {masked(launch.url)}, trials in {trials}")
    view = LiveView(
        study, definition, wanted, launch.options.num_workers, host.running, launch.console
    )
    with call_on_signals(host.stop) as came, view:
        why = host.run(watch=view)
        view()
    if signal.SIGINT in came:
        raise KeyboardInterrupt("running trials were put back")
    if came:
        return False
    _say(launch, f"study {definition.name} ended: {why}")
    _conclude(study, definition, folder, launch)
    if _gave_up(study, definition):
        raise ValueError(
            f"study {definition.name}: gave up: {why};"
            f" `rrnn sweep show {definition.name} --all` has the details"
        )
    return True


def _gave_up(study: optuna.Study, definition: Definition) -> bool:
    """Return whether the study ended without having come to one of its goals."""
    trials = study.get_trials(deepcopy=False)
    patient = replace(definition, limits=replace(definition.limits, max_failures=len(trials)))
    return stop_reason(trials, patient, definition.stopping.trials) is None


def _conclude(study: optuna.Study, definition: Definition, folder: Path, launch: Launch) -> None:
    trials = study.get_trials(deepcopy=False)
    print_study(trials, definition, launch.console, show_all=False)
    pictures: list[Path] = []
    if any(trial.state is optuna.trial.TrialState.COMPLETE for trial in trials):
        pictures, _ = write_plots(study, definition, folder / PLOTS, html=False)
        _say(launch, f"pictures: {folder / PLOTS}")
    run_id = log_study(study, definition, folder, pictures)
    if run_id is not None:
        _say(launch, f"W&B run of the study: {run_id}, files in {folder / 'wandb'}")


def _say(launch: Launch, line: str) -> None:
    launch.console.print(line, markup=False, highlight=False, soft_wrap=True)


def choose_gpus(text: str) -> tuple[str, ...]:
    """Return the GPUs that workers take in turn, as CUDA_VISIBLE_DEVICES names them.

    Args:
        text: `auto` for those that this process may see, `none`, or names with commas between.
    """
    if text == "none":
        return ()
    if text == "auto":
        seen = os.environ.get("CUDA_VISIBLE_DEVICES")
        if seen is None:
            found = [
                path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*")
            ]
            return tuple(sorted((n for n in found if n.isdigit()), key=int))
        text = seen
    names = [name.strip() for name in text.split(",")]
    return tuple(name for name in names if name and name != "-1")


def choose_threads(num_workers: int) -> int:
    """Return threads for each trial: the cores this process may use, shared by the workers."""
    return max(1, len(os.sched_getaffinity(0)) // num_workers)
