"""Any text goes through the pipeline, and any bytes through the readers of files."""

import bz2
import gzip
import lzma
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rrnn_lit.data.sources.files import FileSentences, read_lines
from rrnn_lit.text.counts import CountTable
from rrnn_lit.text.detokenize import detokenize
from rrnn_lit.text.keeping import KeepingPipeline
from rrnn_lit.text.pipeline import TextPipeline, TextSettings
from tests.faults.spoiling import attempt

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(300)]  # a busy machine

KNOWN = frozenset(
    (
        *("New_York", "New_York_City", "the", "can", "not", "cannot", "I", "n't", "'s", "it"),
        *("U.S.", "Mr.", "O'Brien", "google.com", "MP3", "3rd", "well-known", "_", "a_b", "__"),
    )
)
SETTINGS = TextSettings("treebank", 0.0, None, 60)
PIPELINES = {"trained": TextPipeline(SETTINGS, None), "known": TextPipeline(SETTINGS, KNOWN)}
KEEPING = {
    name: KeepingPipeline(SETTINGS, d, {}) for name, d in (("trained", None), ("known", KNOWN))
}

# half of the texts are made of what the rules look for
PIECES = st.sampled_from(
    (
        *(
            "'",
            '"',
            "`",
            "``",
            "''",
            "-",
            "--",
            "---",
            ".",
            "..",
            "...",
            ". .",
            "!",
            "?!",
            ",",
            ";",
        ),
        *(
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "/",
            "\\",
            "|",
            "$",
            "%",
            "&",
            "#",
            "@",
            "*",
            "_",
            "~",
            "^",
        ),
        *(
            " ",
            "  ",
            "\t",
            "\n",
            "\r",
            "\0",
            "\x1b",
            "\x85",
            "\u2028",
            "\u2029",
            "\ufeff",
            "\u200b",
        ),
        *(
            "n't",
            "'s",
            "s'",
            "can't",
            "cannot",
            "gonna",
            "U.S.",
            "U.S",
            "Mr.",
            "e.g.",
            "EOS",
            "UNK",
        ),
        *(
            ":X:",
            "New",
            "York",
            "New_York",
            "1,000",
            "7.5",
            "21st",
            "0",
            "a",
            "I",
            "word",
            "-LRB-",
        ),
        *(
            "\u2014",
            "\u2019",
            "\u201c",
            "\u00ab",
            "\u00e9",
            "e\u0301",
            "\u4e2d",
            "\u0416",
            "\U0001f600",
        ),
    )
)
MADE = st.lists(PIECES, max_size=30).map("".join)
TEXTS = st.one_of(st.text(), MADE)


def counters_fit(before: CountTable, after: CountTable, dropped: bool) -> None:
    """Check that one more sentence went step by step through the counters."""
    moved = {
        step: {name: number - before[step][name] for name, number in counts.items()}
        for step, counts in after.items()
    }
    steps = list(moved.values())
    assert sum(step["dropped"] for step in steps) == dropped
    arrived = 1
    for step in steps:
        assert step["in"] == arrived
        assert 0 <= step["changed"] + step["dropped"] <= step["in"]
        arrived -= step["dropped"]


@pytest.mark.parametrize("name", PIPELINES)
@settings(max_examples=1_000)
@given(text=TEXTS)
@example(text="")
@example(text="'" * 500)
@example(text="._.")
def test_any_text_is_dropped_by_one_step_or_becomes_plain_words(name: str, text: str) -> None:
    pipeline = PIPELINES[name]
    before = pipeline.count_table()
    words = pipeline(text)
    counters_fit(before, pipeline.count_table(), words is None)
    if words is None:
        return
    assert 0 < len(words) < SETTINGS.max_words
    assert all(word and word.isascii() and word.isprintable() for word in words)
    assert not any(" " in word for word in words)
    assert not {"EOS", "UNK"} & set(words)
    line = detokenize(words)
    assert line
    assert line.isascii()
    assert line.isprintable()


@pytest.mark.parametrize("name", PIPELINES)
@settings(max_examples=700)
@given(text=TEXTS)
def test_the_fast_pipeline_makes_the_same_words_of_any_text(name: str, text: str) -> None:
    words = PIPELINES[name](text)
    kept = KEEPING[name](text)
    if words is not None:
        assert kept == words
    elif kept:
        assert len(kept) >= SETTINGS.max_words


@settings(max_examples=300)
@given(text=st.text(min_size=1))
def test_the_language_step_takes_any_text(text: str) -> None:
    pipeline = TextPipeline(TextSettings("treebank", 0.5, None, 60), None)
    words = pipeline(text)
    counters_fit(
        {step: dict.fromkeys(counts, 0) for step, counts in pipeline.count_table().items()},
        pipeline.count_table(),
        words is None,
    )


# what made a rule of many look at a line again and again
LONG = (
    "'",
    '"',
    ".",
    "-",
    "(",
    "!",
    "a",
    "a ",
    "'s ",
    "1,",
    "a.",
    "\u4e2d",
    "\0",
    "_a",
    "`",
    "/ ",
)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", LONG)
@pytest.mark.parametrize("name", PIPELINES)
def test_a_line_of_a_hundred_thousand_characters_ends_in_time(name: str, piece: str) -> None:
    text = piece * (100_000 // len(piece))
    words = PIPELINES[name](text)
    assert words is None or len(words) < SETTINGS.max_words


PLAIN = st.from_regex(r"[A-Za-z]{2,8}", fullmatch=True).filter(
    lambda word: word.lower() not in ("cannot", "gonna", "eos", "unk")
)


@settings(max_examples=300)
@given(words=st.lists(PLAIN, min_size=1, max_size=20))
def test_plain_words_come_back_from_their_text(words: list[str]) -> None:
    tokens = PIPELINES["trained"](" ".join(words))
    assert tokens is not None
    again = PIPELINES["trained"](detokenize(tokens))
    assert again == tokens


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".txt": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
}


@pytest.mark.parametrize("suffix", PACK)
@settings(max_examples=200)
@given(
    content=st.one_of(
        st.binary(),
        st.lists(TEXTS).map(lambda lines: "\n".join(lines).encode("utf-8", "replace")),
    ),
    damage=st.sampled_from(("none", "none", "cut", "flip", "raw")),
    place=st.floats(0, 1),
)
def test_any_file_gives_all_its_lines_or_is_refused_by_name(
    suffix: str,
    content: bytes,
    damage: str,
    place: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz{suffix}"
    stored = bytearray(content if damage == "raw" else PACK[suffix](content))
    byte = min(int(place * len(stored)), len(stored) - 1)
    if damage == "cut":
        del stored[byte:]
    elif damage == "flip" and stored:
        stored[byte] ^= 1 << byte % 8
    path.write_bytes(stored)
    lines, text = attempt(lambda: list(read_lines(path)))
    path.unlink()
    if lines is None:
        assert str(path) in text
        assert "line " in text
        assert "\n" not in text
        return
    if damage == "none" or (suffix != ".txt" and damage == "flip"):
        # a packed file carries a checksum: whatever is read is what was packed
        ends = content.decode().split("\n")
        assert lines == [line.rstrip("\r\n") for line in (ends[:-1] if ends[-1] == "" else ends)]


@settings(max_examples=200)
@given(lines=st.lists(TEXTS.map(lambda text: text.replace("\n", " "))))
def test_every_line_is_a_sentence_or_counted_as_blank(
    lines: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.txt"
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    sentences = FileSentences([path])
    kept = list(sentences)
    assert len(kept) + sentences.num_blank == len(lines)
    path.unlink()
