import itertools
import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit.search.options import check_options, flatten
from rrnn_lit.search.pruning import make_pruner
from rrnn_lit.search.sampler import make_sampler
from rrnn_lit.search.study_file import Definition, from_json, read_study, to_json

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "sweeps").glob("*.yaml"))
STUDIES = [path for path in FILES if not path.name.startswith("wandb")]
WANDB = ROOT / "sweeps/wandb_paper_random.yaml"
SIZE = "model.compressed_size"

# the author's published program: distributions and winner
PAPER = {
    "model.learning_rate": ("log_uniform", 1e-6, 1e-4, 4.2243115e-5),
    "1-model.decay": ("log_uniform", 1e-7, 1e-5, 0.9999986886978),
    "model.l2": ("log_uniform", 1e-8, 1e-4, 1.8427478e-7),
    "model.beta1": ("categorical", (0.8, 0.85, 0.9, 0.95, 0.99), 0.85),
    "model.beta2": ("categorical", (0.8, 0.9, 0.99, 0.995, 0.999), 0.99),
}
AUTHOR = {
    **PAPER,
    "model.feed_forward_scale": ("log_uniform", 0.005, 0.1, 0.0833083),
    "model.recurrent_scale": ("log_uniform", 0.001, 0.05, 0.0456395),
}


def study(name: str) -> Definition:
    return read_study(ROOT / f"sweeps/{name}.yaml")


def space_of(definition: Definition) -> dict[str, tuple[Any, ...]]:
    return {
        dimension.name: (
            dimension.distribution,
            *([dimension.values] if dimension.values else [dimension.low, dimension.high]),
            dimension.published,
        )
        for dimension in definition.space
    }


def test_all_studies_are_found() -> None:
    names = {"paper_random", "author_random", "tpe_asha", "width_transfer", "demo"}
    names |= {"compressor_random", "compressor_ratio"}
    assert names <= {path.stem for path in STUDIES}
    assert WANDB in FILES


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_study_parses_and_its_options_exist(path: Path) -> None:
    definition = read_study(path)
    check_options(definition, flatten(definition.base_options))
    assert from_json(to_json(definition)) == definition
    make_sampler(definition)
    make_pruner(definition)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_last_step_is_evaluated_and_every_chance_to_prune_too(path: Path) -> None:
    definition = read_study(path)
    options = {**flatten(definition.base_options), **definition.overrides}
    every = options["trainer.val_check_interval"]
    assert definition.steps % every == 0
    if definition.pruner.kind != "none":
        assert definition.pruner.min_steps % every == 0
    # the run's own stop rule would end trials at different steps
    assert options["stopping.patience"] > definition.steps // every


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_study_opens_with_command_hardware_time_and_result(path: Path) -> None:
    comment = path.read_text(encoding="utf-8").partition("base:")[0]
    head = [line for line in comment.splitlines() if line.startswith("#")]
    for word in ("command:", "hardware:", "time:", "result:"):
        assert any(word in line for line in head), f"{path.name} does not say {word}"


@pytest.mark.parametrize(
    ("name", "space", "base"),
    [
        ("paper_random", PAPER, "configs/autoencoder.yaml"),
        ("author_random", AUTHOR, "configs/autoencoder_author.yaml"),
        ("tpe_asha", AUTHOR, "configs/autoencoder_author.yaml"),
    ],
)
def test_the_space_is_the_published_one(
    name: str, space: dict[str, tuple[Any, ...]], base: str
) -> None:
    definition = study(name)
    assert space_of(definition) == space
    assert definition.base_options == yaml.safe_load((ROOT / base).read_text(encoding="utf-8"))
    assert definition.steps == 11_700
    assert definition.overrides["model.hidden_size"] == 8000
    assert definition.base_options["data"]["tune_sentences"] == 32_000
    assert (definition.metric, definition.direction) == ("tune/matched_words", "maximize")


@pytest.mark.parametrize("name", ["paper_random", "author_random"])
def test_the_published_search_is_random_and_prunes_nothing(name: str) -> None:
    definition = study(name)
    assert (definition.sampler.kind, definition.pruner.kind) == ("random", "none")


