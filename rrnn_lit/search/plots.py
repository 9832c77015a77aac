"""`rrnn sweep plots`: the pictures of a study as PNG, or each as one HTML file."""

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from rrnn_lit.search.plot_panels import finite, history, importances, learning_curves, slices
from rrnn_lit.search.plot_parallel import parallel_coordinates
from rrnn_lit.search.study_file import Definition
from rrnn_lit.search.transfer_plot import points_of, width_transfer
from rrnn_lit.whole_files import write_text, written_whole

Draw = Callable[[optuna.Study, Definition], Any]
_PICTURES: dict[str, Draw] = {
    "history": history,
    "learning_curves": learning_curves,
    "slices": slices,
    "importances": importances,
    "parallel_coordinates": parallel_coordinates,
    "width_transfer": lambda study, definition: width_transfer(
        points_of(study.get_trials(deepcopy=False), definition), definition
    ),
}
# the same in optuna.visualization; it has no width transfer
_PAGES = {
    "history": "plot_optimization_history",
    "learning_curves": "plot_intermediate_values",
    "slices": "plot_slice",
    "importances": "plot_param_importances",
    "parallel_coordinates": "plot_parallel_coordinate",
}


def write_plots(
    study: optuna.Study, definition: Definition, folder: Path, html: bool
) -> tuple[list[Path], list[str]]:
    """Draw what the study has the data for; return the files and one line for each left out.

    Files of an earlier call are replaced.

    Raises:
        ValueError: `html` without the package plotly.
    """
    if html:
        _want_plotly()
    folder.mkdir(parents=True, exist_ok=True)
    written, left_out = [], []
    for name in _PICTURES:
        why = _why_not(name, study, definition, html)
        if why is not None:
            left_out.append(f"{name}: left out, {why}")
        elif html:
            written.append(_write_html(name, study, definition, folder))
        else:
            written.append(_write_png(name, study, definition, folder))
    return written, left_out


def _why_not(name: str, study: optuna.Study, definition: Definition, html: bool) -> str | None:
    trials = study.get_trials(deepcopy=False)
    if name == "width_transfer":
        if definition.curves is None:
            return "the study file has no `curves`"
        if html:
            return "there is only a PNG of it"
        return None if points_of(trials, definition) else "no trial is complete"
    if name == "learning_curves":
        held = any(trial.intermediate_values for trial in trials)
        return None if held else "no trial has reported a value"
    complete = finite(trials, TrialState.COMPLETE)
    if not complete:
        return "no trial is complete"
    if name == "importances" and len({trial.value for trial in complete}) < 2:
        return "it needs two complete trials with different values"
    if name == "parallel_coordinates" and len(complete) < 2:
        return "it needs two complete trials"
    return None


def _write_png(name: str, study: optuna.Study, definition: Definition, folder: Path) -> Path:
    figure = _PICTURES[name](study, definition)
    figure.suptitle(f"{definition.name}: {name.replace('_', ' ')}", fontsize=11)
    path = folder / f"{name}.png"
    with written_whole(path) as part, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # in the name of the study
        figure.savefig(part, format="png", dpi=110)
    return path


def _write_html(name: str, study: optuna.Study, definition: Definition, folder: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental parts, few trials
        figure = getattr(optuna.visualization, _PAGES[name])(study)
    figure.update_layout(title=f"{definition.name}: {name.replace('_', ' ')}")
    path = folder / f"{name}.html"
    write_text(path, figure.to_html(include_plotlyjs=True, full_html=True))
    return path


def _want_plotly() -> None:
    if find_spec("plotly") is None:
        raise ValueError(
            "--html: wanted the package plotly, it is not installed; pip install 'rrnn_lit[plots]'"
        )
