import pytest

from rrnn_lit.text.contractions import rejoin_contractions


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ("it was n't", "it wasn't"),
        ("You 'd", "You'd"),
        ("We 're", "We're"),
        ("I ca n't", "I can't"),
        ("WE WO N'T", "WE WON'T"),
        ("I 'm and I 've and I 'll", "I'm and I've and I'll"),
        ("gon na", "gonna"),
        ("Lem me see", "Lemme see"),
        ("should n't 've", "shouldn't've"),
        ("it 's", "it's"),
        ("Let 's", "Let's"),
        ("truck 's", "truck 's"),
        ("can not", "can not"),
        ("cannot", "cannot"),
        ("by me", "by me"),
        ("\" 'm", "\" 'm"),
        ("'ll", "'ll"),
    ],
)
def test_without_a_dictionary_pieces_are_always_joined(pieces: str, expected: str) -> None:
    assert rejoin_contractions(pieces.split(), None) == expected.split()


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ("it was n't", "it wasn't"),
        ("it were n't", "it were n't"),
        ("he 's", "he's"),
        ("she 's", "she 's"),
        ("today 's", "today 's"),
        ("should n't 've", "shouldn't 've"),
        ("gonna", "gonna"),
        ("Cannot wanna", "Can not wan na"),
        ("wan na", "wan na"),
    ],
)
def test_with_a_dictionary_it_must_have_the_whole(pieces: str, expected: str) -> None:
    dictionary = frozenset({"wasn't", "he's", "today's", "shouldn't", "gonna", "was", "can"})
    assert rejoin_contractions(pieces.split(), dictionary) == expected.split()


def test_input_is_left_alone() -> None:
    pieces = ["was", "n't"]
    rejoin_contractions(pieces, None)
    assert pieces == ["was", "n't"]
