import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit.evaluation.compare_cli import check_variants, main
from rrnn_lit.evaluation.compare_file import read_comparison
from rrnn_lit.models.baselines import equal_parameter_size
from tests.training.compressing import compressor_config
from tests.training.tiny import tiny_config

CONFIGS = Path(__file__).parents[2] / "configs"
FILES = sorted(CONFIGS.glob("compare_*.yaml"))


def write(folder: Path, data: Path, options: dict[str, Any]) -> Path:
    base = tiny_config(data, folder / "unused", {"trainer.val_check_interval": 2})
    (folder / "base.yaml").write_text(yaml.safe_dump(base), encoding="utf-8")
    path = folder / "compare.yaml"
    content = {
        "base": "base.yaml",
        "budget": {"steps": 4},
        "variants": {
            "ours": {"group": "baseline"},
            "other": {"label": "the other", "group": "ablation", "options": options},
        },
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_two_variants_train_and_are_set_side_by_side(
    tmp_path: Path, prepared_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, prepared_folder, {"model.cell": "gru"})
    out = tmp_path / "out"
    assert main([str(path), "--out", str(out), "--only", "other"]) == 0
    content = json.loads((out / "results.json").read_text(encoding="utf-8"))
    [variant] = content["variants"]
    assert (variant["cell"], variant["steps"]) == ("gru", 4)
    assert [point["step"] for point in variant["curve"]] == [2, 4]
    printed = capsys.readouterr()
    assert "the other" in printed.out
    assert "[1/1] other: step 4" in printed.err
    assert "| the other | gru | 16 |" in (out / "table.md").read_text(encoding="utf-8")
    assert (out / "compare.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"model.hiden_size": 3}, "variants.other: .*hiden_size"),
        ({"task": "foo"}, "variants.other: task: wanted autoencoder or compressor, got 'foo'"),
        (
            {"model.cell": "transformer", "model.hidden_size": 6},
            "variants.other: model.hidden_size: wanted a multiple of 4",
        ),
        (
            {"model.cell": "lstm", "model.memory": "lean"},
            "variants.other: model.memory: wanted standard with model.cell lstm",
        ),
    ],
)
def test_an_option_of_the_last_variant_is_refused_before_the_first_runs(
    tmp_path: Path,
    prepared_folder: Path,
    capsys: pytest.CaptureFixture[str],
    options: dict[str, Any],
    text: str,
) -> None:
    path = write(tmp_path, prepared_folder, options)
    assert main([str(path), "--out", str(tmp_path / "out")]) == 64
    assert not (tmp_path / "out").exists()
    assert re.match(f"rrnn compare: {text}", complaint(capsys))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["FILE"], "the following arguments are required: --out"),
        (["FILE", "--out", "x", "--threads", "0"], "--threads: wanted a whole number"),
        (["FILE", "--out", "x", "--only", "third"], "--only: wanted one of ours, other, got"),
        (["nowhere", "--out", "x"], "FILE: wanted a YAML file, got 'nowhere'"),
    ],
)
def test_a_bad_command_line_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    path = write(tmp_path, tmp_path, {})
    assert main([str(path) if a == "FILE" else a for a in arguments]) == 64
    said = complaint(capsys)
    assert said.startswith("rrnn compare: ")
    assert text in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shipped_comparison_has_options_that_fit(path: Path) -> None:
    comparison = read_comparison(path, {})
    check_variants(comparison.variants)
    for variant in comparison.variants:
        trainer = variant.options["trainer"]
        assert comparison.steps % trainer["val_check_interval"] == 0
        # a rate that falls to 5 % within the budget
        assert variant.options["model"]["decay"] ** comparison.steps == pytest.approx(
            0.05, rel=0.05
        )
        assert variant.options["stopping"]["patience"] > comparison.steps


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shipped_comparison_says_command_hardware_time_and_result(path: Path) -> None:
    head = path.read_text(encoding="utf-8").split("\nbase:")[0]
    for word in ("command:", "hardware:", "time:", "result:"):
        assert f"# {word}" in head


def test_equal_parameters_of_the_news_comparison_are_the_nearest() -> None:
    comparison = read_comparison(CONFIGS / "compare_news.yaml", {})
    widths = {v.name: v.options["model"]["hidden_size"] for v in comparison.variants}
    for name, width in widths.items():
        cell, _, is_equal = name.partition("_parameters")
        if name.endswith("_parameters"):
            assert is_equal == ""
            assert width == equal_parameter_size(cell, 300, 256)  # type: ignore[arg-type]
        else:
            assert width == 256


def test_compressors_are_not_compared(
    tmp_path: Path, prepared_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, prepared_folder, {})
    base = compressor_config(prepared_folder, tmp_path / "run", tmp_path / "unused")
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(base), encoding="utf-8")
    assert main([str(path), "--out", str(tmp_path / "out")]) == 64
    assert "variants.ours.task: wanted autoencoder, got compressor" in complaint(capsys)
