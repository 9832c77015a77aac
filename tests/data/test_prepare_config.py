from dataclasses import replace
from pathlib import Path

import pytest

from rrnn_lit.data.prepare_config import SourceSettings, SplitSettings
from tests.data.conftest import make_config

CONFIG = make_config(Path("out"), [Path("text.txt")])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"word_dim": 0}, "words.word_dim: wanted 1 or more, got 0"),
        ({"min_count": 0}, "words.min_count: wanted 1 or more"),
        ({"epochs": 0}, "words.epochs"),
        ({"window": 0}, "words.window"),
        ({"negative": 0}, "words.negative"),
        ({"seed": -1}, "words.seed: wanted 0 or more"),
        ({"seed": 2**32}, "words.seed: wanted at most 4294967295"),
        ({"window": 5 * 10**9}, "words.window: wanted at most 10000"),
        ({"negative": 10**30}, "words.negative: wanted at most 10000"),
        ({"std": 0.0}, "words.std: wanted a number above 0"),
        ({"sample": 1.0}, r"words.sample: wanted a share in \[0, 1\)"),
        ({"dictionary": "full"}, "words.dictionary: wanted corpus, since vectors are trained"),
        ({"separation": "some"}, "words.separation: wanted none, groups or all, got 'some'"),
        (
            {"separation_threshold": 1.5},
            r"words.separation_threshold: wanted a cosine in \[0, 1\)",
        ),
        ({"vectors": "a.bin", "word_list": "w.txt"}, "words.word_list: wanted null beside"),
    ],
)
def test_bad_word_settings_name_the_option(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(CONFIG.words, **change)  # type: ignore[arg-type]  # parametrised


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ((0.0, 0.1, 0.1, 10), "splits.tune: wanted a share above 0"),
        ((0.1, 1.0, 0.1, 10), "splits.test: wanted a share above 0"),
        ((0.4, 0.4, 0.2, 10), "splits: wanted shares .* that leave a train"),
        ((0.1, 0.1, 0.1, 0), "splits.max_sentences: wanted 1 or more"),
    ],
)
def test_bad_shares_name_the_option(shares: tuple[float, float, float, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SplitSettings(*shares)


def test_bad_sources_name_the_option() -> None:
    with pytest.raises(ValueError, match="source.files: wanted at least one file"):
        SourceSettings("files", [], [], "", None, None)
    with pytest.raises(ValueError, match="source.years: wanted years from 2007 to 2017"):
        SourceSettings("wmt", [], [2018], "x", None, None)
    with pytest.raises(ValueError, match="source.max_sentences: wanted 1 or more"):
        SourceSettings("docstrings", [], [], "", None, 0)


def test_bad_out_and_processes_name_the_option() -> None:
    with pytest.raises(ValueError, match="out: wanted a folder"):
        replace(CONFIG, out="")
    with pytest.raises(ValueError, match="processes: wanted 1 or more, got 0"):
        replace(CONFIG, processes=0)


def test_the_record_holds_what_decides_the_result_and_no_path() -> None:
    words = replace(CONFIG.words, vectors="/home/someone/vectors.bin")
    one = replace(CONFIG, words=words, out="a", processes=1)
    two = replace(CONFIG, words=replace(words, vectors="other/vectors.bin"), out="b", processes=2)
    assert one.recorded() == two.recorded()
    assert "/" not in str(one.recorded())
    assert replace(one, words=replace(words, seed=2)).recorded() != one.recorded()


def test_the_record_without_separation_is_as_before_there_was_any() -> None:
    words = CONFIG.recorded()["words"]
    assert [name for name in words if "separation" in name] == []
    separate = replace(CONFIG, words=replace(CONFIG.words, separation="groups"))
    added = {"separation": "groups", "separation_threshold": 0.5}
    assert separate.recorded()["words"] == {**words, **added}
