"""`rrnn prepare` with workers that are killed, a scheduler that goes and a disk that fills up."""

import contextlib
import hashlib
import logging
import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rrnn_lit.bench.faults.limits import file_size_limit
from rrnn_lit.data import dask_workers, prepare_cli
from rrnn_lit.data.prepare import prepare
from rrnn_lit.data.prepare_config import PrepareConfig
from rrnn_lit.data.progress import StageProgress
from rrnn_lit.data.sources import raw
from tests.data.conftest import WHAT, WHEN, WHO, content, make_config, silent

NUM_LINES, LINES_PER_SHARD = 6_000, 40
EVERY = 60  # shards, of any stage, between two kills: every second or so
Got = Callable[[str], None]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Text with duplicates, and vectors of its words."""
    folder = tmp_path_factory.mktemp("inputs")
    generator = np.random.default_rng(0)
    picks = generator.integers(0, 6, (NUM_LINES, 3)).tolist()
    numbers = generator.integers(0, 5_000, NUM_LINES).tolist()
    lines = [
        f"{WHO[a]} saw {WHAT[b]} and {number} more {WHEN[c]}"
        for (a, b, c), number in zip(picks, numbers, strict=True)
    ]
    (folder / "text.txt").write_text("\n".join(lines) + "\n")
    words = sorted({word.strip(".!?") for line in lines for word in line.split(" ")} | {"twelve"})
    rows = generator.standard_normal((len(words), 8)).round(3).tolist()
    content = [f"{word} {' '.join(map(str, r))}" for word, r in zip(words, rows, strict=True)]
    (folder / "vectors.txt").write_text("\n".join([f"{len(words)} 8", *content, ""]))
    return folder / "text.txt", folder / "vectors.txt"


@pytest.fixture(autouse=True)
def _many_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "LINES_PER_SHARD", LINES_PER_SHARD)


@pytest.fixture(scope="module")
def truth(inputs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a plain loop writes that nobody disturbs."""
    out = tmp_path_factory.mktemp("truth") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw, "LINES_PER_SHARD", LINES_PER_SHARD)
        prepare(config_of(inputs, out), silent())
    return content(out)


def config_of(
    inputs: tuple[Path, Path], out: Path, processes: int = 1, scheduler: str | None = None
) -> PrepareConfig:
    text, vectors = inputs
    config = make_config(out, [text], processes, vectors=str(vectors))
    return PrepareConfig(**{**config.__dict__, "scheduler": scheduler})


class Disturbed(StageProgress):
    """Does something after every so many shards."""

    def __init__(self, disturb: Callable[[], None], every: int = EVERY) -> None:
        self.__dict__.update(silent().__dict__)
        self.calls, self._disturb, self._every = 0, disturb, every

    def advance(self, amount: int, reused: bool = False) -> None:
        super().advance(amount, reused)
        self.calls += 1
        if self.calls % self._every == 0:
            self._disturb()


class Killer:
    """Kills one of some processes.

    Args:
        pids: asked each time for those that live.
    """

    def __init__(self, pids: Callable[[], list[int]]) -> None:
        self.kills, self._pids, self._random = 0, pids, random.Random(0)

    def __call__(self) -> None:
        pids = self._pids()
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._random.choice(pids), signal.SIGKILL)
                self.kills += 1


def differing_bytes(found: dict[str, bytes], wanted: dict[str, bytes]) -> int:
    """Count the bytes in which files differ; one that only one of them has differs whole."""
    total = 0
    for name in found.keys() | wanted.keys():
        first, second = found.get(name, b""), wanted.get(name, b"")
        if hashlib.sha256(first).digest() != hashlib.sha256(second).digest():
            total += abs(len(first) - len(second))
            total += sum(a != b for a, b in zip(first, second, strict=False))
    return total


def local_workers() -> list[int]:
    return [child.pid for child in multiprocessing.active_children() if child.pid]


@contextlib.contextmanager
def cluster() -> Iterator[Any]:
    """Two worker processes and their scheduler, which say nothing."""
    from distributed import LocalCluster

    logger = logging.getLogger("distributed")
    level, variables = logger.level, dict(os.environ)
    make: Any = LocalCluster  # has no types
    try:
        with make(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as found:
            yield found
    finally:
        logger.setLevel(level)
        for name in os.environ.keys() - variables.keys():
            del os.environ[name]  # Dask's, for its workers


@pytest.mark.promise(29)
@pytest.mark.timeout(200)
def test_killed_workers_change_no_byte(
    tmp_path: Path, inputs: tuple[Path, Path], truth: dict[str, bytes], got: Got
) -> None:
    in_processes = Killer(local_workers)
    prepare(config_of(inputs, tmp_path / "processes", processes=2), Disturbed(in_processes))
    differ = differing_bytes(content(tmp_path / "processes"), truth)
    with cluster() as dask:
        on_dask = Killer(lambda: [n.pid for n in dask.workers.values() if n.pid])
        config = config_of(inputs, tmp_path / "dask", scheduler=dask.scheduler_address)
        prepare(config, Disturbed(on_dask))
    differ += differing_bytes(content(tmp_path / "dask"), truth)
    got(
        f"{differ} bytes differ (plain, processes with {in_processes.kills} kills, Dask with "
        f"{on_dask.kills})"
    )
    assert differ == 0
    assert min(in_processes.kills, on_dask.kills) >= 5
    assert not local_workers()


@pytest.mark.promise(29)
@pytest.mark.timeout(120)
def test_a_lost_scheduler_is_said_and_the_next_start_goes_on(
    tmp_path: Path,
    inputs: tuple[Path, Path],
    truth: dict[str, bytes],
    got: Got,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dask_workers, "_PATIENCE_S", 5.0)  # it may come back so long
    with cluster() as dask:
        config = config_of(inputs, tmp_path / "out", scheduler=dask.scheduler_address)
        with pytest.raises(ConnectionError, match="scheduler: .* is gone .* start again"):
            prepare(config, Disturbed(dask.close, NUM_LINES // LINES_PER_SHARD + 80))
    kept = len(list(tmp_path.glob("out/.work/*/text/*.json")))
    prepare(config_of(inputs, tmp_path / "out"), silent())
    differ = differing_bytes(content(tmp_path / "out"), truth)
    got(f"{differ} after a lost scheduler ({kept} shards kept)")
    assert differ == 0
    assert kept >= 40


@pytest.mark.promise(29)
@pytest.mark.timeout(120)
def test_a_full_disk_is_74_with_the_file_and_the_next_start_goes_on(
    tmp_path: Path,
    inputs: tuple[Path, Path],
    truth: dict[str, bytes],
    got: Got,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = {1_500: "/raw/", 30_000: "known_words|raw_firsts|ranges", 200_000: "train"}
    differ = 0
    for limit, name in limits.items():
        out = tmp_path / str(limit)
        config = config_of(inputs, out, processes=2 if name == "/raw/" else 1)
        monkeypatch.setattr(prepare_cli, "parse", lambda _, config=config: config)
        with file_size_limit(limit):
            assert prepare_cli.main([]) == 74
        message = capsys.readouterr().err
        assert any(f"{part}" in message for part in name.split("|")), message
        assert not (out / "manifest.json").exists()
        prepare(config_of(inputs, out), silent())
        differ += differing_bytes(content(out), truth)
    got(f"{differ} after {len(limits)} full disks")
    assert differ == 0
