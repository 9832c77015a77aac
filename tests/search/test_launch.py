import pytest

from rrnn_lit.search.launch import choose_gpus, choose_threads


@pytest.mark.parametrize(
    ("text", "seen", "gpus"),
    [
        ("none", "0,1", ()),
        ("0,1", None, ("0", "1")),
        ("auto", "2, 3", ("2", "3")),
        ("auto", "GPU-abc", ("GPU-abc",)),
        ("auto", "", ()),
        ("auto", "-1", ()),
    ],
)
def test_gpus_are_those_asked_for_or_seen(
    monkeypatch: pytest.MonkeyPatch, text: str, seen: str | None, gpus: tuple[str, ...]
) -> None:
    if seen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
    assert choose_gpus(text) == gpus


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    assert [choose_threads(workers) for workers in (1, 2, 3, 16)] == [8, 4, 2, 1]
