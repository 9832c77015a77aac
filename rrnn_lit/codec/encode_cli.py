"""The command `rrnn encode`: lines of text to sentence vectors, a row for each line."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rrnn_lit.codec.command import (
    BATCHES_OF_A_BLOCK,
    Progress,
    add_dtype,
    add_vectors_out,
    check_vectors_out,
    make_parser,
    row_in_file,
    run_command,
    whole,
)
from rrnn_lit.codec.output_files import STANDARD
from rrnn_lit.codec.rows import RowError
from rrnn_lit.codec.text_lines import blocks_of, name_of, read_lines
from rrnn_lit.codec.vector_files import writing
from rrnn_lit.codec.word_processes import words_of_blocks

if TYPE_CHECKING:
    from rrnn_lit.codec.sentence_codec import SentenceCodec

COMMAND = "encode"
_DESCRIPTION = "Writes one sentence vector for each line, blank ones too."


def main(options: list[str]) -> int:
    """Run `rrnn encode` with these options and return its exit code."""
    return run_command(COMMAND, lambda: _run(_parse(options)))


def _parse(options: list[str]) -> argparse.Namespace:
    parser = make_parser(COMMAND, _DESCRIPTION)
    parser.add_argument(
        "text",
        metavar="FILE",
        nargs="?",
        default=STANDARD,
        help="one sentence a line, plain, .gz, .xz or .bz2; - for standard input (default: -)",
    )
    add_vectors_out(parser)
    add_dtype(parser)
    parser.add_argument(
        "--vectors",
        choices=("float32", "float16"),
        default="float32",
        help="format of the numbers written (default: float32)",
    )
    parser.add_argument(
        "--longer",
        choices=("error", "encode"),
        default="error",
        help="what to do with sentences longer than those of the training (default: error)",
    )
    parser.add_argument(
        "--words",
        action="store_true",
        help="lines are words of the dictionary with blanks between, not raw text",
    )
    parser.add_argument(
        "--processes",
        type=whole,
        default=1,
        metavar="N",
        help="processes that make words of text; 1 is this one (default: 1)",
    )
    return parser.parse_args(options)


def _run(given: argparse.Namespace) -> None:
    check_vectors_out(given.out)
    from rrnn_lit.codec.sentence_codec import SentenceCodec

    codec = SentenceCodec.load(given.bundle, given.device, given.dtype)
    progress = Progress(COMMAND, "sentences")
    with writing(given.out, codec.sentence_vector_size, given.vectors) as writer:
        for words in _words(codec, given):
            try:
                vectors = codec.encode_words(words, given.batch_size, given.vectors, given.longer)
            except RowError as error:
                raise row_in_file(name_of(given.text), progress.done, error, "line") from error
            writer.write(vectors)
            progress.add(len(words))
    progress.say()


def _words(codec: "SentenceCodec", given: argparse.Namespace) -> Iterator[list[list[str]]]:
    blocks = blocks_of(read_lines(given.text), BATCHES_OF_A_BLOCK * given.batch_size)
    if given.words:
        return ([line.split() for line in lines] for lines in blocks)
    if given.processes == 1:
        return map(codec.words, blocks)
    return words_of_blocks(codec.parts, blocks, given.processes)
