from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit.evaluation.compare_file import read_comparison

BASE = {"trainer": {"max_steps": 9, "precision": "32-true"}, "model": {"hidden_size": 8}}
CONTENT: dict[str, Any] = {
    "base": "base.yaml",
    "overrides": {"model.hidden_size": 16, "data.batch_size": 4},
    "budget": {"steps": 100},
    "variants": {
        "ours": {"group": "baseline"},
        "gru": {
            "label": "GRU",
            "group": "baseline",
            "options": {"model.cell": "gru", "model.hidden_size": 12},
        },
    },
}


def write(folder: Path, changes: dict[str, Any] | None = None) -> Path:
    (folder / "base.yaml").write_text(yaml.safe_dump(BASE), encoding="utf-8")
    path = folder / "compare_toy.yaml"
    path.write_text(yaml.safe_dump({**CONTENT, **(changes or {})}, sort_keys=False), "utf-8")
    return path


def test_options_come_from_base_file_variant_and_command_line(tmp_path: Path) -> None:
    comparison = read_comparison(write(tmp_path), {"data.folder": "words"})
    assert (comparison.name, comparison.steps, comparison.seconds) == ("compare_toy", 100, None)
    ours, gru = comparison.variants
    assert (ours.name, ours.label, gru.label, gru.group) == ("ours", "ours", "GRU", "baseline")
    assert ours.options["model"] == {"hidden_size": 16}
    assert gru.options["model"] == {"hidden_size": 12, "cell": "gru"}
    for variant in comparison.variants:
        assert variant.options["data"] == {"batch_size": 4, "folder": "words"}
        assert variant.options["trainer"] == {
            "max_steps": 100,
            "max_time": None,
            "precision": "32-true",
            "enable_progress_bar": False,
        }


def test_a_budget_of_seconds_ends_a_training_too(tmp_path: Path) -> None:
    path = write(tmp_path, {"budget": {"steps": 100, "seconds": 30}})
    comparison = read_comparison(path, {})
    assert comparison.seconds == 30
    assert comparison.variants[0].options["trainer"]["max_time"] == {"seconds": 30}


def variants(**changes: Any) -> dict[str, Any]:
    return {"variants": {"a": {"group": "baseline", **changes}}}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"bse": 1}, "bse: wanted one of base, overrides, budget, variants"),
        ({"base": "nowhere.yaml"}, "base: wanted a YAML file, got 'nowhere.yaml'"),
        ({"budget": {}}, "budget.steps: wanted a value, got none"),
        ({"budget": {"steps": 0}}, "budget.steps: wanted a whole number of at least 1, got 0"),
        (
            {"budget": {"steps": 1, "seconds": -1}},
            "budget.seconds: wanted seconds above 0 or null, got -1",
        ),
        ({"variants": {}}, "variants: wanted at least one, got none"),
        ({"variants": {"a/b": {}}}, "variants: wanted names of letters, .* got 'a/b'"),
        ({"variants": {"a": 3}}, "variants.a: wanted names with values, got 3"),
        (variants(group="x"), "variants.a.group: wanted baseline or ablation, got 'x'"),
        (variants(label="x|y"), "variants.a.label: wanted one line of text"),
        (variants(option={}), "variants.a.option: wanted one of label, group, options"),
        (
            variants(options={"trainer.max_steps": 3}),
            r"variants.a.options.trainer.max_steps: not to be set here: it is budget.steps",
        ),
        ({"overrides": {"run.folder": "x"}}, "overrides.run.folder: not to be set here"),
        ({"overrides": {"--x": 1}}, "overrides: wanted dotted options, got '--x'"),
        ({"overrides": {"model.hidden_size.x": 1}}, "model.hidden_size.x: wanted an option"),
    ],
)
def test_a_mistake_names_file_and_key(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=rf"compare_toy\.yaml: {text}"):
        read_comparison(write(tmp_path, changes), {})


def test_a_missing_file_and_a_repeated_key_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="FILE: wanted a YAML file"):
        read_comparison(tmp_path / "none.yaml", {})
    path = write(tmp_path)
    path.write_text("base: a\nbase: b\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2: wanted every option once, got base again"):
        read_comparison(path, {})
