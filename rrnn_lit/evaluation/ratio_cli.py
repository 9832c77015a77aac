"""The command `rrnn ratio`: what a sentence vector keeps of its words in fewer bytes.

Exit codes: 0 done, 64 bad command line, 65 bad input, 71 out of memory, 74 cannot write.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from rrnn_lit.codec.command import whole
from rrnn_lit.command_line import BadCommandError, Parser
from rrnn_lit.complaints import complain, is_lack_of_memory
from rrnn_lit.data.token_store import SPLITS

COMMAND = "ratio"
BAD_COMMAND, BAD_INPUT, OUT_OF_MEMORY, CANNOT_WRITE = 64, 65, 71, 74
JSON_FILE, PICTURE_FILE = "ratio.json", "ratio.png"
_DESCRIPTION = (
    "Stores the sentence vectors of a split in fewer bytes, in every way at every ratio, decodes "
    "what comes back and counts words: plain fp16, rounding, principal components, product "
    "quantisation (with faiss), and trained compressors."
)


def main(options: list[str]) -> int:
    """Run `rrnn ratio` with these options and return its exit code."""
    try:
        return _ratio(_parse(options))
    except SystemExit as end:  # --help
        return int(end.code or 0)
    except BadCommandError as error:
        return complain(COMMAND, error, BAD_COMMAND)
    except ValueError as error:
        return complain(COMMAND, error, BAD_INPUT)
    except (MemoryError, RuntimeError) as error:
        if not is_lack_of_memory(error):
            raise
        text = f"out of memory; lower --batch-size or --train-sentences: {error}"
        return complain(COMMAND, error, OUT_OF_MEMORY, text)
    except OSError as error:
        return complain(COMMAND, error, CANNOT_WRITE)


def _ratios(text: str) -> list[float]:
    try:
        ratios = [float(part) for part in text.split(",")]
    except ValueError:
        ratios = []
    if not ratios or not all(1 <= ratio < float("inf") for ratio in ratios):
        raise argparse.ArgumentTypeError(
            f"wanted numbers of at least 1 with commas between, got {text!r}"
        )
    return ratios


def _parse(options: list[str]) -> argparse.Namespace:
    parser = Parser(prog=f"rrnn {COMMAND}", description=_DESCRIPTION, allow_abbrev=False)
    add = parser.add_argument
    add("model", metavar="RUN|BUNDLE", type=Path, help="folder of a trained autoencoder")
    add(
        "--compressor",
        metavar="RUN|BUNDLE",
        type=Path,
        action="append",
        default=[],
        help="a trained compressor of its vectors; may be given several times",
    )
    add(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="prepared folder with the model's dictionary (default: that of the run's config)",
    )
    add("--split", choices=SPLITS[1:], default="tune", help="sentences to count (default: tune)")
    add("--sentences", type=whole, default=2000, metavar="N", help="the first N (default: 2000)")
    add(
        "--train-sentences",
        type=whole,
        default=20_000,
        metavar="N",
        help="training sentences that the methods learn from (default: 20000)",
    )
    add(
        "--vectors",
        type=Path,
        metavar="FOLDER",
        help="learn from these, RUN/predictions/train, instead of encoding sentences",
    )
    add(
        "--max-words",
        type=whole,
        metavar="T",
        help="longest sentence, EOS included (default: that of the training)",
    )
    add(
        "--ratios",
        type=_ratios,
        default=[3.3, 5.0, 10.0, 20.0],
        metavar="LIST",
        help="of bytes to try (default: 3.3,5,10,20)",
    )
    add("--out", type=Path, metavar="DIR", help=f"gets {JSON_FILE} and {PICTURE_FILE}")
    add("--batch-size", type=whole, default=256, metavar="N", help="at a time (default: 256)")
    add("--device", default="cpu", metavar="NAME", help="cpu, cuda or cuda:N (default: cpu)")
    add("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args(options)


def _ratio(given: argparse.Namespace) -> int:
    from rrnn_lit.evaluation.ratio_run import run_ratio

    if given.out is not None and given.out.exists() and not given.out.is_dir():
        raise BadCommandError(f"--out: wanted a folder, got the file {given.out}")
    run_ratio(given, _say)
    return 0


def _say(text: Any) -> None:
    print(text, file=sys.stderr)
