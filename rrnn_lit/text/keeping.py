"""KeepingPipeline: the words of `TextPipeline`, but no sentence is dropped and nothing counted.

Training leaves out sentences that are empty, too long or of another language. Whoever encodes
text wants a result for each sentence he gives.
"""

from collections.abc import Mapping

from rrnn_lit.text.ascii import to_ascii
from rrnn_lit.text.chunks import ChunkWords
from rrnn_lit.text.contractions import rejoin_contractions
from rrnn_lit.text.corrections import correct_spelling
from rrnn_lit.text.dictionary import Dictionary
from rrnn_lit.text.digits import spell_digits
from rrnn_lit.text.hyphens import split_hyphens
from rrnn_lit.text.markup import normalise_markup
from rrnn_lit.text.phrases import PhraseMerger
from rrnn_lit.text.pipeline import TextSettings, rename_reserved_words
from rrnn_lit.text.possessives import settle_possessives
from rrnn_lit.text.punctuation import limit_punctuation, remove_final_stop
from rrnn_lit.text.tokenize import TreebankTokenizer, build_tokenizer


class KeepingPipeline:
    """Turns any raw sentence into words.

    Args:
        settings: its tokenizer is used; language threshold and longest sentence are not, nor is
            the file of corrections.
        dictionary: as `TextPipeline` takes it.
        corrections: wrong token -> the tokens that replace it.

    Raises:
        ValueError: unknown or missing tokenizer.
    """

    def __init__(
        self,
        settings: TextSettings,
        dictionary: Dictionary,
        corrections: Mapping[str, list[str]],
    ) -> None:
        self._dictionary, self._corrections = dictionary, dict(corrections)
        self._tokenize = build_tokenizer(settings.tokenizer)
        self._by_chunks: ChunkWords | None = None
        if isinstance(self._tokenize, TreebankTokenizer):
            self._by_chunks = ChunkWords(self._tokenize, dictionary)
        self._merge_phrases = PhraseMerger(dictionary)

    def __call__(self, sentence: str) -> list[str]:
        """Words without the end mark; none when the sentence has nothing that counts as one."""
        text = normalise_markup(to_ascii(sentence.strip()))
        if not text:
            return []
        words = self._by_chunks(text).words if self._by_chunks else self._tokens(text)
        words = spell_digits(self._merge_phrases(words), self._dictionary)
        words = correct_spelling(remove_final_stop(words), self._corrections)
        return rename_reserved_words(words)

    def _tokens(self, text: str) -> list[str]:
        """Tokens before phrases are merged, of the sentence as a whole."""
        tokens = rejoin_contractions(self._tokenize(text), self._dictionary)
        tokens = settle_possessives(tokens, self._dictionary)
        return limit_punctuation(split_hyphens(tokens, self._dictionary), self._dictionary)
