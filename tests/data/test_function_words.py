import pytest

from rrnn_lit.data.function_words import FUNCTION_WORDS, content_words
from rrnn_lit.words.special import SPECIAL_LABELS


@pytest.mark.parametrize("word", ["house", "Paris", "New_York", "one", "quickly", "EOS_", "going"])
def test_content_words_may_be_blanked(word: str) -> None:
    assert content_words([word]).tolist() == [True]


@pytest.mark.parametrize("word", ["the", "The", "don't", "Which", "s", *SPECIAL_LABELS])
def test_function_words_and_labels_are_never_blanked(word: str) -> None:
    assert content_words([word]).tolist() == [False]


def test_one_answer_per_word_in_their_order() -> None:
    assert content_words(["dog", "of", "cat", "UNK"]).tolist() == [True, False, True, False]


def test_the_list_is_in_lower_case() -> None:
    # it is compared with lower-cased words: another entry would never be found
    assert {word for word in FUNCTION_WORDS if word != word.lower()} == set()
