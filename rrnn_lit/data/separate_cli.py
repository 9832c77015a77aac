"""The command `rrnn separate`: separates the word vectors of a prepared folder into a new one.

The text stays as it is, so a comparison of settings costs seconds and not the preparation. The
result is what `rrnn prepare` writes with `words.separation` from the same text, file by file.

Exit codes: 0 done, 64 bad command line or the folder is taken, 65 bad input, 74 cannot write.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from rrnn_lit.command_line import Parser
from rrnn_lit.complaints import complain
from rrnn_lit.data.manifest import DataError, read_manifest, verify_files, write_json
from rrnn_lit.data.manifest import write_manifest as digest_and_write
from rrnn_lit.data.prepare_config import SEPARATION_OPTIONS
from rrnn_lit.data.prepare_finish import STATS_FILE
from rrnn_lit.data.progress import StageProgress
from rrnn_lit.data.shards import read_json
from rrnn_lit.words.dictionary import separated
from rrnn_lit.words.separation import Separation
from rrnn_lit.words.vectors import VECTORS_FILE, WORDS_FILE, WordVectors

COMMAND = "separate"
BAD_COMMAND, BAD_INPUT, CANNOT_WRITE = 64, 65, 74


def main(options: list[str]) -> int:
    """Run the command with these arguments and return its exit code."""
    try:
        given = _parser().parse_args(options)
        separation = _separation(given.mode, given.threshold)
        _want_free(given.out)
    except ValueError as error:
        return complain(COMMAND, error, BAD_COMMAND)
    except OSError as error:
        return complain(COMMAND, error, CANNOT_WRITE, f"--out: cannot be written: {error}")
    try:
        figures = separate_folder(
            given.folder, given.out, separation, StageProgress(Console(stderr=True))
        )
    except ValueError as error:
        return complain(COMMAND, error, BAD_INPUT)
    except OSError as error:
        return complain(COMMAND, error, CANNOT_WRITE, f"cannot write {given.out}: {error}")
    _print(figures, given.out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="rrnn separate",
        description="Push word vectors of near-identical direction apart in a folder that `rrnn "
        "prepare` wrote, and write a new folder with the same text. Lengths of vectors are kept, "
        "words without such a neighbour keep every bit.",
        allow_abbrev=False,
    )
    parser.add_argument("folder", type=Path, help="what `rrnn prepare --out` wrote; not changed")
    parser.add_argument("--out", type=Path, required=True, help="folder to write: new or empty")
    parser.add_argument(
        "--mode",
        choices=["groups", "all"],
        required=True,
        help="groups: number words, months and weekdays, each among themselves; all: every pair",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        required=True,
        metavar="COSINE",
        help="largest cosine that such a pair keeps, in [0, 1)",
    )
    return parser


def _separation(mode: str, threshold: float) -> Separation:
    if not 0 <= threshold < 1:
        raise ValueError(f"--threshold: wanted a cosine in [0, 1), got {threshold}")
    return Separation("groups" if mode == "groups" else "all", threshold)


def _want_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"--out: wanted a new or empty folder, got {out}")


def separate_folder(
    folder: Path, out: Path, separation: Separation, progress: StageProgress
) -> dict[str, Any]:
    """Write the prepared folder `folder` with separated word vectors to `out`, whole or not.

    Unchanged files are hard links where the file system has them, else copies.

    Args:
        folder: verified before anything is written.
        out: new or empty.
        separation: not the mode none.
        progress: shows the stages.

    Returns:
        The figures of `words.separation.separate`.

    Raises:
        DataError: `folder` is damaged, or separated already.
        ValueError: there is no room for so many words so far apart.
    """
    manifest = read_manifest(folder)
    mode = manifest["config"].get("words", {}).get(SEPARATION_OPTIONS[0], "none")
    if mode != "none":
        raise DataError(
            f"{folder}: wanted a folder without separation, got words.separation {mode}"
        )
    for name in (WORDS_FILE, VECTORS_FILE, STATS_FILE):
        if name not in manifest["files"]:
            raise DataError(f"{folder}: wanted a manifest with {name}, got none")
    verify_files(folder, manifest)
    with progress.stage("separate", None, "rounds"):
        dictionary, changed = separated(WordVectors.load(folder), separation, progress.advance)
    out = out.resolve()  # `.` has no name, and a link stays a link
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    part.mkdir(parents=True)
    try:
        _write(folder, part, dictionary, changed, manifest, separation)
        os.replace(part, out)  # also over an empty folder
    finally:
        shutil.rmtree(part, ignore_errors=True)
    figures: dict[str, Any] = changed["separation"]
    return figures


def _write(
    folder: Path,
    part: Path,
    dictionary: WordVectors,
    changed: dict[str, Any],
    manifest: dict[str, Any],
    separation: Separation,
) -> None:
    dictionary.save(part)
    stats = read_json(folder / STATS_FILE)
    stats["dictionary"] = {**stats.get("dictionary", {}), **changed}
    write_json(part / STATS_FILE, stats)
    for name in manifest["files"]:
        if not (part / name).exists():
            _link(folder / name, part / name)
    config, values = dict(manifest["config"]), (separation.mode, separation.threshold)
    options = dict(zip(SEPARATION_OPTIONS, values, strict=True))
    config["words"] = {**config.get("words", {}), **options}
    for name in manifest["files"]:
        with open(part / name, "rb") as file:
            os.fsync(file.fileno())
    digest_and_write(part, manifest["files"], config, manifest.get("counts", {}))


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _print(figures: dict[str, Any], out: Path) -> None:
    pairs, cosine = figures["pairs_above_threshold"], figures["largest_cosine"]
    kept = figures["share_of_10_neighbours_kept"]
    rows = {
        "pairs above the threshold": f"{pairs['before']:,} before, {pairs['after']:,} after",
        "largest cosine": f"{cosine['before']:.4f} before, {cosine['after']:.4f} after",
        "words moved": f"{figures['words_moved']:,}",
        "angle": f"{figures['mean_angle_of_moved']} degrees on average, "
        f"{figures['largest_angle']} at most",
        "neighbours kept": ", ".join(
            f"{share:.1%} by {name.replace('_', ' ')}"
            for name, share in kept.items()
            if share is not None
        ),
    }
    for name, value in rows.items():
        print(f"{name:<26} {value}")
    print(f"written to {out}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
