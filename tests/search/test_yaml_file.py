from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rrnn_lit.search.study_file import read_study
from rrnn_lit.search.yaml_file import read_config_yaml, read_study_yaml
from tests.search.studies import define, write_study


@pytest.mark.parametrize(
    ("line", "got"),
    [
        ("seed: !!bool abc", "'abc', which is no bool"),
        ("seed: !!int abc", "'abc', which is no int"),
        ("seed: !!int ''", "'', which is no int"),
        ("seed: !!float abc", "'abc', which is no float"),
        ("seed: !!timestamp 2020-13-45", "'2020-13-45', which is no timestamp"),
        ("seed: !!timestamp abc", "'abc', which is no timestamp"),
        (f"seed: {'1' * 5000}", f"'{'1' * 40}', which is no int"),
    ],
)
def test_a_value_that_yaml_cannot_make_is_named_by_its_line(
    tmp_path: Path, line: str, got: str
) -> None:
    path = write_study(tmp_path, f"\n{line}")
    number = 2 + line.count("\n")
    with pytest.raises(ValueError, match=f"{path}, line {number}: wanted YAML, got: {got}$"):
        read_study(path)


def test_a_base_whose_name_is_too_long_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="base: wanted a config file, got 'x{100}': File name"):
        define(tmp_path, base="x" * 5000)


@pytest.mark.parametrize("read", [read_study_yaml, read_config_yaml])
def test_aliases_are_taken_but_not_those_that_fill_the_memory(
    tmp_path: Path, read: Callable[[Path], dict[str, Any]]
) -> None:
    path = tmp_path / "aliases.yaml"
    path.write_text("a: &a {b: [1, 2]}\nc: *a\n", encoding="utf-8")
    assert read(path) == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}
    lines = ["x0: &x0 [1, 2]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 30)]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ValueError, match="wanted at most 100000 values, got aliases for more"):
        read(path)
    path.write_text("a: &a [*a]\n", encoding="utf-8")
    with pytest.raises(ValueError, match="got aliases for more"):
        read(path)
