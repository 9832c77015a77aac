"""The steps from a raw sentence to its tokens, in order, with counters (paper section 2.7).

Duplicates are dropped elsewhere, and the end mark is added where words become ids.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from operator import ne
from typing import Literal, TypeVar

from rrnn_lit.text.ascii import to_ascii
from rrnn_lit.text.chunks import CHUNK_STEPS, ChunkWords
from rrnn_lit.text.contractions import rejoin_contractions
from rrnn_lit.text.corrections import correct_spelling, read_corrections
from rrnn_lit.text.counts import CountTable, StepCounts
from rrnn_lit.text.dictionary import Dictionary
from rrnn_lit.text.digits import spell_digits
from rrnn_lit.text.hyphens import split_hyphens
from rrnn_lit.text.language import are_other_languages, ask_library
from rrnn_lit.text.markup import normalise_markup
from rrnn_lit.text.phrases import PhraseMerger
from rrnn_lit.text.possessives import settle_possessives
from rrnn_lit.text.punctuation import limit_punctuation, remove_final_stop
from rrnn_lit.text.tokenize import TreebankTokenizer, build_tokenizer

_Value = TypeVar("_Value", str, list[str])
_Steps = Sequence[tuple[str, Callable[[_Value], _Value]]]

# Labels of the end mark and of the unknown word among the special vectors: words of the text
# that look like them are renamed, as in the author's implementation (D-12).
_RESERVED = {"EOS": "EOS_", "UNK": "UNK_"}
_BLOCK = 64  # sentences taken together; more no longer save time


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
        fast: False takes every step for every sentence as a whole and asks py3langid about each;
            tokens and counts are the same.

    Attributes:
        counts: one entry per step, in order.

    Raises:
        ValueError: unknown or missing tokenizer, or a bad table of corrections.
    """

    def __init__(self, settings: TextSettings, dictionary: Dictionary, fast: bool = True) -> None:
        self._tokenize = build_tokenizer(settings.tokenizer)
        self._by_chunks: ChunkWords | None = None
        if fast and isinstance(self._tokenize, TreebankTokenizer):
            self._by_chunks = ChunkWords(self._tokenize, dictionary)
        judge = are_other_languages if fast else ask_library
        self._are_other_languages = partial(judge, threshold=settings.language_threshold)
        self._text_steps: _Steps[str] = (("ascii", to_ascii), ("markup", normalise_markup))
        corrections = read_corrections(settings.corrections)
        self._chunk_steps: _Steps[list[str]] = (
            ("contractions", partial(rejoin_contractions, dictionary=dictionary)),
            ("possessives", partial(settle_possessives, dictionary=dictionary)),
            ("hyphens", partial(split_hyphens, dictionary=dictionary)),
            ("punctuation", partial(limit_punctuation, dictionary=dictionary)),
        )
        self._token_steps: _Steps[list[str]] = (
            ("phrases", PhraseMerger(dictionary)),
            ("digits", partial(spell_digits, dictionary=dictionary)),
            ("final_stop", remove_final_stop),
            ("corrections", partial(correct_spelling, corrections=corrections)),
            ("reserved_words", rename_reserved_words),
            ("length", partial(_keep_short, max_words=settings.max_words)),
        )
        names = ["blank", "language", *(name for name, _ in self._text_steps)]
        names += [*CHUNK_STEPS, *(name for name, _ in self._token_steps)]
        self.counts = {name: StepCounts() for name in names}

    def __call__(self, sentence: str) -> list[str] | None:
        """Tokens without the end mark, or None when a step dropped the sentence.

        A token is printable ASCII without blanks and never empty. A step drops a sentence by
        leaving nothing of it, so a result has at least one token.
        """
        return self._take([sentence])[0]

    def each(self, sentences: Iterable[str]) -> Iterator[list[str] | None]:
        """Yield the same for many sentences, each of which takes less time.

        Sentences are taken some at a time, step by step, so that the counts are those of the
        sentences yielded only when all of them are.
        """
        left = iter(sentences)
        while block := list(islice(left, _BLOCK)):
            yield from self._take(block)

    def _take(self, sentences: list[str]) -> list[list[str] | None]:
        places = list(range(len(sentences)))
        texts = self._keep("blank", sentences, [text.strip() for text in sentences], places)
        # The language is judged on the raw text: transliterated text hides the script, and a
        # dropped sentence costs nothing further.
        others = self._are_other_languages(texts)
        english = ["" if other else text for text, other in zip(texts, others, strict=True)]
        texts = self._keep("language", texts, english, places)
        texts = self._run(self._text_steps, texts, places)
        words = self._run(self._token_steps, self._words(texts, places), places)
        found: list[list[str] | None] = [None] * len(sentences)
        for place, tokens in zip(places, words, strict=True):
            found[place] = tokens
        return found

    def _words(self, texts: list[str], places: list[int]) -> list[list[str]]:
        """Words before phrases are merged."""
        if self._by_chunks is None:
            counts = self.counts["tokenize"]
            counts.in_ += len(texts)
            tokens = [self._tokenize(text) for text in texts]
            counts.changed += sum(map(ne, tokens, [text.split(" ") for text in texts]))
            return self._run(self._chunk_steps, tokens, places)
        found = [self._by_chunks(text) for text in texts]
        for number, name in enumerate(CHUNK_STEPS[:-1]):
            self.counts[name].in_ += len(found)
            self.counts[name].changed += sum(changed >> number & 1 for _, changed in found)
        # the last step tells by itself: what it makes of a sentence differs or is nothing
        last = len(CHUNK_STEPS) - 1
        before = [words if not changed >> last & 1 else [] for words, changed in found]
        return self._keep(CHUNK_STEPS[-1], before, [words for words, _ in found], places)

    def _run(self, steps: _Steps[_Value], values: list[_Value], places: list[int]) -> list[_Value]:
        for name, step in steps:
            values = self._keep(name, values, [step(value) for value in values], places)
        return values

    def _keep(
        self, name: str, values: list[_Value], results: list[_Value], places: list[int]
    ) -> list[_Value]:
        """Count what a step did; return its results without those that are empty.

        Args:
            name: of the step.
            values: what it was given.
            results: what it made of each.
            places: place of each in the block of sentences; those of empty results are taken out.
        """
        counts = self.counts[name]
        counts.in_ += len(values)
        if not all(results):
            kept = [number for number, result in enumerate(results) if result]
            counts.dropped += len(results) - len(kept)
            values = [values[number] for number in kept]
            results = [results[number] for number in kept]
            places[:] = [places[number] for number in kept]
        counts.changed += sum(map(ne, results, values))
        return results

    def count_table(self) -> CountTable:
        """The counts as plain integers: step -> `in`, `changed`, `dropped`."""
        return {name: counts.as_dict() for name, counts in self.counts.items()}


def rename_reserved_words(tokens: list[str]) -> list[str]:
    """Tokens with the words EOS and UNK of the text as `EOS_` and `UNK_`."""
    if _RESERVED.keys().isdisjoint(tokens):
        return tokens
    return [_RESERVED.get(token, token) for token in tokens]


def _keep_short(tokens: list[str], max_words: int) -> list[str]:
    return tokens if len(tokens) < max_words else []
