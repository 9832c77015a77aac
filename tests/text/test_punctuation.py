import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrnn_lit.text.punctuation import MARKS, WORD_SIGNS, limit_punctuation, remove_final_stop

DICTIONARY = frozenset(
    ["Mr.", "U.S", "O'Brien", "said", "Then", "acorn.org", "C++", "$", "Yes!", "rock'n'roll", ".5"]
)


@pytest.mark.parametrize("mark", sorted(MARKS | WORD_SIGNS))
def test_limited_marks_and_word_signs_stay(mark: str) -> None:
    assert limit_punctuation(["ab", mark, "ab"], None) == ["ab", mark, "ab"]


@pytest.mark.parametrize("mark", "@#*+=<>^_~|\\")
def test_other_marks_are_dropped_alone_or_inside_a_word(mark: str) -> None:
    assert limit_punctuation(["ab", mark, f"cd{mark}ef", mark * 3], None) == ["ab", "cd", "ef"]


@pytest.mark.parametrize("mark", string.punctuation)
def test_every_printable_mark_has_a_defined_end(mark: str) -> None:
    allowed = MARKS | WORD_SIGNS | {"ab", "cd"}
    assert allowed.issuperset(limit_punctuation([mark, f"ab {mark}", f"{mark}cd"], None))


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("`", "'"),
        ("``", '"'),
        ("[", "("),
        ("}", ")"),
        ("..", "..."),
        (".....", "..."),
        ("----", "--"),
        ("and/or", "and / or"),
        ("(yes)", "( yes )"),
        ("10:30", "10 : 30"),
        ("1,000", "1,000"),
        ("3.5", "3.5"),
        (".5", ". 5"),
        ("R&D", "R & D"),
        ("word...", "word ..."),
        ("'em", "' em"),
        ("'ll", "'ll"),
        ("n't", "n't"),
        ("a@b", "a b"),
    ],
)
@pytest.mark.parametrize("dictionary", [None, DICTIONARY])
def test_marks_are_mapped_and_cut_off(
    token: str, expected: str, dictionary: frozenset[str] | None
) -> None:
    assert limit_punctuation([token], dictionary) == expected.split()


@pytest.mark.parametrize(
    ("token", "with_dictionary", "without"),
    [
        ("Mr.", "Mr.", "Mr."),
        ("Mrs.", "Mrs .", "Mrs."),
        ("York.", "York .", "York ."),
        ("U.S.", "U.S.", "U.S."),
        ("O'Brien", "O'Brien", "O'Brien"),
        ("O'Neil", "O'Neil", "O'Neil"),
        ("acorn.org", "acorn.org", "acorn.org"),
        ("walnut.org", "walnut.org", "walnut.org"),
        ("said.Then", "said . Then", "said.Then"),
        ("said.Then.", "said . Then .", "said.Then ."),
        ("C++", "C++", "C"),
        ("Yes!", "Yes!", "Yes !"),
        ("(Mr.", "( Mr.", "( Mr."),
    ],
)
def test_stops_inside_words_are_the_dictionary_s_say(
    token: str, with_dictionary: str, without: str
) -> None:
    assert limit_punctuation([token], DICTIONARY) == with_dictionary.split()
    assert limit_punctuation([token], None) == without.split()


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ("It rained .", "It rained"),
        ('" It rained . "', '" It rained "'),
        ("( It rained . )", "( It rained )"),
        ("' It rained . ' \"", "' It rained ' \""),
        ('It rained " .', 'It rained "'),
        ("It rained ?", "It rained ?"),
        ("It rained . Then", "It rained . Then"),
        ("They left the U.S.", "They left the U.S."),
        ("It rained ...", "It rained ..."),
        (".", ""),
        ("", ""),
    ],
)
def test_final_stop_goes_also_before_closing_marks(tokens: str, expected: str) -> None:
    assert remove_final_stop(tokens.split()) == expected.split()


@given(st.lists(st.text(alphabet="aB3.,'-/$@`", min_size=1)))
def test_second_pass_changes_nothing(tokens: list[str]) -> None:
    once = limit_punctuation(tokens, None)
    assert limit_punctuation(once, None) == once
    stripped = remove_final_stop(once)
    assert remove_final_stop(stripped) == stripped
