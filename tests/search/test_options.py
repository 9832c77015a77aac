from pathlib import Path

import pytest

from rrnn_lit.search.options import check_options, did_you_mean, flatten, nest
from tests.search.studies import LEARNING_RATE, define

NESTED = {
    "seed_everything": 1,
    "model": {"learning_rate": 1.0e-3, "learning_decay": 0.9, "hidden_size": 8, "tags": []},
    "trainer": {"max_steps": 5, "logger": {}, "limit": {"train": {"batches": 3}}},
}
FLAT = {
    "seed_everything": 1,
    "model.learning_rate": 1.0e-3,
    "model.learning_decay": 0.9,
    "model.hidden_size": 8,
    "model.tags": [],
    "trainer.max_steps": 5,
    "trainer.logger": {},
    "trainer.limit.train.batches": 3,
}


def test_flat_and_nested_options_are_the_same() -> None:
    assert flatten(NESTED) == FLAT
    assert nest(FLAT) == NESTED
    assert flatten(FLAT) == FLAT


@pytest.mark.parametrize("names", [("a.b", "a.b.c"), ("a.b.c", "a.b"), ("a", "a.b")])
def test_an_option_cannot_be_a_group(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"^a\S*: wanted "):
        nest(dict.fromkeys(names, 1))


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("model.lr", "model.learning_rate"),
        ("lr", "model.learning_rate"),
        ("model.learning_rat", "model.learning_rate"),
        ("modle.hidden_size", "model.hidden_size"),
        ("max_steps", "trainer.max_steps"),
        ("seed", None),
        ("qqqqqq", None),
    ],
)
def test_the_nearest_name_is_offered(name: str, near: str | None) -> None:
    assert did_you_mean(name, FLAT) == (f"; did you mean {near}?" if near else "")


def test_options_of_the_run_are_accepted(tmp_path: Path) -> None:
    overrides = {"model.hidden_size": 16, "seed_everything": 2}
    check_options(define(tmp_path, overrides=overrides), FLAT)


def test_an_unknown_option_is_refused_with_the_nearest(tmp_path: Path) -> None:
    wanted = r"^space.model.lr: wanted an option of the run, got 'model.lr'; did you mean "
    with pytest.raises(ValueError, match=wanted + r"model.learning_rate\?$"):
        check_options(define(tmp_path, space={"model.lr": LEARNING_RATE}), FLAT)
    with pytest.raises(ValueError, match=r"^overrides.model: wanted an option of the run"):
        check_options(define(tmp_path, overrides={"model": 3}), FLAT)
