import pytest

from rrnn_lit.text.chunks import CHUNK_STEPS, ChunkWords
from rrnn_lit.text.tokenize import TreebankTokenizer

CHUNKS = ChunkWords(TreebankTokenizer(), frozenset(["Mr.", "wasn't", "workers'", "U.S."]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The ferry wasn't late, it sank", "The ferry wasn't late , it sank"),
        ("Mr. Bell left York.", "Mr. Bell left York ."),
        ("York. is not the end", "York . is not the end"),
        ('He "said" so."', 'He " said " so . "'),
        ("We left the U.S.", "We left the U.S."),
        ("York", "York"),
        ("# @", ""),
    ],
)
def test_words_are_found_chunk_by_chunk(text: str, words: str) -> None:
    assert CHUNKS(text).words == words.split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the workers' rights were", "the workers' rights were"),
        ("the 'workers' rights were", "the ' workers ' rights were"),
        ("Peru 's envoy left", "Peru s envoy left"),
        ("We left the U.S .", "We left the U.S."),
        ("it was n't me", "it wasn't me"),
    ],
)
def test_a_chunk_may_ask_its_neighbours(text: str, words: str) -> None:
    for _ in range(2):  # the second time its tokens are remembered
        assert CHUNKS(text).words == words.split()


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("The ferry sank", ""),
        ("The ferry sank, too", "tokenize"),
        ("It wasn't late", "tokenize contractions"),
        ("Peru's envoy left", "tokenize possessives"),
        ("the workers' rights were", "tokenize possessives"),
        ("a family-owned bakery", "hyphens"),
        ("York. is not Peru", "punctuation"),
        ("no # no", "punctuation"),
    ],
)
def test_it_tells_which_steps_changed_the_sentence(text: str, steps: str) -> None:
    changed = CHUNKS(text).changed
    assert [name for bit, name in enumerate(CHUNK_STEPS) if changed >> bit & 1] == steps.split()
