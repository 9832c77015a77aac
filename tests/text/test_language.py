import pytest

from rrnn_lit.text.language import is_other_language

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
    assert is_other_language(text, 0.8)


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
    assert not is_other_language(text, 0.8)


def test_zero_disables() -> None:
    assert not is_other_language(GERMAN, 0.0)


@pytest.mark.parametrize(("threshold", "dropped"), [(0.001, True), (0.5, False), (1.0, False)])
def test_a_low_threshold_is_reached_beside_english(threshold: float, dropped: bool) -> None:
    assert is_other_language("The bridge is closed today, la gare aussi.", threshold) is dropped
