"""Which of several studies finds good options sooner: best value so far against time spent.

Time is what the trials took, their attempts added up, so that studies with other numbers of
workers compare, and waiting for a free worker costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial
from rich.table import Table

from rrnn_lit.search.show import duration_text, number_text, seconds_of
from rrnn_lit.search.stop_rule import finite_value
from rrnn_lit.search.study_file import Definition


@dataclass(frozen=True)
class Course:
    """What a study found over time.

    Attributes:
        name: of the study.
        seconds: spent when each trial ended, in the order in which they ended; failed ones too.
        best: best value of a complete trial until then; None before the first.
    """

    name: str
    seconds: tuple[float, ...]
    best: tuple[float | None, ...]

    def seconds_until(self, value: float, direction: str) -> float | None:
        """Return the time until a trial was at least as good as `value`; None if none was."""
        for seconds, best in zip(self.seconds, self.best, strict=True):
            if best is not None and (best >= value if direction == "maximize" else best <= value):
                return seconds
        return None


def course_of(study: optuna.Study) -> Course:
    """Return the course of a study from its finished trials."""
    better = max if study.direction is optuna.study.StudyDirection.MAXIMIZE else min
    spent, best = 0.0, None
    seconds: list[float] = []
    bests: list[float | None] = []
    for trial in sorted(_finished(study), key=_end):
        spent += seconds_of(trial) or 0.0
        value = finite_value(trial)
        if value is not None:
            best = value if best is None else better(best, value)
        seconds.append(spent)
        bests.append(best)
    return Course(study.study_name, tuple(seconds), tuple(bests))


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    return [t for t in study.get_trials(deepcopy=False) if t.state.is_finished()]


def _end(trial: FrozenTrial) -> tuple[datetime, int]:
    # a damaged file may have lost the time
    return trial.datetime_complete or datetime.max, trial.number


def check_comparable(studies: Sequence[tuple[optuna.Study, Definition]]) -> None:
    """Raise ValueError unless the studies have one objective, budget and finished trials each."""
    first = studies[0][1]
    for study, definition in studies:
        for name in ("metric", "direction", "steps"):
            got, wanted = getattr(definition, name), getattr(first, name)
            if got != wanted:
                raise ValueError(
                    f"study {definition.name}: wanted {name} {wanted} as in {first.name}, "
                    f"got {got}"
                )
        if all(finite_value(trial) is None for trial in _finished(study)):
            raise ValueError(f"study {definition.name}: wanted a complete trial, got none yet")


def comparison_table(courses: Sequence[Course], definition: Definition) -> Table:
    """Return a row per study: its best, and when it was as good as the first study's best."""
    goal = courses[0].best[-1]
    assert goal is not None
    table = Table(title=f"{definition.metric}, {definition.direction}")
    for heading in ("study", "trials", "time", "best", f"time until {number_text(goal)}"):
        table.add_column(heading, justify="left" if heading == "study" else "right")
    for course in courses:
        until = course.seconds_until(goal, definition.direction)
        table.add_row(
            course.name,
            str(len(course.seconds)),
            duration_text(course.seconds[-1]),
            number_text(course.best[-1]),
            "never" if until is None else f"{until:,.0f} s ({until / courses[0].seconds[-1]:.0%})",
        )
    return table


def write_comparison(courses: Sequence[Course], definition: Definition, path: Path) -> Path:
    """Draw best value so far against seconds, one line a study, as a PNG; return its path."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for course in courses:
        steps = [(s, b) for s, b in zip(course.seconds, course.best, strict=True) if b is not None]
        axes.step(*zip(*steps, strict=True), where="post", marker=".", label=course.name)
    axes.set_xlabel("seconds of training, all trials added up")
    axes.set_ylabel(f"best {definition.metric} so far")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=110)
    return path
