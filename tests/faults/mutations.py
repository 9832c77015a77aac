"""Random mutations of a config: one option, or one group, is made into something odd.

What a mutation may end with is known before: a run, or a refusal that names what was mutated.
"""

import copy
import math
import random
from dataclasses import dataclass
from typing import Any

Config = dict[str, Any]

_HUGE = (2**31, 2**63, 2**64, 10**9, 10**19, 10**30)
_ODD_NUMBERS = (
    *(0, 1, -1, 0.5, -0.5, 1.5, 1e-320, 1e308, -1e308),
    *(math.inf, -math.inf, math.nan),
)
_ODD_TEXTS = (
    "",
    " ",
    "abc",
    "null",
    "true",
    "nan",
    "1e3",
    "1_000",
    "0x10",
    "../..",
    "\x00",
    "é" * 300,
)
_ODD_SHAPES: tuple[Any, ...] = ([], {}, [1], {"a": 1}, [[[]]], True, False)
# options of Lightning's trainer that the config does not name, and values that start no other
# process or machine
_OTHER_TRAINER_OPTIONS: dict[str, tuple[Any, ...]] = {
    "accumulate_grad_batches": (0, 2, -1, math.nan, "a", 10**30, 1.5, None),
    "gradient_clip_algorithm": ("norm", "value", "abc", 3),
    "max_time": ("00:00:00:30", "abc", {"seconds": 30}, -1, {"seconds": math.nan}),
    "min_steps": (1, -1, "a", None),
    "reload_dataloaders_every_n_epochs": (0, 1, -1, "a"),
    "deterministic": (True, "warn", "abc", 3),
    "benchmark": (True, "abc"),
    "detect_anomaly": (True, "abc"),
    "inference_mode": (True, False, "abc"),
    "profiler": ("simple", "abc", 3),
    "sync_batchnorm": (True, "abc"),
    "use_distributed_sampler": (True, False, "abc"),
    "barebones": (True, "abc"),
    "fast_dev_run": (True, 3, "abc"),
    "overfit_batches": (0.5, 3, "abc"),
    "limit_train_batches": (0.5, 3, 0, "abc"),
    "limit_val_batches": (0.5, 3, 0, "abc"),
    "min_epochs": (3, "abc"),
    "strategy": ("auto", "abc", 3),
    "num_nodes": (0, -1, "abc", 1.5),
    "enable_checkpointing": (True, False, "abc"),
    "callbacks": ([], [3], "abc", {"class_path": "os.system"}),
    "logger": (True, False, "abc"),
    "plugins": ([], "abc"),
    "default_root_dir": ("abc", 3),
    "model_registry": ("abc", 3),
}


@dataclass(frozen=True)
class Mutation:
    """A config that differs in one place.

    Attributes:
        number: of the draw.
        place: dotted name of what was mutated.
        what: was done, for people.
        names: words of which a refusal must contain one.
        config: the whole of it.
        value: what the option is now; `ABSENT` if it is gone.
    """

    number: int
    place: str
    what: str
    names: tuple[str, ...]
    config: Config
    value: Any


ABSENT = object()


def mutations(config: Config, number: int, seed: int) -> list[Mutation]:
    """Return so many mutations of a nested config; the same arguments give the same ones."""
    return [_mutate(copy.deepcopy(config), place, seed) for place in range(number)]


def _mutate(config: Config, number: int, seed: int) -> Mutation:
    dice = random.Random(f"{seed} {number}")
    options = [
        (group, key) for group, inner in config.items() if isinstance(inner, dict) for key in inner
    ]
    kind = dice.choices(("option", "group", "trainer"), (84, 8, 8))[0]
    if kind == "group":
        return _mutate_group(config, number, dice)
    if kind == "trainer":
        key = dice.choice(list(_OTHER_TRAINER_OPTIONS))
        value = dice.choice(_OTHER_TRAINER_OPTIONS[key])
        config["trainer"][key] = value
        return Mutation(number, f"trainer.{key}", f"set to {value!r}", (key,), config, value)
    group, key = dice.choice(options)
    return _mutate_option(config, number, group, key, dice)


def _mutate_group(config: Config, number: int, dice: random.Random) -> Mutation:
    group = dice.choice(list(config))
    what = dice.choice(("removed", "misspelt", "replaced", "unknown"))
    inner = config[group]
    names: tuple[str, ...] = (group, *(inner if isinstance(inner, dict) else ()))
    value: Any = ABSENT
    if what == "unknown":
        group = dice.choice(("modle", "zzz", "0", "model.hidden", "-", "trainer "))
        config[group] = dice.choice((3, {"a": 1}, None))
        names = (group.strip(),)
    elif what == "misspelt":
        config[_misspelt(group, dice)] = config.pop(group)
    elif what == "removed":
        del config[group]
    else:
        value = dice.choice((None, 3, "abc", [], [1, 2], "", math.nan, True))
        config[group] = value
    return Mutation(
        number, group, f"{what} {value!r}" if value is not ABSENT else what, names, config, value
    )


def _mutate_option(
    config: Config, number: int, group: str, key: str, dice: random.Random
) -> Mutation:
    inner, old = config[group], config[group][key]
    what = dice.choices(("removed", "misspelt", "unknown", "value"), (8, 8, 4, 80))[0]
    names: tuple[str, ...] = (key,)
    value: Any = ABSENT
    if what == "removed":
        del inner[key]
    elif what == "misspelt":
        wrong = _misspelt(key, dice)
        inner[wrong] = inner.pop(key)
        names = (key, wrong)
    elif what == "unknown":
        key = dice.choice(("zzz", f"{key}_", f"x{key}", "class_path", "init_args", "__class__"))
        inner[key] = dice.choice((3, None, "abc", {"a": 1}))
        names = (key,)
    else:
        value = inner[key] = _odd_value(old, dice)
        what = f"{old!r} -> {str(value)[:40]!r}"
    return Mutation(number, f"{group}.{key}", what, names, config, value)


def _odd_value(old: Any, dice: random.Random) -> Any:
    values: list[Any] = [None, *_ODD_SHAPES, *_ODD_TEXTS, [old], {"a": old}, str(old)]
    numbers: list[Any] = [*_ODD_NUMBERS, *_HUGE, *(-huge for huge in _HUGE)]
    if isinstance(old, int | float) and not isinstance(old, bool):
        numbers += [-old, float(old), old + 0.5, old * 10**6, str(float(old))]
        return dice.choice(numbers if dice.random() < 0.6 else values)
    return dice.choice(values if dice.random() < 0.7 else numbers)


def _misspelt(name: str, dice: random.Random) -> str:
    place = dice.randrange(len(name))
    return dice.choice(
        (
            name[:place] + name[place] + name[place:],
            name.upper(),
            name.replace("_", "-") if "_" in name else f"{name}s",
            f" {name}",
        )
    )
