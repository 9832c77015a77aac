import pytest

from rrnn_lit.evaluation.report_html import (
    Cell,
    Html,
    definitions,
    details,
    escape,
    join,
    page,
    picture,
    table,
    tag,
)
from tests.evaluation.html_checks import read_page

EVIL = "<script>alert(\"1\")</script> & 'x'"


@pytest.mark.parametrize(
    "content",
    [
        tag("p", EVIL),
        tag("p", "text", title=EVIL),
        table([EVIL], [[EVIL], [Cell(EVIL, EVIL)]], EVIL),
        table([EVIL], [], EVIL),
        picture(b"png", EVIL, EVIL),
        definitions([(EVIL, EVIL)]),
        details(EVIL, tag("p", EVIL)),
        join(EVIL, EVIL),
    ],
)
def test_text_is_escaped_wherever_it_stands(content: Html) -> None:
    text = page(EVIL, content)
    assert "<script" not in text
    read = read_page(text)
    everything = [*read.texts, *(value for _, value in read.attributes)]
    assert any(EVIL in part for part in everything)


def test_html_is_not_escaped_twice() -> None:
    assert escape(tag("b", "a & b")) == "<b>a &amp; b</b>"
    assert tag("p", tag("b", "<")).text == "<p><b>&lt;</b></p>"


def test_tables_scroll_in_their_own_box_and_numbers_stand_right() -> None:
    text = table(["word", "times"], [["a", Cell("1", "of 2")], ["b", Cell("3")]], "what").text
    assert text.count('<div class="scroll" tabindex="0" role="region" aria-label="what">') == 1
    assert '<th scope="col">word</th><th scope="col" class="number">times</th>' in text
    assert '<th scope="row">a</th><td class="number">1<small>of 2</small></td>' in text


def test_a_page_is_made_for_phones_and_for_the_dark() -> None:
    text = page("title", tag("p", "text"))
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert "@media (prefers-color-scheme:dark)" in text
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')


def luminance(colour: str) -> float:
    digits = colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])
    values = [int(digits[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("ink", ["ink", "soft", "wrong"])
@pytest.mark.parametrize("paper", ["paper", "stripe"])
def test_colours_have_contrast(scheme: int, ink: str, paper: str) -> None:
    text = page("title", tag("p", "text"))
    variables = text.split(":root{")[1 + scheme].split("}")[0]
    colours = dict(part.removeprefix("--").split(":") for part in variables.split(";"))
    light, dark = sorted((luminance(colours[ink]), luminance(colours[paper])), reverse=True)
    # WCAG 2.2, success criterion 1.4.3
    assert (light + 0.05) / (dark + 0.05) >= 4.5
