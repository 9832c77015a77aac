"""CodecParts: what turns text into sentence vectors and back, however it was stored."""

from dataclasses import dataclass, field
from typing import Any

from rrnn_lit.models.autoencoder import SentenceAutoencoder
from rrnn_lit.models.compressor import Compressor
from rrnn_lit.text.pipeline import TextSettings
from rrnn_lit.words.vectors import WordVectors
from rrnn_lit.words.whitening import Whitening


@dataclass(frozen=True)
class CodecParts:
    """A trained model with everything that its vectors mean.

    The last four but `facts` belong together: from them `RawText` of `codec/raw_text.py` makes
    the words of a raw sentence.

    Attributes:
        autoencoder: encoder and decoder, fp32, on the host, in evaluation mode, without
            gradients.
        autoencoder_options: the options of the group `model` that build it, see
            `models/building.py`.
        compressor: of its sentence vectors; None without one.
        compressor_options: the options that build it; None without one.
        word_vectors: the dictionary, special labels last.
        whitening: from raw word vectors to the dictionary's.
        text: how raw text becomes words; `corrections` in it is None, the table is below.
        facts: plain values about where it comes from, for people and reports: `name`, `steps`,
            `seed`, `max_words` (longest training sentence, EOS included), `splits` (the figures
            of `summary.json`), `data`, `versions`. See `training/open_run.py` for all of them.
        known_words: words and phrases, one a line, that decide which contractions and phrases
            become one token; a word among them need not be in the dictionary. None when there
            were none, see `TextPipeline`.
        whole_phrases: phrases, one a line, that stay whole; others are cut back into words. None
            leaves all whole.
        corrections: wrong token -> the tokens that replace it.
    """

    autoencoder: SentenceAutoencoder
    autoencoder_options: dict[str, Any]
    compressor: Compressor | None
    compressor_options: dict[str, Any] | None
    word_vectors: WordVectors
    whitening: Whitening
    text: TextSettings
    facts: dict[str, Any] = field(default_factory=dict)
    known_words: str | None = None
    whole_phrases: str | None = None
    corrections: dict[str, list[str]] = field(default_factory=dict)

    @property
    def sentence_vector_size(self) -> int:
        """Length S of a sentence vector."""
        options = self.autoencoder_options
        return int(options.get("sentence_vector_size") or options["hidden_size"])

    @property
    def max_words(self) -> int:
        """Words of the longest training sentence, EOS included; if unknown, of preparation."""
        return int(self.facts.get("max_words", self.text.max_words))
