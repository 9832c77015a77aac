import lzma
import os
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rrnn_lit.text.pipeline import TextPipeline, TextSettings

SETTINGS = TextSettings(
    tokenizer="treebank", language_threshold=0.8, corrections=None, max_words=60
)

# A hand-made dictionary in the manner of the published one: contractions, abbreviations and
# phrases are in it, possessives, numbers, hyphenated words and punctuation mostly are not.
_WHOLE = ["wasn't", "You'd", "We're", "It's", "today's", "O'Hara", "Mr.", "U.S.", "MP3", "3rd"]
_SIMPLE = ["$", "%", "7", "-7", "bakery", "owned", "family"]
_PHRASES = ["Ada_Lovelace", "Rio_de_Janeiro", "ice_cream"]
DICTIONARY = frozenset([*_WHOLE, *_SIMPLE, *_PHRASES])

VISIBLE = [
    ("contraction", "The ferry wasn't late.", "The ferry wasn't late"),
    ("contraction", "You'd laugh if we'd sunk.", "You'd laugh if we 'd sunk"),
    ("contraction", "We're sure It's open.", "We're sure It's open"),
    ("possessive", "A truck's horn woke Peru's envoy.", "A truck s horn woke Peru s envoy"),
    ("possessive", "In today's soup we found hair.", "In today's soup we found hair"),
    ("hyphen", "A family-owned bakery opened.", "A family - owned bakery opened"),
    ("digits", "He ran 10 miles in 30 C.", "He ran one zero miles in three zero C"),
    ("digits", "It fell 7.5% to $1,250.", "It fell seven . five % to $ one two five zero"),
    ("digits", "The 3rd MP3 was 21st.", "The 3rd MP3 was two one st"),
    ("quotes", "\u201cStay,\u201d she said.", '" Stay , " she said'),
    ("quotes", "'Stay,' she said.", "' Stay , ' she said"),
    ("final stop", 'She said: "Stay."', 'She said : " Stay "'),
    ("final stop", "(She stayed.)", "( She stayed )"),
    ("final stop", "Did Mr. Bell leave the U.S.?", "Did Mr. Bell leave the U.S. ?"),
    ("final stop", "Mr. Bell left the U.S.", "Mr. Bell left the U.S."),
    ("phrase", "Ada Lovelace loved ice cream.", "Ada_Lovelace loved ice_cream"),
    ("phrase", "We saw Rio de Janeiro.", "We saw Rio_de_Janeiro"),
    ("phrase", "It was ice, cream and tea.", "It was ice , cream and tea"),
    ("accents", "Señor O'Hara sold café chairs.", "Senor O'Hara sold cafe chairs"),
    ("marks", "Cats {and} dogs | #1!!!", "Cats ( and ) dogs one !"),
    ("dash", "Rain\u2014then sun.", "Rain -- then sun"),
    ("reserved", "EOS and UNK are words.", "EOS_ and UNK_ are words"),
]


@pytest.mark.parametrize(("_treatment", "sentence", "expected"), VISIBLE)
def test_visible_behaviour_of_table_1(_treatment: str, sentence: str, expected: str) -> None:
    pipeline = TextPipeline(SETTINGS, DICTIONARY)
    assert pipeline(sentence) == expected.split()


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The ferry wasn't ours, it's theirs.", "The ferry wasn't ours , it's theirs"),
        ("In today's soup we found hair.", "In today s soup we found hair"),
        ("Ada Lovelace loved ice cream.", "Ada Lovelace loved ice cream"),
        ("The 3rd bell rang.", "The three rd bell rang"),
        ("We met Mr. Bell in York. He waved.", "We met Mr. Bell in York . He waved"),
    ],
)
def test_without_a_dictionary(sentence: str, expected: str) -> None:
    assert TextPipeline(SETTINGS, None)(sentence) == expected.split()


@pytest.mark.parametrize(
    ("sentence", "step"),
    [
        ("Der Bahnhof wurde im Winter wegen der Brücke geschlossen.", "language"),
        ("", "blank"),
        (" \t\n", "blank"),
        ("\ud800\x00", "ascii"),
        ("| \\ |", "markup"),
        ("# * @", "punctuation"),
        (".", "final_stop"),
        ("word " * 10_000, "length"),
    ],
)
def test_dropped_sentence_is_counted_where_it_fell(sentence: str, step: str) -> None:
    pipeline = TextPipeline(SETTINGS, None)
    assert pipeline(sentence) is None
    dropped = [name for name, counts in pipeline.counts.items() if counts.dropped]
    assert dropped == [step]