def test_the_second_rung_is_evaluated_at_its_last_step() -> None:
    text = (ROOT / "sweeps/author_random.yaml").read_text(encoding="utf-8")
    assert "rrnn sweep extend author_random --best 5 --steps 93600" in text
    assert 93_600 % study("author_random").overrides["trainer.val_check_interval"] == 0


def test_the_compressor_is_searched_as_the_autoencoder() -> None:
    definition, paper = study("compressor_random"), study("paper_random")
    assert space_of(definition) == PAPER
    assert (definition.sampler, definition.pruner) == (paper.sampler, paper.pruner)
    assert (definition.steps, definition.metric) == (paper.steps, paper.metric)
    assert definition.base_options["task"] == "compressor"


def test_the_ratios_are_3_5_10_and_20_of_the_demos_vectors() -> None:
    definition = study("compressor_ratio")
    values = {dimension.option: dimension.values for dimension in definition.space}
    sizes = [size * definition.overrides["model.bits"] / 8 for size in values[SIZE]]
    demo = yaml.safe_load((ROOT / "configs/demo.yaml").read_text(encoding="utf-8"))
    plain = 2 * demo["model"]["hidden_size"]
    assert [plain / size for size in sizes] == pytest.approx([20, 10, 5, 3.3], rel=0.02)
    assert values["model.loss"] == ("vector", "words")
    assert definition.curves is not None
    assert (definition.curves.x, definition.curves.curve) == (SIZE, "model.loss")
    assert definition.stopping.trials == 8


def test_the_demo_starts_with_the_demos_own_values() -> None:
    definition = study("demo")
    own = flatten(definition.base_options)
    for dimension in definition.space:
        assert dimension.published == own[dimension.option]


def test_width_transfer_is_a_factor_2_grid_over_both_scalings() -> None:
    definition = study("width_transfer")
    values = {dimension.option: dimension.values for dimension in definition.space}
    assert values["model.scaling"] == ("none", "mup")
    assert values["model.hidden_size"] == (128, 256, 512, 1024)
    rates = values["model.learning_rate"]
    assert [b / a for a, b in itertools.pairwise(rates)] == [2.0] * (len(rates) - 1)
    assert definition.sampler.kind == "grid"
    assert definition.stopping.trials == 2 * 4 * len(rates)
    assert definition.curves is not None
    assert {definition.curves.x, definition.curves.curve, definition.curves.panel} == set(values)


def test_the_wandb_sweep_has_the_space_of_the_study() -> None:
    sweep = yaml.safe_load(WANDB.read_text(encoding="utf-8"))
    paper = study("paper_random")
    drawn = {name: what for name, what in sweep["parameters"].items() if "value" not in what}
    assert set(drawn) == {dimension.option for dimension in paper.space}
    for dimension in paper.space:
        what = drawn[dimension.option]
        if dimension.one_minus:
            distances = [math.log10(1 - value) for value in what["values"]]
            assert distances == pytest.approx([-7 + n / 10 for n in range(21)], abs=1e-3)
        elif dimension.values:
            assert tuple(what["values"]) == dimension.values
        else:
            assert (what["min"], what["max"]) == (dimension.low, dimension.high)
            assert what["distribution"] == f"{dimension.distribution}_values"


def test_the_wandb_sweep_runs_the_trials_of_the_study() -> None:
    sweep = yaml.safe_load(WANDB.read_text(encoding="utf-8"))
    paper = study("paper_random")
    fixed = {name: what["value"] for name, what in sweep["parameters"].items() if "value" in what}
    wanted = {**paper.overrides, "trainer.max_steps": paper.steps}
    assert {name: fixed[name] for name in wanted} == wanted
    assert set(fixed) - set(wanted) == {"data.folder", "run.folder"}
    assert set(fixed) <= set(flatten(paper.base_options))
    assert sweep["metric"] == {"name": paper.metric, "goal": paper.direction}
    assert (sweep["method"], sweep["run_cap"]) == ("random", paper.stopping.trials)
    assert sweep["command"][1:5] == ["rrnn", "fit", "--config", "configs/autoencoder.yaml"]
