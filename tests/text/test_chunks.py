import pytest

from rrnn_lit.text.chunks import ChunkWords
from rrnn_lit.text.tokenize import TreebankTokenizer

CHUNKS = ChunkWords(TreebankTokenizer(), frozenset(["Mr.", "wasn't"]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The ferry wasn't late, it sank", "The ferry wasn't late , it sank"),
        ("Mr. Bell left York.", "Mr. Bell left York ."),
        ("York. is not the end", "York . is not the end"),
        ('He "said" so."', 'He " said " so . "'),
        ("We left the U.S.", "We left the U.S."),
    ],
)
def test_words_are_found_chunk_by_chunk(text: str, words: str) -> None:
    assert CHUNKS(text) == words.split()


@pytest.mark.parametrize(
    "text",
    [
        "York",  # begin and end at once
        "the workers ' rights were",  # is a quote open?
        "Peru 's envoy left",  # what does it belong to?
        "We left the U.S .",  # whose stop?
        "we did n't sink",
    ],
)
def test_a_chunk_that_asks_its_neighbours_has_no_words_of_its_own(text: str) -> None:
    assert CHUNKS(text) is None
