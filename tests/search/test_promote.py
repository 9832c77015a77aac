from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit.search.options import flatten
from rrnn_lit.search.promote import promote, read_extra, transfer_note
from rrnn_lit.search.study_file import Definition
from tests.search.finished_studies import SPACE, complete, define, fail, make_study, trials_of

CONFIG = """\
# A full run.
# hardware: one large GPU
trainer:
  max_steps: 9000              # paper
model:
  hidden_size: 1024            # wide
  learning_rate: 4.2e-5        # paper 2.5
  decay: 0.9999                # paper 2.5
  beta1: 0.85
  feed_forward_scale: 0.1      # ours
  dropout: 0.5                 # paper
data:
  folder: data/full            # here
"""


def resolve(base: Path, overrides: Mapping[str, Any]) -> Mapping[str, Any]:
    """As the command reads a config: an unknown option and a wrong type are refused."""
    known = {*flatten(yaml.safe_load(CONFIG)), "model.scaling", "model.base_size"}
    found = flatten(yaml.safe_load(base.read_text(encoding="utf-8")))
    for option, value in {**found, **overrides}.items():
        if option not in known:
            raise ValueError(f"wanted an option, got {option}")
        if option == "model.dropout" and not isinstance(value, float):
            raise ValueError(f"model.dropout: wanted a number, got {value!r}")
    return {**dict.fromkeys(known), **found, **overrides}


class Promotion:
    """A study with results, a base config and a call of `promote`."""

    def __init__(self, folder: Path, definition: Definition) -> None:
        self.definition = definition
        self.study = make_study(definition)
        self.base, self.out = folder / "full.yaml", folder / "made" / "promoted.yaml"
        self.base.write_text(CONFIG, encoding="utf-8")

    def run(
        self,
        number: int | None = None,
        extra: Mapping[str, Any] | None = None,
        force: bool = False,
    ) -> list[str]:
        return promote(
            self.study,
            self.definition,
            number,
            self.base,
            self.out,
            extra or {},
            force,
            resolve,
        )

    def text(self) -> str:
        return self.out.read_text(encoding="utf-8")


@pytest.fixture
def promotion(tmp_path: Path) -> Promotion:
    made = Promotion(tmp_path, define(space=SPACE[:4]))
    for value in (10.0, 30.0, 20.0):
        complete(made.study, made.definition, value)
    fail(made.study, made.definition, "oom")
    return made


def test_promote_puts_the_winner_into_the_base_config(promotion: Promotion) -> None:
    lines = promotion.run()
    assert lines[0] == f"written: {promotion.out} (trial 1 of study paper)"
    params = trials_of(promotion.study)[1].params
    expected = yaml.safe_load(CONFIG)
    expected["model"].update(
        learning_rate=params["model.learning_rate"],
        decay=1 - params["1-model.decay"],
        beta1=params["model.beta1"],
        feed_forward_scale=params["model.feed_forward_scale"],
    )
    assert yaml.safe_load(promotion.text()) == expected
    assert [path.name for path in promotion.out.parent.iterdir()] == ["promoted.yaml"]


def test_promoted_lines_tell_where_they_come_from(promotion: Promotion) -> None:
    promotion.run(extra={"model.scaling": "mup"})
    text = promotion.text()
    header = text.split("trainer:")[0]
    assert "# Promoted from study paper, trial 1." in header
    assert f"# command:   rrnn fit --config {promotion.out}" in header
    assert "--trial 1 --set model.scaling=mup" in header
    assert "found as:  tune/matched_words 30, maximize, after 200 steps" in header
    assert "the study has 3 results" in header
    assert "# not taken: model.dropout: 0.0, of all trials" in header
    assert "hardware" not in text  # of the other run
    assert "hidden_size: 1024            # wide\n" in text
    assert "# paper 2.5" not in text
    assert text.count("# paper, trial 1") == 5
    assert "  scaling: mup  # paper, trial 1\n" in text


