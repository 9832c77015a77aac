import pytest

from rrnn_lit.text.language import are_other_languages

GERMAN = "Der Bahnhof wurde im Winter geschlossen, weil die Brücke nicht mehr sicher war."
ENGLISH = "The station was closed in winter because the bridge was no longer safe."


@pytest.mark.parametrize(
    "text",
    [
        GERMAN,
        "La gare a été fermée en hiver parce que le pont n'était plus sûr du tout.",
        "Вокзал закрыли зимой, потому что старый мост стал совсем небезопасным.",
        "今天天气很好，我们去公园散步。",
    ],
)
def test_other_languages_are_recognised(text: str) -> None:
    assert are_other_languages([text], 0.8)[0]


@pytest.mark.parametrize(
    "text",
    [
        ENGLISH,
        ENGLISH.upper(),
        "Go.",
        "Tom's here!",
        "",
        "42",
        "?!",
        "\ud800",
        "Ana lives in Łódź.",
    ],
)
def test_english_and_the_undecidable_are_kept(text: str) -> None:
    assert not are_other_languages([text], 0.8)[0]


def test_zero_disables() -> None:
    assert not are_other_languages([GERMAN], 0.0)[0]


@pytest.mark.parametrize(("threshold", "dropped"), [(0.001, True), (0.5, False), (1.0, False)])
def test_a_low_threshold_is_reached_beside_english(threshold: float, dropped: bool) -> None:
    text = "The bridge is closed today, la gare aussi."
    assert are_other_languages([text], threshold)[0] is dropped
