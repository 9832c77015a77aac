import gc
import itertools

import pytest

from rrnn_lit.bench.timing import time_peers


def test_every_round_runs_each_peer_once_and_begins_with_another() -> None:
    calls: list[tuple[str, int]] = []
    peers = {name: lambda k, n=name: calls.append((n, k)) for name in "abc"}
    time_peers(peers, repeats=4)
    assert calls[:3] == [("a", 0), ("b", 0), ("c", 0)]  # not timed
    rounds = [calls[3 + 3 * k : 6 + 3 * k] for k in range(4)]
    assert ["".join(n for n, _ in r) for r in rounds] == ["abc", "bca", "cab", "abc"]
    assert [{k for _, k in r} for r in rounds] == [{0}, {1}, {2}, {3}]


def test_a_time_is_the_median_of_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    durations = iter([5.0, 1.0, 3.0])
    steps = itertools.chain.from_iterable((0.0, d) for d in durations)
    monkeypatch.setattr("time.perf_counter", lambda: next(steps))
    assert time_peers({"a": lambda k: None}, repeats=3) == {"a": 3.0}


def test_no_garbage_is_collected_while_timing_and_collection_is_back_after_an_error() -> None:
    seen = []

    def call(round_number: int) -> None:
        seen.append(gc.isenabled())
        if len(seen) == 3:
            raise KeyError

    with pytest.raises(KeyError):
        time_peers({"a": call}, repeats=5)
    assert seen == [True, False, False]
    assert gc.isenabled()
