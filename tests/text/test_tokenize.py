import sys
from typing import Any

import pytest

from rrnn_lit.text.tokenize import CoreNLPTokenizer, TreebankTokenizer, build_tokenizer


@pytest.fixture(scope="module")
def treebank() -> TreebankTokenizer:
    return TreebankTokenizer()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The old clock stopped.", "The old clock stopped ."),
        ("We wasn't, you'd, they're.", "We was n't , you 'd , they 're ."),
        ("the baker's and bakers' bread", "the baker 's and bakers ' bread"),
        ('She said "come in" twice', 'She said " come in " twice'),
        ("She said ``come in'' twice", 'She said " come in " twice'),
        ("He cried 'help' once", "He cried ' help ' once"),
        ("It cost $7.50 (or 8%); cheap!", "It cost $ 7.50 ( or 8 % ) ; cheap !"),
        ("I cannot go, can not stay, wanna sleep", "I cannot go , can not stay , wanna sleep"),
        ("", ""),
    ],
)
def test_treebank_rules(treebank: TreebankTokenizer, text: str, expected: str) -> None:
    assert treebank(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("They moved to the U.S.", "They moved to the U.S."),
        ('"They moved to the U.S."', '" They moved to the U.S. "'),
        ("They moved to the coast.", "They moved to the coast ."),
    ],
)
def test_stop_of_a_last_abbreviation_is_given_back(
    treebank: TreebankTokenizer, text: str, expected: str
) -> None:
    assert treebank(text) == expected.split()


class CannedClient:
    """Answers like stanza's client with JSON output, from a list of source texts."""

    def __init__(self, *sentences: list[str]) -> None:
        self._sentences = sentences
        self.asked: list[str] = []

    def annotate(self, text: str) -> dict[str, Any]:
        self.asked.append(text)
        escapes = {"(": "-LRB-", ")": "-RRB-"}
        return {
            "sentences": [
                {
                    "index": index,
                    "tokens": [
                        {"index": place, "word": escapes.get(word, word), "originalText": word}
                        for place, word in enumerate(words, start=1)
                    ],
                }
                for index, words in enumerate(self._sentences)
            ]
        }


def test_corenlp_tokens_are_those_of_the_source_text() -> None:
    client = CannedClient(["Add", "1 1/2", "cups", "("], ["''", "now", "''", ")"])
    tokens = CoreNLPTokenizer(client)("Add 1 1/2 cups ( ''now'' )")
    assert tokens == ["Add", "1", "1/2", "cups", "(", '"', "now", '"', ")"]
    assert client.asked == ["Add 1 1/2 cups ( ''now'' )"]


def test_corenlp_without_a_sentence_gives_no_tokens() -> None:
    assert CoreNLPTokenizer(CannedClient())(" ") == []


def test_corenlp_without_stanza_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stanza.server", None)
    with pytest.raises(ValueError, match=r"corenlp needs the stanza package.*rrnn_lit\[corenlp\]"):
        build_tokenizer("corenlp")


def _pretend_stanza(monkeypatch: pytest.MonkeyPatch, client: object) -> None:
    """Put a stanza of two names into place, so that the machine needs neither it nor Java."""

    class StartServer:
        TRY_START = 2

    class Server:
        CoreNLPClient = client

    Server.StartServer = StartServer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "stanza", Server)
    monkeypatch.setitem(sys.modules, "stanza.server", Server)


def test_corenlp_without_java_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend_stanza(monkeypatch, CannedClient)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ValueError, match="corenlp needs Java"):
        build_tokenizer("corenlp")


def test_corenlp_without_its_folder_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_folder(**_: object) -> None:
        raise FileNotFoundError("stanza_corenlp")

    _pretend_stanza(monkeypatch, no_folder)
    monkeypatch.setattr("shutil.which", lambda _: "java")
    with pytest.raises(ValueError, match="needs Stanford CoreNLP.*CORENLP_HOME"):
        build_tokenizer("corenlp")


def test_corenlp_client_is_asked_for_one_sentence_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def client(**options: object) -> CannedClient:
        asked.update(options)
        return CannedClient(["Hello"])

    _pretend_stanza(monkeypatch, client)
    monkeypatch.setattr("shutil.which", lambda _: "java")
    assert build_tokenizer("corenlp")("Hello") == ["Hello"]
    assert asked["output_format"] == "json"
    assert asked["properties"]["ssplit.isOneSentence"] == "true"


def test_unknown_tokenizer_is_named() -> None:
    with pytest.raises(ValueError, match="wanted treebank or corenlp, got 'words'"):
        build_tokenizer("words")  # type: ignore[arg-type]
