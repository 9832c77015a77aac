import math
from dataclasses import dataclass
from typing import Any

import pytest

from rrnn_lit.training.option_values import check_values
from tests.training.conftest import Fit


@dataclass
class Group:
    """Options as a class declares them."""

    init: float = 1.0
    entity: str | None = None
    memory: str = "standard"


def options(**changes: Any) -> dict[str, Any]:
    return {"trainer": {"max_steps": 1}, "loss_scale": {"init": 1.0}, **changes}


GROUPS = {"loss_scale": Group}


def test_null_stands_where_the_class_allows_it() -> None:
    check_values(options(loss_scale={"entity": None}), GROUPS)
    with pytest.raises(ValueError, match=r"^loss_scale.memory: wanted a value, got null$"):
        check_values(options(loss_scale={"memory": None}), GROUPS)
    with pytest.raises(ValueError, match=r"^trainer.max_steps: wanted a value, got null$"):
        check_values(options(trainer={"max_steps": None}), GROUPS)
    check_values(options(trainer={"check_val_every_n_epoch": None}), GROUPS)


@pytest.mark.parametrize("value", [3, [], "text"])
def test_a_value_is_no_group(value: object) -> None:
    with pytest.raises(ValueError, match="^loss_scale: wanted a group of options, got "):
        check_values(options(loss_scale=value), GROUPS)


@pytest.mark.parametrize("value", [math.nan, 0, -1.0, -math.inf])
def test_a_number_without_meaning_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"^loss_scale.init: wanted at least 1e-30, got "):
        check_values(options(loss_scale={"init": value}), GROUPS)


@pytest.mark.parametrize("value", [10**10, 10**400])
def test_a_number_of_devices_that_no_machine_has_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match=r"^trainer.devices: wanted at most 1024, got 1"):
        check_values(options(trainer={"devices": value}), GROUPS)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("model.graph_words", None),
        ("data.num_workers", 10**9),
        ("data.max_words", 2**63),
        ("data.blank_every", 2**63),
        ("loss_scale.growth_interval", 0),
        ("stopping.min_relative_gain", math.nan),
        ("trainer.gradient_clip_val", math.nan),
        ("trainer.max_steps", None),
    ],
)
def test_a_run_refuses_it_by_name(build: Fit, option: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{option}: wanted "):
        build({option: value})
