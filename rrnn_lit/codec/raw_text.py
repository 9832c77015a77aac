"""RawText: raw sentences to exactly the words that `rrnn prepare` made of them for training."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.codec.sentence_words import cut_phrases, set_of_lines
from rrnn_lit.text.dictionary import Dictionary
from rrnn_lit.text.pipeline import TextPipeline, TextSettings


class RawText:
    """Turns raw sentences into words; built once, a long list of known words takes seconds.

    Args:
        parts: see `CodecParts`; only what concerns text is used.

    Raises:
        ValueError: the tokenizer is unknown or not installed.
    """

    def __init__(self, parts: CodecParts) -> None:
        self.settings = parts.text
        self._pipeline = _pipeline(parts.text, set_of_lines(parts.known_words), parts.corrections)
        self._whole = set_of_lines(parts.whole_phrases)

    def __call__(self, sentence: str) -> list[str] | None:
        """Return the words without EOS; None when preparation would have dropped the sentence."""
        tokens = self._pipeline(sentence)
        if tokens is None or self._whole is None:
            return tokens
        words = cut_phrases(tokens, self._whole)
        return words if len(words) < self.settings.max_words else None


def _pipeline(
    settings: TextSettings, known_words: Dictionary, corrections: Mapping[str, list[str]]
) -> TextPipeline:
    if not corrections:
        return TextPipeline(replace(settings, corrections=None), known_words)
    # the pipeline reads its table from a file
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "corrections.tsv"
        rows = (f"{wrong}\t{' '.join(right)}\n" for wrong, right in corrections.items())
        table.write_text("".join(rows), encoding="utf-8")
        return TextPipeline(replace(settings, corrections=str(table)), known_words)
