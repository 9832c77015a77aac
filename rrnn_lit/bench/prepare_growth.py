"""What `rrnn prepare` took at several sizes of the text: in words, projected and drawn."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Growth:
    """What preparing one size took.

    Attributes:
        sentences: raw ones, duplicates included.
        seconds: of the whole command.
        stage_seconds: stage -> its seconds.
        raw_duplicates: found in the raw text.
        train_sentences: in the store of train.
        text_bytes: of the raw text.
        peak_rss: bytes of all processes together, at the fullest.
        largest_rss: bytes of the largest process.
        peak_disk: bytes of the folder, at the fullest.
        final_disk: bytes of the folder at the end.
    """

    sentences: int
    seconds: float
    stage_seconds: dict[str, float]
    raw_duplicates: int
    train_sentences: int
    text_bytes: int
    peak_rss: int
    largest_rss: int
    peak_disk: int
    final_disk: int


def describe(growth: Growth) -> str:
    """Return a measured size in words."""
    micro = 1e6 / growth.sentences
    stages = ", ".join(
        f"{name} {seconds * micro:.1f}" for name, seconds in growth.stage_seconds.items()
    )
    return (
        f"{growth.sentences:,} sentences in {growth.seconds:,.0f} s, "
        f"{growth.sentences / growth.seconds:,.0f}/s; peak {growth.peak_rss / 1e6:,.0f} MB in all "
        f"processes; disk {growth.peak_disk / growth.sentences:.0f} bytes a sentence at the "
        f"fullest, {growth.final_disk / growth.sentences:.0f} at the end; "
        f"microseconds a sentence: {stages}"
    )


def project(found: list[Growth], sentences: int) -> Growth:
    """Return what a size would take: on the line through the two largest measured ones.

    With one size alone everything but memory grows in proportion, and memory not at all.
    """
    last = found[-1]
    if len(found) == 1:
        ratio = sentences / last.sentences
        first_part = {"peak_rss": last.peak_rss, "largest_rss": last.largest_rss}
        grown = {n: v * ratio for n, v in asdict(last).items() if isinstance(v, int | float)}
        stages = {name: seconds * ratio for name, seconds in last.stage_seconds.items()}
        return _rounded({**grown, **first_part, "sentences": sentences}, stages)
    before = found[-2]
    steps = (sentences - last.sentences) / (last.sentences - before.sentences)

    def reach(earlier: float, later: float) -> float:
        return later + max(0.0, later - earlier) * steps

    first, second = asdict(before), asdict(last)
    grown = {n: reach(first[n], v) for n, v in second.items() if isinstance(v, int | float)}
    stages = {
        name: reach(before.stage_seconds.get(name, 0.0), seconds)
        for name, seconds in last.stage_seconds.items()
    }
    return _rounded(grown, stages)


def _rounded(values: dict[str, float], stages: dict[str, float]) -> Growth:
    whole = {name: round(value) for name, value in values.items() if name != "seconds"}
    seconds = round(values["seconds"], 1)
    return Growth(**whole, seconds=seconds, stage_seconds={n: round(s) for n, s in stages.items()})


def draw_growth(found: Sequence[Growth], path: Path) -> None:
    """Draw four panels over the number of sentences."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained")
    FigureCanvasAgg(figure)
    (speed, stages), (memory, disk) = figure.subplots(2, 2)
    sizes = [growth.sentences for growth in found]
    speed.plot(sizes, [g.sentences / g.seconds for g in found], "o-")
    _finish(speed, "sentences a second, the whole command", sizes)
    for name in found[-1].stage_seconds:
        micro = [1e6 * g.stage_seconds.get(name, 0.0) / g.sentences for g in found]
        stages.plot(sizes, micro, "o-", label=name, markersize=3)
    _finish(stages, "microseconds a sentence, by stage", sizes)
    stages.legend(fontsize=8)
    memory.plot(sizes, [g.peak_rss / 1e6 for g in found], "o-", label="all processes")
    memory.plot(sizes, [g.largest_rss / 1e6 for g in found], "o-", label="largest process")
    _finish(memory, "peak memory, MB", sizes)
    memory.legend(fontsize=8)
    disk.plot(sizes, [g.peak_disk / g.sentences for g in found], "o-", label="at the fullest")
    disk.plot(sizes, [g.final_disk / g.sentences for g in found], "o-", label="at the end")
    _finish(disk, "bytes on the disk a sentence", sizes)
    disk.legend(fontsize=8)
    figure.suptitle("rrnn prepare")
    figure.savefig(path, dpi=110)


def _finish(panel: Any, title: str, sizes: Sequence[int]) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    panel.set_title(title)
    panel.set_xscale("log")
    panel.set_xticks(sizes)
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xlabel("sentences")
    panel.set_ylim(bottom=0)
    panel.grid(alpha=0.3)
