from typing import Any

import pytest
import yaml

from rrnn_lit.search.yaml_text import put_options

TEXT = """\
# header
seed: 1  # one
model:
  lr: 4.2e-5     # paper
  sizes: [1, 2]  # two
  inner:
    deep: x
tail: end
"""


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"seed": 2}, "seed: 2  # m\n"),
        ({"model.lr": 1e-5}, "  lr: 1.0e-05  # m\n"),
        ({"model.sizes": [3]}, "  sizes: [3]  # m\n"),
        ({"model.inner.deep": None}, "    deep: null  # m\n"),
        ({"model.new": True}, "  new: true  # m\n  lr: 4.2e-5     # paper\n"),
        ({"model.other.name": "a b"}, "  other: {name: a b}  # m\n"),
        ({"fresh.name": 1, "fresh.next": 2}, "# m\nfresh:\n  name: 1\n  next: 2\n"),
    ],
)
def test_a_value_changes_and_the_other_lines_stay(options: dict[str, Any], line: str) -> None:
    text = put_options(TEXT, options, "m")
    assert line in text
    untouched = [old for old in TEXT.splitlines() if old.split(":")[0].strip() not in str(options)]
    assert set(untouched) <= set(text.splitlines())
    for option, value in options.items():
        held = yaml.safe_load(text)
        for name in option.split("."):
            held = held[name]
        assert held == value


@pytest.mark.parametrize(
    "text", ["model: {lr: 1}\n", "model: {}\n", "{model: {lr: 1}}", "model: &a\n  lr: 1\nb: *a\n"]
)
def test_other_layouts_come_out_right(text: str) -> None:
    held = yaml.safe_load(put_options(text, {"model.lr": 2, "model.new": "x"}, "m"))
    assert held["model"] == {"lr": 2, "new": "x"}


@pytest.mark.parametrize("text", ["", "- 1", "a: [", "3", "a: {b: 1}", "a.b: 1"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="wanted"):
        put_options(text, {"a.b": 1, "a.b.c": 2}, "m")
