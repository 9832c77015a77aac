"""Effective training time: the share of the time since a run's first start that it kept.

    share = seconds of kept training / seconds in which the run was wanted

Kept training is what `RunClock` counts: evaluations and writing checkpoints included, of a start
that was killed up to the checkpoint from which the next one went on. The run is wanted from the
beginning of its first process to the end of training; only between a start that came to its own
end and one that extends the run it is not. What is lost so is starting up, training done twice,
and the time between a death and the next start. The report behind the end of training counts
neither way.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

FINISHED = "finished"


@dataclass(frozen=True)
class Event:
    """A start of a run, or its end as far as the process came to say so: no kill does.

    Attributes:
        event: `start` or `end`.
        step: `global_step`.
        time: seconds since 1970; of a start, when its process began.
        life: number of the start in `metrics.jsonl`; starts that logged nothing share one.
        seconds: of kept training so far.
        reason: `finished`, the signal or word that stopped it, or the kind of error; of a start
            `new` or `resumed`.
    """

    event: str
    step: int
    time: float
    life: int
    seconds: float
    reason: str


@dataclass(frozen=True)
class EffectiveTime:
    """What `summary.json` says of it.

    Attributes:
        effective_training_time: the share, from 0 to 1.
        starts: of the run, the first included.
        lost_steps: steps that were done again; of a killed start as far as its last line in
            `metrics.jsonl`.
    """

    effective_training_time: float
    starts: int
    lost_steps: int

    def as_dict(self) -> dict[str, Any]:
        """Return it for a JSON file."""
        return asdict(self)


def effective_time(
    events: Sequence[Event], logged_steps: Sequence[tuple[int, int]]
) -> EffectiveTime:
    """Return the figures of a run whose last event is the end of its training.

    Args:
        events: from the first start on.
        logged_steps: (life, step) of every line that was logged, in any order.

    Raises:
        ValueError: there is no start, or no end behind the last one.
    """
    if not events or events[0].event != "start" or events[-1].event != "end":
        raise ValueError("events: wanted them from a run's first start to its last end")
    starts = [event for event in events if event.event == "start"]
    kept = events[-1].seconds - events[0].seconds
    wanted = events[-1].time - events[0].time - _unwanted(events)
    share = kept / wanted if wanted > 0 else 1.0
    return EffectiveTime(
        effective_training_time=round(min(1.0, max(0.0, share)), 4),
        starts=len(starts),
        lost_steps=_lost_steps(events, logged_steps),
    )


def _unwanted(events: Sequence[Event]) -> float:
    """Return the seconds between an end of the run's own and the start that extends it."""
    return sum(
        max(0.0, after.time - before.time)
        for before, after in zip(events[:-1], events[1:], strict=True)
        if before.reason == FINISHED and after.event == "start"
    )


def _lost_steps(events: Sequence[Event], logged_steps: Sequence[tuple[int, int]]) -> int:
    """Add up, for each start but the first, how far the run had been beyond it."""
    logged: dict[int, int] = {}
    for life, step in logged_steps:
        logged[life] = max(step, logged.get(life, 0))
    lost, reached, life = 0, 0, 0
    for event in events:
        if event.event == "start":
            if event.life > life:  # an earlier start with this number logged nothing
                reached = max(reached, logged.get(life, 0))
            lost += max(0, reached - event.step)
            reached, life = event.step, event.life
        else:
            reached = max(reached, event.step)
    return lost
