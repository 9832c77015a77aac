"""`rrnn bench text`: sentences a second from raw text to words, as `rrnn prepare` makes them.

Beside our pipeline stand the same steps for each sentence as a whole, whose words and counts must
be the same, and the two libraries alone: the Treebank tokenizer of nltk and py3langid. Each timed
call takes sentences that were not seen before; ours remembers chunks of earlier ones, as it does
in a long text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, islice

from rrnn_lit.bench.options import check_at_least
from rrnn_lit.bench.result import Peer, Row, make_rows
from rrnn_lit.bench.text_lines import make_text_lines
from rrnn_lit.bench.timing import time_peers
from rrnn_lit.codec.text_lines import read_lines
from rrnn_lit.text.language import ask_library
from rrnn_lit.text.pipeline import TextPipeline, TextSettings
from rrnn_lit.text.tokenize import TreebankTokenizer

CASE = "text"
_KNOWN = ("prime_minister", "in_the", "a_million_people", "said_on", "company", "week's", "year's")
_MAX_WORDS = 60
_PACKAGES = {"nltk": "nltk", "py3langid": "py3langid"}
_PART = "a part of it"
_Call = Callable[[list[str]], object]


@dataclass(frozen=True)
class TextOptions:
    """What text is timed.

    Attributes:
        sentences: sentences of each timed call, at least 10.
        warm_up: sentences that ours has seen before the first timed call, at least 0.
        text: file of raw sentences, one a line, that are timed instead of made-up ones.
        known_words: file of known words and phrases, one a line; null takes a few.
        language_threshold: see the settings of the text, in [0, 1].
        repeats: timed calls of each peer, at least 1.
        seed: of made-up sentences, any non-negative integer.
    """

    sentences: int = 1_000
    warm_up: int = 20_000
    text: str | None = None
    known_words: str | None = None
    language_threshold: float = 0.8
    repeats: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        check_at_least(self, {"sentences": 10, "warm_up": 0, "repeats": 1, "seed": 0})
        TextSettings("treebank", self.language_threshold, None, 60)


def run(options: TextOptions) -> list[Row]:
    """Return the rows of the one table."""
    lines = _lines(options)
    known = _known_words(options.known_words)
    settings = TextSettings("treebank", options.language_threshold, None, _MAX_WORDS)
    together, single = TextPipeline(settings, known), TextPipeline(settings, known)
    whole = TextPipeline(settings, known, fast=False)
    cut = TreebankTokenizer().cut
    calls: dict[str, _Call] = {
        "ours": lambda block: list(together.each(block)),
        "ours, one at a time": lambda block: [single(line) for line in block],
        "every step, whole sentence": lambda block: [whole(line) for line in block],
        "nltk": lambda block: [cut(line) for line in block],
        "py3langid": lambda block: ask_library(block, options.language_threshold),
    }
    # what is compared is not timed: a pipeline would remember it
    compared = lines[-options.sentences :]
    agreement = _agreement(settings, known, compared)
    calls["ours"](lines[: options.warm_up])
    calls["ours, one at a time"](lines[: options.warm_up])
    timed = lines[options.warm_up : -options.sentences]
    seconds = time_peers(
        {name: _on_new_lines(call, timed, options.sentences) for name, call in calls.items()},
        options.repeats,
    )
    peers = {
        name: Peer(
            correct=_PART if name in _PACKAGES else agreement,
            precision="text",
            package=_PACKAGES.get(name, ""),
            note=f"{name}: {options.sentences / seconds[name]:,.0f} sentences a second",
        )
        for name in calls
    }
    sizes = {
        "sentences": options.sentences,
        "average_characters": round(sum(map(len, lines)) / len(lines)),
        "known_words": len(known),
    }
    return make_rows(CASE, sizes, seconds, peers, "ours")


def _lines(options: TextOptions) -> list[str]:
    """Lines to warm up with, for the timed calls and an untimed one, and to compare."""
    number = options.warm_up + (options.repeats + 2) * options.sentences
    if options.text is None:
        return make_text_lines(number, options.seed)
    lines = list(islice(read_lines(options.text), number))
    if len(lines) < number:
        raise ValueError(f"--text: wanted {number} lines, got {len(lines)}")
    return lines


def _known_words(path: str | None) -> frozenset[str]:
    return frozenset(_KNOWN if path is None else read_lines(path))


def _agreement(settings: TextSettings, known: frozenset[str], lines: list[str]) -> str:
    """Return how many sentences have the same words in each way, and if the counts are equal."""
    ways = [TextPipeline(settings, known, fast=fast) for fast in (True, True, False)]
    found = [list(ways[0].each(lines)), *([way(line) for line in lines] for way in ways[1:])]
    same = sum(first == second == third for first, second, third in zip(*found, strict=True))
    equal = all(way.count_table() == ways[0].count_table() for way in ways)
    return f"{same:,} of {len(lines):,} the same" + ("" if equal else ", counts differ")


def _on_new_lines(call: _Call, lines: list[str], number: int) -> Callable[[int], object]:
    """Let each call take the next lines, whatever the number of the round."""
    starts = count(0, number)

    def call_on_next(_: int) -> object:
        start = next(starts)
        return call(lines[start : start + number])

    return call_on_next
