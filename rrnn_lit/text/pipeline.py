"""The steps from a raw sentence to its tokens, in order, with counters (paper section 2.7).

Duplicates are dropped elsewhere, and the
end mark is added where words become ids.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

from rrnn_lit.text.ascii import to_ascii
from rrnn_lit.text.contractions import rejoin_contractions
from rrnn_lit.text.corrections import correct_spelling, read_corrections
from rrnn_lit.text.counts import CountTable, StepCounts
from rrnn_lit.text.dictionary import Dictionary
from rrnn_lit.text.digits import spell_digits
from rrnn_lit.text.hyphens import split_hyphens
from rrnn_lit.text.language import is_other_language
from rrnn_lit.text.markup import normalise_markup
from rrnn_lit.text.phrases import PhraseMerger
from rrnn_lit.text.possessives import settle_possessives
from rrnn_lit.text.punctuation import limit_punctuation, remove_final_stop
from rrnn_lit.text.tokenize import build_tokenizer

_Value = TypeVar("_Value", str, list[str])
_Steps = Sequence[tuple[str, Callable[[_Value], _Value]]]

# Labels of the end mark and of the unknown word among the special vectors: words of the text
# that look like them are renamed, as in the author's implementation (D-12).
_RESERVED = {"EOS": "EOS_", "UNK": "UNK_"}


@dataclass(frozen=True)
class TextSettings:
    """How raw sentences become tokens.

    Args:
        tokenizer: `treebank` needs nothing but Python; `corenlp` is the paper's and needs
            stanza, Java and Stanford CoreNLP.
        language_threshold: drop a sentence when a language other than English has this
            probability or more, in [0, 1]; 0 disables.
        corrections: file of `wrong<TAB>right` lines applied to tokens; null: none.
        max_words: longest sentence in words, the end mark included, at least 2; longer
            sentences are dropped and counted.

    Raises:
        ValueError: a number outside its range.
    """

    tokenizer: Literal["treebank", "corenlp"]
    language_threshold: float
    corrections: str | None
    max_words: int

    def __post_init__(self) -> None:
        if not 0 <= self.language_threshold <= 1:
            raise ValueError(
                "text.language_threshold: wanted a probability from 0 to 1, "
                f"got {self.language_threshold}"
            )
        if self.max_words < 2:
            raise ValueError(f"text.max_words: wanted 2 or more, got {self.max_words}")


class TextPipeline:
    """Turns raw sentences into tokens and counts what each step did.

    Args:
        settings: see there.
        dictionary: words and phrases (`New_York`) that have a vector. None means that vectors
            will be trained on this corpus: contractions are always joined, possessives and
            hyphens always cut, digits always spelled, and no phrase is merged.

    Attributes:
        counts: one entry per step, in order.

    Raises:
        ValueError: unknown or missing tokenizer, or a bad table of corrections.
    """

    def __init__(self, settings: TextSettings, dictionary: Dictionary) -> None:
        self._tokenize = build_tokenizer(settings.tokenizer)
        # The language is judged on the raw text: transliterated text hides the script, and a
        # dropped sentence costs nothing further.
        self._text_steps: _Steps[str] = (
            ("blank", str.strip),
            ("language", partial(_keep_english, threshold=settings.language_threshold)),
            ("ascii", to_ascii),
            ("markup", normalise_markup),
        )
        corrections = read_corrections(settings.corrections)
        self._token_steps: _Steps[list[str]] = (
            ("contractions", partial(rejoin_contractions, dictionary=dictionary)),
            ("possessives", partial(settle_possessives, dictionary=dictionary)),
            ("hyphens", partial(split_hyphens, dictionary=dictionary)),
            ("punctuation", partial(limit_punctuation, dictionary=dictionary)),
            ("phrases", PhraseMerger(dictionary)),
            ("digits", partial(spell_digits, dictionary=dictionary)),
            ("final_stop", remove_final_stop),
            ("corrections", partial(correct_spelling, corrections=corrections)),
            ("reserved_words", rename_reserved_words),
            ("length", partial(_keep_short, max_words=settings.max_words)),
        )
        names = [name for name, _ in self._text_steps]
        names += ["tokenize", *(name for name, _ in self._token_steps)]
        self.counts = {name: StepCounts() for name in names}

    def __call__(self, sentence: str) -> list[str] | None:
        """Tokens without the end mark, or None when a step dropped the sentence.

        A token is printable ASCII without blanks and never empty. A step drops a sentence by
        leaving nothing of it, so a result has at least one token.
        """
        text = self._run(self._text_steps, sentence)
        if text is None:
            return None
        counts = self.counts["tokenize"]
        counts.in_ += 1
        tokens = self._tokenize(text)
        counts.changed += tokens != text.split(" ")
        return self._run(self._token_steps, tokens)

    def _run(self, steps: _Steps[_Value], value: _Value) -> _Value | None:
        for name, step in steps:
            counts = self.counts[name]
            counts.in_ += 1
            result = step(value)
            if not result:
                counts.dropped += 1
                return None
            counts.changed += result != value
            value = result
        return value

    def count_table(self) -> CountTable:
        """The counts as plain integers: step -> `in`, `changed`, `dropped`."""
        return {name: counts.as_dict() for name, counts in self.counts.items()}


def rename_reserved_words(tokens: list[str]) -> list[str]:
    """Tokens with the words EOS and UNK of the text as `EOS_` and `UNK_`."""
    return [_RESERVED.get(token, token) for token in tokens]


def _keep_english(text: str, threshold: float) -> str:
    return "" if is_other_language(text, threshold) else text


def _keep_short(tokens: list[str], max_words: int) -> list[str]:
    return tokens if len(tokens) < max_words else []
