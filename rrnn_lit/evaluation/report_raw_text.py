"""What preparation and printing do to raw sentences, before any model takes part.

Digits become words, rare marks others, words that the dictionary lacks UNK: "exact" is always
about words, and this is the share of raw sentences for which it is about the text as well.
"""

from dataclasses import dataclass
from pathlib import Path

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.codec.raw_text import RawText
from rrnn_lit.codec.text_lines import read_lines
from rrnn_lit.evaluation.intervals import Estimate, share_of_sentences
from rrnn_lit.text.detokenize import detokenize


@dataclass(frozen=True)
class RawShare:
    """What became of raw sentences.

    Attributes:
        file: where they came from.
        num_sentences: lines that are not blank.
        unchanged: prepared, looked up in the dictionary and printed, they are what they were.
        unchanged_but_stop: the same of those that only lost the full stop at the end as well.
        dropped: preparation left nothing of them: too long, or of another language.
        with_unknown_word: a word of theirs became UNK.
        note: in what the preparation may differ from that of training; None for nothing.
    """

    file: str
    num_sentences: int
    unchanged: Estimate
    unchanged_but_stop: Estimate
    dropped: Estimate
    with_unknown_word: Estimate
    note: str | None


def measure_raw_text(parts: CodecParts, path: Path) -> RawShare:
    """Return the shares of the sentences of a file.

    Args:
        parts: a model; its text settings and its dictionary are used.
        path: UTF-8 text, a sentence a line, plain, .gz, .xz or .bz2.

    Raises:
        ValueError: there is no such file, it is not text or holds no sentence.
    """
    sentences = [line.strip() for line in read_lines(str(path)) if line.strip()]
    if not sentences:
        raise ValueError(f"--raw: wanted a sentence a line in {path}, got none")
    prepare = RawText(parts)
    names = ("unchanged", "unchanged_but_stop", "dropped", "with_unknown_word")
    counts = dict.fromkeys(names, 0)
    for sentence in sentences:
        words = prepare(sentence)
        if words is None:
            counts["dropped"] += 1
            continue
        word_ids = parts.word_vectors.encode(words)[:-1]
        counts["with_unknown_word"] += parts.word_vectors.unk_id in word_ids
        printed = detokenize(parts.word_vectors.decode(word_ids))
        counts["unchanged"] += printed == sentence
        counts["unchanged_but_stop"] += printed in (sentence, sentence.removesuffix("."))
    shares = {name: share_of_sentences(n, len(sentences)) for name, n in counts.items()}
    note = parts.facts.get("text_note")
    return RawShare(str(path), len(sentences), **shares, note=note)
