"""Odd values in the shipped YAML files: they are read, or refused by file and key."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rrnn_lit.data.prepare_cli import parse
from rrnn_lit.evaluation.compare_file import read_comparison
from rrnn_lit.search.space import extremes
from rrnn_lit.search.study_file import from_json, read_study, to_json
from tests.faults.spoiling import (
    EDITS,
    SEEDS,
    Edit,
    attempt,
    deep_json,
    spoil,
    spoil_tree,
    yaml_bytes,
)

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(300)]  # a busy machine

ROOT = Path(__file__).parents[2]
FOR_WANDB = Path("sweeps", "wandb_paper_random.yaml")  # for W&B's own agent
Read = Callable[[Path], None]


def study(path: Path) -> None:
    """Read a study as a worker does, also back from the storage."""
    definition = read_study(path, "study")
    assert from_json(to_json(definition)) == definition
    assert extremes(definition.space)


def comparison(path: Path) -> None:
    """Read a comparison as `rrnn compare` does."""
    assert read_comparison(path, {}).variants


def preparation(path: Path) -> None:
    """Read the options of `rrnn prepare`, which must be ready to be recorded."""
    json.dumps(parse(["--config", str(path)]).recorded())


READERS: dict[str, tuple[Read, list[Path]]] = {
    "study": (study, sorted(set(ROOT.glob("sweeps/*.yaml")) - {ROOT / FOR_WANDB})),
    "comparison": (comparison, sorted(ROOT.glob("configs/compare_*.yaml"))),
    "preparation": (preparation, sorted(ROOT.glob("configs/prepare*.yaml"))),
}
CASES = [(kind, path) for kind, (_, paths) in READERS.items() for path in paths]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder beside copies of all configs, where the files find their base."""
    folder = tmp_path_factory.mktemp("yaml")
    for name in ("configs", "sweeps"):
        (folder / name).mkdir()
        for path in ROOT.glob(f"{name}/*.yaml"):
            (folder / name / path.name).write_bytes(path.read_bytes())
    return folder / "sweeps" / "odd.yaml"


def read_or_named(kind: str, path: Path, keys: list[str]) -> bool:
    """Return whether a file was read; a refusal must be one line that names the file or a key."""
    text = attempt(lambda: READERS[kind][0](path))[1]
    assert not text or str(path) in text or any(key in text for key in keys), text
    return not text


def keys_of(tree: Any) -> list[str]:
    """Return every name in a tree, and how an empty name is shown."""
    names, left = ['""'], [tree]
    while left:
        inner = left.pop()
        if isinstance(inner, dict):
            names += [str(key) for key in inner if str(key).strip()]
        left += (
            inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ()
        )
    return names


@pytest.mark.parametrize(("kind", "path"), CASES, ids=lambda value: getattr(value, "stem", value))
def test_the_shipped_file_is_read(kind: str, path: Path) -> None:
    assert read_or_named(kind, path, [])


@pytest.mark.parametrize(
    ("kind", "examples"), [("study", 500), ("comparison", 150), ("preparation", 200)]
)
def test_odd_values_are_read_or_refused_by_name(kind: str, examples: int, place: Path) -> None:
    trees = [yaml.safe_load(path.read_text()) for path in READERS[kind][1]]
    read = [0]

    @settings(max_examples=examples)
    @given(number=st.integers(0, len(trees) - 1), seed=SEEDS)
    def check(number: int, seed: int) -> None:
        tree = spoil_tree(trees[number], seed)
        place.write_bytes(yaml_bytes(tree))
        read[0] += read_or_named(kind, place, [*keys_of(tree), *keys_of(trees[number])])

    check()
    assert 0 < read[0] < examples  # some odd values mean something, most do not


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=100)
@given(number=st.integers(0, 100), edits=EDITS)
def test_odd_bytes_are_read_or_refused_by_name(
    kind: str, place: Path, number: int, edits: list[Edit]
) -> None:
    paths = READERS[kind][1]
    content = paths[number % len(paths)].read_bytes()
    place.write_bytes(spoil(content, edits))
    read_or_named(kind, place, keys_of(yaml.safe_load(content)))


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"3", b"null", b"? [a]\n: 1\n", deep_json()]
)
@pytest.mark.parametrize("kind", READERS)
def test_yaml_of_something_else_is_refused_by_its_name(
    kind: str, content: bytes, place: Path
) -> None:
    place.write_bytes(content)
    assert not read_or_named(kind, place, [])
