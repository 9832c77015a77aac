"""The command `rrnn similar`: the sentences of a file that are nearest to a sentence."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from rrnn_lit.codec.command import (
    BATCHES_OF_A_BLOCK,
    Progress,
    add_dtype,
    make_parser,
    run_command,
    whole,
)
from rrnn_lit.codec.output_files import STANDARD
from rrnn_lit.codec.text_lines import name_of, read_lines
from rrnn_lit.command_line import BadCommandError

if TYPE_CHECKING:
    from rrnn_lit.evaluation.probe_similar import Neighbours

COMMAND = "similar"
_MOST_SCORES = 1 << 23  # of all queries with the sentences of a block
_DESCRIPTION = """Lists the sentences of a file whose vectors have the highest cosine with a
sentence's vector. Beside each stand two baselines: the cosine of the means of the word vectors,
and the share of common words. Sentences longer than those of the training are encoded as well."""


def main(options: list[str]) -> int:
    """Run `rrnn similar` with these options and return its exit code."""
    return run_command(COMMAND, lambda: _run(_parse(options)))


def _parse(options: list[str]) -> argparse.Namespace:
    parser = make_parser(COMMAND, _DESCRIPTION)
    parser.add_argument(
        "text",
        metavar="FILE",
        help="one sentence a line, plain, .gz, .xz or .bz2; - for standard input; blank lines "
        "are passed over",
    )
    parser.add_argument("query", metavar="SENTENCE", nargs="?", help="what to look for")
    parser.add_argument(
        "--queries", metavar="FILE", help="look for every line of this file instead"
    )
    parser.add_argument(
        "--top", type=whole, default=10, metavar="N", help="sentences to list (default: 10)"
    )
    parser.add_argument(
        "--search",
        choices=("product", "faiss"),
        default="product",
        help="matrix product or the package faiss; both are exact (default: product)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a query and line")
    add_dtype(parser)
    given = parser.parse_args(options)
    if (given.query is None) == (given.queries is None):
        raise BadCommandError("SENTENCE: wanted one sentence, or --queries FILE instead of it")
    if given.text == given.queries == STANDARD:
        raise BadCommandError("--queries: wanted a file, since the sentences come from -, got -")
    return given


def _run(given: argparse.Namespace) -> None:
    from rrnn_lit.codec.sentence_codec import SentenceCodec
    from rrnn_lit.evaluation.probe_search import search_function
    from rrnn_lit.evaluation.probe_similar import NearestSentences

    try:
        search = search_function(given.search)
    except ValueError as error:
        raise BadCommandError(str(error)) from error
    queries = [given.query] if given.queries is None else _queries(given.queries)
    codec = SentenceCodec.load(given.bundle, given.device, given.dtype)
    nearest = NearestSentences(codec, queries, given.top, search, given.batch_size)
    progress = Progress(COMMAND, "sentences")
    size = min(BATCHES_OF_A_BLOCK * given.batch_size, max(1, _MOST_SCORES // len(queries)))
    for lines in _blocks(given.text, size):
        nearest.add(lines)
        progress.add(len(lines))
    if not progress.done:
        raise ValueError(f"{name_of(given.text)}: wanted at least one sentence, got none")
    progress.say()
    for found in nearest.results():
        print(json.dumps(asdict(found), ensure_ascii=False) if given.json else as_text(found))


def _queries(place: str) -> list[str]:
    queries = [line for line in read_lines(place) if line.strip()]
    if not queries:
        raise ValueError(f"{name_of(place)}: wanted at least one sentence, got none")
    return queries


def _blocks(place: str, size: int) -> Iterator[list[tuple[int, str]]]:
    block = []
    for number, line in enumerate(read_lines(place), 1):
        if line.strip():
            block.append((number, line))
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block


def as_text(found: "Neighbours") -> str:
    """Return the table of one query."""
    lines = [found.query, f"{'cosine':>8}{'mean vectors':>14}{'overlap':>9}{'line':>9}"]
    for hit in found.hits:
        scores = f"{hit.cosine:8.3f}{hit.mean_vectors:14.3f}{hit.overlap:9.2f}"
        lines.append(f"{scores}{hit.line:9}  {hit.text}")
    number = len(found.hits)
    lines.append(
        f"of these {number}, {found.shared_with_mean_vectors} are among the nearest {number} by "
        f"mean vectors, {found.shared_with_overlap} by overlap\n"
    )
    return "\n".join(lines)