@pytest.mark.parametrize(("num_words", "kept"), [(4, True), (5, False)])
def test_longest_sentence_leaves_room_for_the_end_mark(num_words: int, kept: bool) -> None:
    pipeline = TextPipeline(replace(SETTINGS, max_words=5), None)
    assert (pipeline("dog " * num_words) is not None) is kept


def test_counts_follow_a_page_of_sentences() -> None:
    pipeline = TextPipeline(SETTINGS, DICTIONARY)
    for sentence in ["It wasn't Ada Lovelace", "7 caf\u00e9s", "?", "Plain words here"]:
        assert pipeline(sentence)
    assert pipeline(".") is None
    table = pipeline.count_table()
    assert table["contractions"] == {"in": 5, "changed": 1, "dropped": 0}
    assert table["phrases"] == {"in": 5, "changed": 1, "dropped": 0}
    assert table["digits"] == {"in": 5, "changed": 1, "dropped": 0}
    assert table["ascii"] == {"in": 5, "changed": 1, "dropped": 0}
    assert table["final_stop"] == {"in": 5, "changed": 0, "dropped": 1}
    assert table["length"] == {"in": 4, "changed": 0, "dropped": 0}


def test_steps_are_counted_in_their_order() -> None:
    names = "blank language ascii markup tokenize contractions possessives hyphens punctuation"
    names += " phrases digits final_stop corrections reserved_words length"
    assert list(TextPipeline(SETTINGS, None).counts) == names.split()


def test_spelling_table_is_applied_to_finished_tokens(tmp_path: Path) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("three\tmany\nteh\tEOS\n", encoding="utf-8")
    pipeline = TextPipeline(replace(SETTINGS, corrections=str(table)), None)
    assert pipeline("I saw 3 of teh dogs") == ["I", "saw", "many", "of", "EOS_", "dogs"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"language_threshold": 1.5}, "text.language_threshold: wanted .* got 1.5"),
        ({"language_threshold": float("nan")}, "text.language_threshold: .* got nan"),
        ({"max_words": 1}, "text.max_words: wanted 2 or more, got 1"),
    ],
)
def test_bad_setting_is_named(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SETTINGS, **change)  # type: ignore[arg-type]


def _is_token(token: str) -> bool:
    return bool(token) and all("!" <= character <= "~" for character in token)


_WORDS = ["can't", "it's", "U.S.", "7.5", "1,000", "x-y", '"Yes."', "New York", "...", "``", "é"]
_TEXTS = st.one_of(
    st.text(st.characters(codec=None)),
    st.text(alphabet="aB1 .,'\"-`!?()[]|&$@_/\n\u2014\u4e2d\U0001f600\ud800"),
    st.lists(st.sampled_from(_WORDS)).map(" ".join),
)
_PIPELINES = [TextPipeline(replace(SETTINGS, max_words=10**6), d) for d in (None, DICTIONARY)]


@pytest.mark.parametrize("pipeline", _PIPELINES, ids=["without dictionary", "with dictionary"])
@settings(deadline=None)
@given(text=_TEXTS)
def test_any_text_gives_tokens_or_nothing(pipeline: TextPipeline, text: str) -> None:
    tokens = pipeline(text)
    assert tokens is None or (tokens and all(map(_is_token, tokens)))
    assert pipeline(text) == tokens
    if tokens and pipeline is _PIPELINES[0]:
        assert not any(character.isdigit() for token in tokens for character in token)
        assert tokens[-1] != "."


@pytest.mark.parametrize(("_treatment", "sentence", "expected"), VISIBLE)
def test_prepared_sentence_is_prepared_to_itself(
    _treatment: str, sentence: str, expected: str
) -> None:
    pipeline = TextPipeline(replace(SETTINGS, language_threshold=0.0), DICTIONARY)
    once = pipeline(sentence)
    assert once is not None
    assert pipeline(" ".join(once).replace("_", " ")) == pipeline(expected.replace("_", " "))


@pytest.mark.data
def test_news_lines_keep_the_promises() -> None:
    path = Path(os.environ.get("RRNN_DATA", "")) / "news_train.en.txt.xz"
    if "RRNN_DATA" not in os.environ or not path.is_file():
        pytest.skip("RRNN_DATA names no folder with news_train.en.txt.xz")
    pipeline = TextPipeline(SETTINGS, None)
    with lzma.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        results = [pipeline(line) for line in islice(lines, 2000)]
    kept = [tokens for tokens in results if tokens is not None]
    assert len(kept) > 1900
    assert all(_is_token(token) for tokens in kept for token in tokens)
    assert all(len(tokens) < SETTINGS.max_words and tokens[-1] != "." for tokens in kept)
    assert pipeline.counts["language"].dropped < 20
    assert pipeline.counts["final_stop"].changed > 1800
