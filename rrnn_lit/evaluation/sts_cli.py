"""The command `rrnn sts`: do cosines of sentence vectors go with human scores of similarity?"""

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rrnn_lit.codec.command import (
    BATCHES_OF_A_BLOCK,
    Progress,
    add_dtype,
    make_parser,
    run_command,
)
from rrnn_lit.codec.text_lines import name_of, read_lines

if TYPE_CHECKING:
    from rrnn_lit.evaluation.probe_correlation import Correlation
    from rrnn_lit.evaluation.probe_sts import Agreement

COMMAND = "sts"
_DESCRIPTION = """Correlates the cosines of sentence vectors with human scores of a file, with 95 %
confidence intervals, beside two baselines that need no training: the cosine of the means of the
word vectors, and the share of common words. Vectors that are made to be decoded need not be good
at this."""


def main(options: list[str]) -> int:
    """Run `rrnn sts` with these options and return its exit code."""
    return run_command(COMMAND, lambda: _run(_parse(options)))


def _parse(options: list[str]) -> argparse.Namespace:
    parser = make_parser(COMMAND, _DESCRIPTION)
    parser.add_argument(
        "pairs",
        metavar="FILE.tsv",
        help="a line each: sentence, tab, sentence, tab, score; no headings; plain, .gz, .xz or "
        ".bz2, - for standard input",
    )
    parser.add_argument(
        "--compressed",
        action="store_true",
        help="also compare compressed vectors, and those that come back from the compressor",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_dtype(parser)
    return parser.parse_args(options)


def _run(given: argparse.Namespace) -> None:
    import numpy as np

    from rrnn_lit.codec.sentence_codec import SentenceCodec
    from rrnn_lit.evaluation.probe_sts import agreements, read_pairs, similarities

    name = name_of(given.pairs)
    pairs = list(read_pairs(read_lines(given.pairs), name))
    if not pairs:
        raise ValueError(f"{name}: wanted at least one pair of sentences, got none")
    codec = SentenceCodec.load(given.bundle, given.device, given.dtype)
    progress = Progress(COMMAND, "pairs")
    found: dict[str, list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]] = {}
    size = BATCHES_OF_A_BLOCK * given.batch_size
    for start in range(0, len(pairs), size):
        block = pairs[start : start + size]
        blocks = similarities(codec, block, given.compressed, given.batch_size)
        for method, values in blocks.items():
            found.setdefault(method, []).append(values)
        progress.add(len(block))
    progress.say()
    rows = agreements(found, np.array([pair.score for pair in pairs]))
    if given.json:
        print(json.dumps({"pairs": len(pairs), "methods": [asdict(row) for row in rows]}))
    else:
        print(as_text(rows, len(pairs)))


def as_text(rows: "list[Agreement]", num_pairs: int) -> str:
    """Return the table."""
    lines = [f"{'method':<22}{'Pearson':<26}{'Spearman':<26}".rstrip()]
    for row in rows:
        cells = f"{_cell(row.pearson):<26}{_cell(row.spearman):<26}"
        lines.append(f"{row.method:<22}{cells}".rstrip())
    lines.append(f"{num_pairs:,} pairs; 95 % confidence intervals")
    return "\n".join(lines)


def _cell(found: "Correlation") -> str:
    if found.value is None:
        return "none: a side is constant" if found.num_pairs > 1 else "none: one pair"
    if found.low is None:
        return f"{found.value:.3f}"
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