def test_any_complete_trial_can_be_promoted(promotion: Promotion) -> None:
    promotion.run(number=2)
    rate = trials_of(promotion.study)[2].params["model.learning_rate"]
    assert yaml.safe_load(promotion.text())["model"]["learning_rate"] == rate


@pytest.mark.parametrize("number", [3, 17])
def test_another_trial_is_refused(promotion: Promotion, number: int) -> None:
    message = rf"--trial: wanted a complete trial \(0, 1, 2\), got {number}"
    with pytest.raises(ValueError, match=message):
        promotion.run(number=number)


def test_a_study_without_results_has_no_winner(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="study paper: wanted a complete trial"):
        Promotion(tmp_path, define()).run()


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"model.hidden_sise": 3}, r"model\.hidden_sise.*did you mean model\.hidden_size\?"),
        ({"model.dropout": "much"}, r"model\.dropout: wanted a number, got 'much'"),
    ],
)
def test_what_the_command_would_refuse_is_not_written(
    promotion: Promotion, extra: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        promotion.run(extra=extra)
    assert not promotion.out.parent.exists() or list(promotion.out.parent.iterdir()) == []


def test_a_config_that_is_there_stays_unless_forced(promotion: Promotion) -> None:
    promotion.run()
    before = promotion.text()
    with pytest.raises(FileExistsError, match="--force replaces it"):
        promotion.run(number=0)
    assert promotion.text() == before
    promotion.run(number=0, force=True)
    assert "trial 0" in promotion.text()


def test_a_base_config_that_is_not_there_is_refused(promotion: Promotion) -> None:
    promotion.base.unlink()
    with pytest.raises(ValueError, match="--base: wanted a config file, got"):
        promotion.run()


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ({}, {"model.hidden_size": 64}, "same width 64: all values carry over"),
        ({}, {"model.hidden_size": 1024}, "64 became 1024 with model.scaling none: a learning"),
        (
            {"model.scaling": "mup"},
            {"model.hidden_size": 1024, "model.scaling": "mup"},
            "64 became 1024; model.scaling mup adjusts",
        ),
        (
            {"model.scaling": "mup"},
            {"model.hidden_size": 64, "model.scaling": "none"},
            "model.scaling mup, model.base_size None became none",
        ),
        (
            {"model.scaling": "mup", "model.base_size": 32},
            {"model.hidden_size": 64, "model.scaling": "mup", "model.base_size": 64},
            "model.base_size 32 became mup, 64",
        ),
    ],
)
def test_the_note_says_what_a_change_of_width_means(
    old: dict[str, Any], new: dict[str, Any], note: str
) -> None:
    assert note in transfer_note(define(overrides=old), {}, new)


def test_a_searched_width_is_the_width_of_the_trial() -> None:
    found = {"model.hidden_size": 256}
    assert "256 became 64" in transfer_note(define(), found, {"model.hidden_size": 64})


def test_set_reads_values_as_yaml_and_numbers_without_a_dot() -> None:
    pairs = ["a.b=1e-4", "c=true", "d=[1, 2]", "e=mup", "f=3", "g=x=y", "h=null"]
    assert read_extra(pairs) == {
        "a.b": 1e-4,
        "c": True,
        "d": [1, 2],
        "e": "mup",
        "f": 3,
        "g": "x=y",
        "h": None,
    }


@pytest.mark.parametrize("pair", ["model.dropout", "=3", "a=[1"])
def test_set_refuses_what_is_no_pair(pair: str) -> None:
    with pytest.raises(ValueError, match="--set"):
        read_extra([pair])


def test_a_trial_that_lost_its_value_is_not_promoted(tmp_path: Path) -> None:
    promotion = Promotion(tmp_path, define())
    complete(promotion.study, promotion.definition, float("inf"))
    complete(promotion.study, promotion.definition, 1.0)
    with pytest.raises(ValueError, match=r"^--trial: wanted a complete trial \(1\), got 0$"):
        promotion.run(0)
