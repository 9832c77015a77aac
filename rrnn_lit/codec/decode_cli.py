"""The command `rrnn decode`: sentence vectors to lines of text, a line for each row."""

import argparse
from pathlib import Path

from rrnn_lit.codec.command import (
    BATCHES_OF_A_BLOCK,
    Progress,
    add_dtype,
    make_parser,
    row_in_file,
    run_command,
    vector_file,
    whole,
)
from rrnn_lit.codec.given_lengths import GivenLengths
from rrnn_lit.codec.output_files import STANDARD, binary_output, check_place, to_bytes
from rrnn_lit.codec.rows import RowError
from rrnn_lit.codec.text_lines import name_of
from rrnn_lit.codec.vector_files import reading
from rrnn_lit.text.detokenize import detokenize

COMMAND = "decode"
_DESCRIPTION = "Writes one line of text for each vector."


def main(options: list[str]) -> int:
    """Run `rrnn decode` with these options and return its exit code."""
    return run_command(COMMAND, lambda: _run(_parse(options)))


def _parse(options: list[str]) -> argparse.Namespace:
    parser = make_parser(COMMAND, _DESCRIPTION)
    parser.add_argument(
        "vectors",
        metavar="VECTORS",
        nargs="?",
        type=vector_file,
        default=STANDARD,
        help=".npy or .parquet; - reads .npy arrays one behind the other (default: -)",
    )
    parser.add_argument(
        "--out", default=STANDARD, metavar="FILE", help="text file; - for a pipe (default: -)"
    )
    add_dtype(parser)
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--num-words",
        metavar="N|FILE",
        help="words of each sentence, the end mark included: one number for all, or a file with "
        "a number a line (default: until the decoded end mark)",
    )
    length.add_argument(
        "--max-steps",
        type=whole,
        metavar="N",
        help="most words of a sentence without an end mark (default: longest of the training)",
    )
    parser.add_argument(
        "--raw-words",
        action="store_true",
        help="write the words of the dictionary with blanks between, not text",
    )
    return parser.parse_args(options)


def _run(given: argparse.Namespace) -> None:
    if given.out != STANDARD:
        check_place(Path(given.out))
    lengths = None if given.num_words is None else GivenLengths(given.num_words)
    from rrnn_lit.codec.sentence_codec import SentenceCodec

    codec = SentenceCodec.load(given.bundle, given.device, given.dtype)
    join = " ".join if given.raw_words else detokenize
    progress = Progress(COMMAND, "vectors")
    with binary_output(given.out) as file:
        for block in reading(given.vectors, BATCHES_OF_A_BLOCK * given.batch_size):
            counts = None if lengths is None else lengths.take(len(block))
            try:
                found = codec.decode_words(block, counts, given.max_steps, given.batch_size)
            except RowError as error:
                raise row_in_file(name_of(given.vectors), progress.done, error, "row") from error
            except ValueError as error:
                raise ValueError(f"{name_of(given.vectors)}: {error}") from error
            file.writelines(to_bytes(join(words)) for words in found)
            file.flush()
            progress.add(len(block))
        if lengths is not None:
            lengths.check_end()
    progress.say()
