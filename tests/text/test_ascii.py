import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrnn_lit.text.ascii import to_ascii


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words, unchanged.", "plain words, unchanged."),
        ("The café in Kraków", "The cafe in Krakow"),
        ("\u201cWait\u201d, it\u2019s\u00a0late\u2026", '"Wait", it\'s late...'),
        ("rain\u2014then sun", "rain -- then sun"),
        ("pages 3\u20139", "pages 3-9"),
        ("\u00abOui\u00bb", '"Oui"'),
        ("Acme\u00ae and Bolt\u2122", "Acme and Bolt"),
        ("one\ttwo\r\nthree", "one two three"),
        ("  much   room ", "much room"),
        ("be\x07ll \x1b[0m", "bell [0m"),
        ("half\ud800way", "halfway"),
        ("soft\u00adhyphen", "softhyphen"),
    ],
)
def test_text_becomes_printable_ascii(text: str, expected: str) -> None:
    assert to_ascii(text) == expected


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\x00\x1f\x7f", "\u200b", "\udfff"])
def test_nothing_printable_leaves_nothing(text: str) -> None:
    assert to_ascii(text) == ""


@pytest.mark.parametrize(("text", "word"), [("北京", "BeiJing"), ("😀", ":grinning:")])
def test_other_scripts_and_emoji_are_spelled_out(text: str, word: str) -> None:
    assert to_ascii(text) == word


@given(st.text(st.characters(codec=None)))
def test_any_text_is_clean_after_one_pass(text: str) -> None:
    once = to_ascii(text)
    assert all(" " <= character <= "~" for character in once)
    assert once == " ".join(once.split())
    assert to_ascii(once) == once
