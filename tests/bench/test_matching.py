import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rrnn_lit.bench.ceilings import Ceilings
from rrnn_lit.bench.match_data import Predictions
from rrnn_lit.bench.matching import MatchOptions, count_wrong, run
from rrnn_lit.bench.result import Row

TINY = MatchOptions(rows=6, vocab_size=100, word_dim=8, input_sets=2, repeats=1)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with pytest.MonkeyPatch.context() as patch:
        machine = Ceilings({"fp32": 1e9, "bf16": 1e9, "int8": 2e9}, 1e9, 0)
        patch.setattr("rrnn_lit.bench.matching.measure_ceilings", lambda device: machine)
        patch.setitem(sys.modules, "gensim.models", None)
        options = replace(TINY, peers="ours,naive,chunked,gensim")
        return run(options)


def test_a_wrong_answer_is_counted_row_by_row() -> None:
    truth = [torch.tensor([True, False, True, True])]
    given = [Predictions(torch.zeros(4, 2), torch.arange(4))]
    assert count_wrong(lambda g, m: truth[0], given, truth, 0.0) == 0
    assert count_wrong(lambda g, m: ~truth[0], given, truth, 0.0) == 4
    assert count_wrong(lambda g, m: g.target_ids_N >= 0, given, truth, 0.0) == 1


def test_a_peer_that_answers_some_rows_is_judged_by_these() -> None:
    truth = [torch.tensor([True, False, True])]
    given = [Predictions(torch.zeros(2, 2), torch.arange(2))]
    assert count_wrong(lambda g, m: torch.tensor([True, True]), given, truth, 0.0) == 1


def test_each_kind_of_predictions_has_rows_of_its_own(rows: list[Row]) -> None:
    ours = [row.sizes for row in rows if row.peer == "ours"]
    assert [sizes["margin_percent"] for sizes in ours] == [0, 0, 0, 20]
    assert [sizes["matched_percent"] for sizes in ours][2] == 100
    assert {row.case for row in rows} == {"match"}


def test_ours_is_right_in_every_row_in_every_precision(rows: list[Row]) -> None:
    ours = [row for row in rows if row.peer.startswith("ours") and row.seconds is not None]
    assert len(ours) >= 11
    assert {row.correct for row in ours} == {"0 of 12 rows wrong"}


def test_times_ours_is_relative_to_the_same_predictions(rows: list[Row]) -> None:
    for ours in (row for row in rows if row.peer == "ours"):
        for row in rows:
            if row.sizes == ours.sizes and row.seconds is not None:
                assert row.times_ours == pytest.approx(row.seconds / (ours.seconds or 0))


def test_the_floor_is_that_of_the_peers_number_format(rows: list[Row]) -> None:
    row = next(row for row in rows if row.peer == "naive matmul + argmax fp32")
    # 2 * 6 * 100 * 8 operations at 1e9 a second, 3,200 bytes at 1e9 a second
    assert (row.floor_share or 0) * (row.seconds or 0) == pytest.approx(9.6e-6)


def test_a_missing_package_is_named(rows: list[Row]) -> None:
    absent = [row for row in rows if row.peer == "gensim most_similar"]
    assert [row.seconds for row in absent] == [None] * 4
    assert all("ModuleNotFoundError" in row.note for row in absent)


def test_with_a_margin_those_that_return_a_word_are_named_as_absent(rows: list[Row]) -> None:
    with_margin = {r.peer: r for r in rows if r.sizes["margin_percent"]}
    assert with_margin["chunked amax fp32"].seconds is not None
    assert with_margin["naive matmul + argmax fp32"].seconds is None
    assert "lead" in with_margin["naive matmul + argmax fp32"].note


@pytest.mark.usefixtures("made_up_ceilings")
def test_a_folders_dictionary_takes_the_place_of_the_made_up_one(prepared_folder: Path) -> None:
    options = MatchOptions(
        rows=4, folder=str(prepared_folder), kind="matched", repeats=1, peers="naive"
    )
    sizes = run(options)[0].sizes
    assert (sizes["vocab_size"], sizes["word_dim"]) == (71, 16)


@pytest.mark.usefixtures("made_up_ceilings")
def test_times_of_few_rows_are_scaled_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "rrnn_lit.bench.matching.time_peers", lambda calls, *_: dict.fromkeys(calls, 1.0)
    )
    options = MatchOptions(
        rows=80, vocab_size=100, word_dim=8, kind="mixed", input_sets=1, peers="gensim"
    )
    found = {row.peer: row.times_ours for row in run(options)}
    assert found == {"ours": 1.0, "gensim most_similar": 10.0}


@pytest.mark.parametrize("name", ["rows", "vocab_size", "word_dim", "input_sets", "repeats"])
def test_sizes_below_the_least_are_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"--{name}: wanted a number of at least .*, got 0"):
        replace(TINY, **{name: 0})  # type: ignore[arg-type]
