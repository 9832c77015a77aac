"""`rrnn bench prepare`: the whole of `rrnn prepare` at growing sizes, and what the paper's needs.

Each size is a text of recombined sentences that a child process prepares, as a user would. Time,
memory of all processes and bytes on the disk come from outside; the seconds of a stage are those
the command writes itself. A size that was measured is kept and not measured again.
"""

import shutil
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rrnn_lit.bench.options import check_at_least
from rrnn_lit.bench.prepare_growth import Growth, describe, draw_growth, project
from rrnn_lit.bench.process_tree import folder_bytes, run_watched
from rrnn_lit.bench.recombined_text import Halves, open_text
from rrnn_lit.bench.result import BYTES, Row
from rrnn_lit.bench.versions import environment
from rrnn_lit.bench.word_file import write_word_file
from rrnn_lit.data.manifest import write_json
from rrnn_lit.data.prepare_finish import STATS_FILE, TIMING_FILE
from rrnn_lit.data.shards import read_json

CASE = "prepare"
PAPER_SENTENCES = 71_040_000
PICTURE_FILE, RESULT_FILE = "prepare_growth.png", "result.json"
_WORD_DIM = 16  # of made vectors: their length matters to nothing that is measured


@dataclass(frozen=True)
class PrepareOptions:
    """Sizes of the text and where it comes from.

    Attributes:
        sizes: numbers of sentences, each at least 1000.
        text: file of real sentences, one a line, also packed, whose halves are recombined; null
            makes up sentences of Zipf's law.
        vectors: word2vec file of the words that are known; null makes one of random vectors for
            the words of the text.
        duplicates: share of sentences that repeat an earlier one exactly, in [0, 1).
        processes: worker processes of the command, at least 1.
        work: folder for texts, prepared folders, results and the picture; a size whose result is
            there is not measured again.
        keep: keep the prepared folders.
        seed: of text and vectors, any non-negative integer.
    """

    sizes: list[int] = field(default_factory=lambda: [1_000_000, 3_000_000, 10_000_000])
    text: str | None = None
    vectors: str | None = None
    duplicates: float = 0.1
    processes: int = 2
    work: str = "prepare_bench"
    keep: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        check_at_least(self, {"processes": 1, "seed": 0})
        if not self.sizes or min(self.sizes) < 1_000:
            raise ValueError(f"--sizes: wanted numbers of at least 1000, got {self.sizes}")
        if not 0 <= self.duplicates < 1:
            raise ValueError(f"--duplicates: wanted a share in [0, 1), got {self.duplicates}")


def run(options: PrepareOptions) -> list[Row]:
    """Measure each size that has no result yet; return a row each and the paper's size."""
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    halves: Halves | None = None
    found = []
    for size in sorted(set(options.sizes)):
        growth = _known_result(work / str(size), options)
        if growth is None:
            halves = halves or open_text(options.text, options.seed)
            growth = measure(size, options, halves, work / str(size))
        say(describe(growth))
        found.append(growth)
    draw_growth(found, work / PICTURE_FILE)
    say(f"written: {work / PICTURE_FILE}")
    return [*(_row(growth, options) for growth in found), _projection(found, options)]


def say(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)


def _settings(options: PrepareOptions) -> dict[str, Any]:
    """Return what decides a size's result."""
    names = ("text", "vectors", "duplicates", "processes", "seed")
    return {name: getattr(options, name) for name in names}


def _known_result(folder: Path, options: PrepareOptions) -> Growth | None:
    path = folder / RESULT_FILE
    if not path.is_file():
        return None
    content = read_json(path)
    if content["settings"] != _settings(options):
        raise ValueError(
            f"--work: {path} was measured with {content['settings']}; give another folder"
        )
    return Growth(**content["growth"])


