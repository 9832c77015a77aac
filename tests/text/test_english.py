from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from rrnn_lit.text.english import are_surely_english
from rrnn_lit.text.language import are_other_languages, ask_library

IDENTIFIER = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
ENGLISH = "The station was closed in winter because the bridge was no longer safe."
_WORDS = "the bridge was closed today because It's 1,000.50 (safe) Peru's and of a"
_OTHERS = (
    "la gare est fermée der Bahnhof wurde geschlossen мост 你好 naïve \ud800 \x00 \U0001f600 de"
)
_MIXED = st.lists(st.sampled_from([*_WORDS.split(), *_OTHERS.split(" ")]), max_size=30)
_TEXTS = st.one_of(
    _MIXED.map(" ".join),
    st.lists(st.sampled_from(_WORDS.split()), max_size=12).map(" ".join),
    st.text(max_size=60),
    st.text(alphabet="etaoin srhld", max_size=200),
    st.sampled_from(_WORDS.split() + _OTHERS.split()).map(lambda word: word * 90),
)


@settings(max_examples=60)
@given(texts=st.lists(_TEXTS, max_size=6), threshold=st.sampled_from([0.001, 0.2, 0.8, 0.99, 1.0]))
@example(texts=[ENGLISH.upper(), "", ENGLISH, "e\u0301te\u0301", ENGLISH], threshold=0.8)
def test_decisions_are_the_library_s(texts: list[str], threshold: float) -> None:
    decisions = ask_library(texts, threshold)
    assert are_other_languages(texts, threshold) == decisions
    sure = are_surely_english(texts, threshold, IDENTIFIER)
    assert not any(english and other for english, other in zip(sure, decisions, strict=True))


def test_plain_english_needs_no_library_and_the_rest_is_left_to_it() -> None:
    english = [ENGLISH, ENGLISH.upper(), "He said so, and then he left."]
    rest = ["", "La gare a été fermée en hiver.", ENGLISH * 100, "\x00"]
    sure = are_surely_english([*english, *rest, *english], 0.8, IDENTIFIER)
    assert sure == [True] * 3 + [False] * 4 + [True] * 3
    assert are_surely_english(rest, 0.8, IDENTIFIER) == [False] * 4
    assert are_surely_english([], 0.8, IDENTIFIER) == []


def _changed(**changes: object) -> SimpleNamespace:
    names = ("nb_ptc", "nb_pc", "nb_classes", "tk_nextmove", "tk_row", "tk_output")
    return _Hashable(**{name: getattr(IDENTIFIER, name) for name in names} | changes)


class _Hashable(SimpleNamespace):
    __hash__ = object.__hash__  # type: ignore[assignment]


def test_tables_as_they_are_suffice() -> None:
    assert are_surely_english([ENGLISH], 0.8, _changed()) == [True]


@pytest.mark.parametrize("change", ["languages", "weights", "automaton"])
def test_a_model_of_another_kind_is_left_to_the_library(change: str) -> None:
    # an automaton whose second state never forgets that it was entered
    moves = np.zeros((2, 256), np.uint32)
    moves[0, ord("a")] = 1
    moves[1] = 1
    changes = {
        "languages": {"nb_classes": ["xx"] * len(IDENTIFIER.nb_classes)},
        "weights": {"nb_pc": IDENTIFIER.nb_pc + 16},
        "automaton": {"tk_nextmove": moves.ravel(), "tk_row": [0, 1], "tk_output": [-1, 0]},
    }
    assert are_surely_english([ENGLISH], 0.8, _changed(**changes[change])) == [False]
