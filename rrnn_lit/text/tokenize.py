"""Penn Treebank tokens: by nltk's rules, or by Stanford CoreNLP as in the paper (D-39).

Clitics come out cut off (`was` `n't`, `truck` `'s`) and double quotes as `"`. Words that the
Treebank cuts without any mark (`cannot`, `gonna`) stay whole, because afterwards nobody could
tell `can not` from `cannot`; contractions.py cuts them when it must. No marks are dropped here.
"""

import shutil
from collections.abc import Callable
from typing import Any, Literal, Protocol

from rrnn_lit.text.abbreviations import is_initials

Tokenizer = Callable[[str], list[str]]

_QUOTES = {"``": '"', "''": '"'}
_CLOSERS = frozenset("\"')")


class TreebankTokenizer:
    """nltk's rule-based tokenizer; needs no data download."""

    def __init__(self) -> None:
        from nltk.tokenize import NLTKWordTokenizer

        self._nltk = NLTKWordTokenizer()
        self._nltk.CONTRACTIONS2 = []
        self._nltk.CONTRACTIONS3 = []

    def __call__(self, text: str) -> list[str]:
        """Tokens of one sentence of printable ASCII; none for an empty one."""
        return with_last_abbreviation(self.cut(text))

    def cut(self, text: str) -> list[str]:
        """Tokens as the Treebank rules cut them, a last abbreviation without its stop."""
        return [_QUOTES.get(token, token) for token in self._nltk.tokenize(text)]


def with_last_abbreviation(tokens: list[str]) -> list[str]:
    """Give `U.S` its own stop back when it ends the sentence.

    One stop then serves as both, and the Treebank rules take it for the sentence's. CoreNLP
    writes `U.S.` and a stop; the sentence's stop is removed later anyway, so it is not added.
    """
    last = len(tokens) - 1
    while last > 0 and tokens[last] in _CLOSERS:
        last -= 1
    if last > 0 and tokens[last] == "." and is_initials(tokens[last - 1]):
        return [*tokens[: last - 1], tokens[last - 1] + ".", *tokens[last + 1 :]]
    return tokens


class AnnotationClient(Protocol):
    """The one method of stanza's CoreNLP client that is used."""

    def annotate(self, text: str) -> Any:
        """CoreNLP's JSON answer: `sentences`, each with `tokens`, each with `originalText`."""


class CoreNLPTokenizer:
    """Stanford CoreNLP behind the stanza client; needs Java and CoreNLP on the machine.

    All processes of a run share one server: the first starts it, the others find it.

    Args:
        client: a started client; None starts one on the first sentence.

    Raises:
        ValueError: stanza, Java or CoreNLP is missing, and no client was given.
    """

    def __init__(self, client: AnnotationClient | None = None) -> None:
        self._client = _corenlp_client() if client is None else client

    def __call__(self, text: str) -> list[str]:
        """Tokens of one sentence of printable ASCII; none for an empty one."""
        answer = self._client.annotate(text)
        # The text of the source, not CoreNLP's word: no -LRB-, no directed quotes. A blank
        # inside (CoreNLP keeps `1 1/2` and phone numbers whole) separates tokens here.
        return [
            _QUOTES.get(piece, piece)
            for sentence in answer["sentences"]
            for token in sentence["tokens"]
            for piece in token["originalText"].split()
        ]


_CORENLP_PROPERTIES = {
    "ssplit.isOneSentence": "true",
    # Hyphens and slashes are cut by our own steps, which ask the dictionary first.
    "tokenize.options": "splitAssimilations=false,splitHyphenated=false,splitForwardSlash=false",
}


def _corenlp_client() -> AnnotationClient:
    try:
        from stanza.server import CoreNLPClient, StartServer
    except ImportError as error:
        raise ValueError(
            "text.tokenizer: corenlp needs the stanza package, which is not installed; "
            "install rrnn_lit[corenlp], or choose treebank"
        ) from error
    if shutil.which("java") is None:
        raise ValueError(
            "text.tokenizer: corenlp needs Java, but there is no `java` on the PATH; "
            "install a Java runtime, or choose treebank"
        )
    try:
        client: AnnotationClient = CoreNLPClient(
            start_server=StartServer.TRY_START,
            annotators="tokenize,ssplit",
            properties=_CORENLP_PROPERTIES,
            output_format="json",
            be_quiet=True,
            preload=False,
        )
    except FileNotFoundError as error:
        raise ValueError(
            "text.tokenizer: corenlp needs Stanford CoreNLP, which was not found; run "
            "stanza.install_corenlp() or set CORENLP_HOME to its folder, or choose treebank"
        ) from error
    return client


def build_tokenizer(name: Literal["treebank", "corenlp"]) -> Tokenizer:
    """The tokenizer of that name.

    Raises:
        ValueError: another name, or CoreNLP asked for and not installed.
    """
    if name == "treebank":
        return TreebankTokenizer()
    if name == "corenlp":
        return CoreNLPTokenizer()
    raise ValueError(f"text.tokenizer: wanted treebank or corenlp, got {name!r}")
