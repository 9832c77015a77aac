"""Text and settings shared by the tests of `rrnn prepare`."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from rrnn_lit.data.prepare_config import (
    PrepareConfig,
    SourceSettings,
    SplitSettings,
    WordSettings,
)
from rrnn_lit.data.progress import StageProgress
from rrnn_lit.data.sources import raw
from rrnn_lit.text.pipeline import TextSettings

WHO = ["The old miller", "My aunt", "Anna's dog", "A tired clerk", "The well-known baker", "He"]
DID = ["didn't see", "bought", "lost", "painted", "sold", "dreamt of", "can't find", "hid"]
WHAT = ["12 red boats", "a small house", "two maps", "the river", "some bread", "5 clocks"]
WHEN = ["yesterday.", "in May.", "before noon!", "at the fair.", "once again.", "for us?"]


def sentences(seed: int, number: int) -> list[str]:
    generator = np.random.default_rng(seed)
    picks = generator.integers(0, 6, (number, 4))
    return [f"{WHO[a]} {DID[b]} {WHAT[c]} {WHEN[d]}" for a, b, c, d in picks.tolist()]


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(sentences(0, 600)) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "LINES_PER_SHARD", 100)


@pytest.fixture
def tiny_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many that every stage uses several processes."""
    monkeypatch.setattr(raw, "LINES_PER_SHARD", 25)


def make_config(
    out: Path,
    files: list[Path],
    processes: int = 1,
    overwrite: bool = False,
    max_words: int = 20,
    max_sentences: int | None = None,
    cap: int = 1000,
    **words: object,
) -> PrepareConfig:
    values: dict[str, object] = {
        "vectors": None,
        "word_dim": 8,
        "dictionary": "corpus",
        "scaling": "whiten",
        "std": 0.05,
        "seed": 1,
        "word_list": None,
        "min_count": 2,
        "epochs": 1,
        "window": 2,
        "negative": 2,
        "sample": 0.0,
        "algorithm": "cbow",
        "separation": "none",
        "separation_threshold": 0.5,
    }
    return PrepareConfig(
        SourceSettings("files", [str(file) for file in files], [], "", None, max_sentences),
        TextSettings("treebank", 0.0, None, max_words),
        WordSettings(**(values | words)),  # type: ignore[arg-type]  # checked by the class
        SplitSettings(0.1, 0.1, 0.1, cap),
        str(out),
        processes,
        overwrite,
    )


def silent() -> StageProgress:
    return StageProgress(Console(file=io.StringIO()))


def content(folder: Path) -> dict[str, bytes]:
    """Every file that the manifest stands for, and the manifest."""
    return {
        path.name: path.read_bytes() for path in folder.iterdir() if path.name != "timing.json"
    }