def measure(size: int, options: PrepareOptions, halves: Halves, folder: Path) -> Growth:
    """Prepare so many sentences in a child process; keep and return what it took.

    Raises:
        OSError: the command failed; says its last line.
    """
    shutil.rmtree(folder, ignore_errors=True)  # of an interrupted start: a clock needs a whole run
    folder.mkdir()
    text, out = folder / "text.txt", folder / "out"
    say(f"{size:,} sentences: writing the text")
    write_text(text, halves, size, options)
    vectors = Path(options.vectors) if options.vectors else folder / "vectors.bin"
    if options.vectors is None:
        write_word_file(vectors, text, _WORD_DIM, options.seed)
    say(f"{size:,} sentences: preparing, see {folder / 'log.txt'}")
    seconds, peaks = run_watched(_command(text, vectors, out, options), out, folder / "log.txt")
    timing, stats = read_json(out / TIMING_FILE), read_json(out / STATS_FILE)
    growth = Growth(
        sentences=stats["source"]["sentences"],
        seconds=round(seconds, 2),
        stage_seconds={name: row["seconds"] for name, row in timing["stages"].items()},
        raw_duplicates=stats["raw_duplicates"],
        train_sentences=stats["splits"]["train"]["sentences"],
        text_bytes=text.stat().st_size,
        peak_rss=peaks.rss,
        largest_rss=peaks.largest_rss,
        peak_disk=max(peaks.folder, folder_bytes(out)),
        final_disk=folder_bytes(out),
    )
    keep_result(folder, options, growth)
    text.unlink()
    if not options.keep:
        shutil.rmtree(out)
    return growth


def keep_result(folder: Path, options: PrepareOptions, growth: Growth) -> None:
    """Write what a size took, for a next start to find."""
    content = {"settings": _settings(options), "growth": asdict(growth)}
    write_json(folder / RESULT_FILE, content)


def write_text(path: Path, halves: Halves, size: int, options: PrepareOptions) -> None:
    """Write recombined sentences, one a line."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for block in halves.blocks(size, options.duplicates, options.seed):
            file.write("".join([f"{line}\n" for line in block]))


def _command(text: Path, vectors: Path, out: Path, options: PrepareOptions) -> list[str]:
    from rrnn_lit.words.word2vec import check_file

    _, word_dim = check_file(vectors, None)
    arguments = {
        "--source": "files",
        "--files": text,
        "--vectors": vectors,
        "--words.word_dim": word_dim,
        "--processes": options.processes,
        "--out": out,
    }
    pairs = [str(part) for pair in arguments.items() for part in pair]
    return [sys.executable, "-m", "rrnn_lit.cli", "prepare", *pairs]


def _row(growth: Growth, options: PrepareOptions) -> Row:
    share = growth.raw_duplicates / growth.sentences
    return Row(
        case=CASE,
        peer=f"ours {growth.sentences:,} sentences",
        seconds=growth.seconds,
        times_ours=None,
        correct=f"{share:.1%} raw duplicates dropped",
        floor_share=None,
        sizes={"processes": options.processes, BYTES: growth.peak_rss},
        versions=environment(""),
        note=describe(growth),
    )


def _projection(found: list[Growth], options: PrepareOptions) -> Row:
    paper = project(found, PAPER_SENTENCES)
    growth = found[-1].peak_rss / found[0].peak_rss - 1
    times = found[-1].sentences / found[0].sentences
    return Row(
        case=CASE,
        peer=f"the paper's {PAPER_SENTENCES:,} (projected)",
        seconds=paper.seconds,
        times_ours=None,
        correct="",
        floor_share=None,
        sizes={"processes": options.processes, BYTES: paper.peak_rss},
        versions=environment(""),
        note=(
            f"{paper.seconds / 3600:.1f} hours, {paper.sentences / paper.seconds:,.0f} "
            f"sentences/s, {paper.peak_disk / 1e9:,.0f} GB on the disk at the fullest, "
            f"{paper.final_disk / 1e9:,.0f} GB at the end; memory {growth:+.1%} at "
            f"{times:g} times the text"
        ),
    )
