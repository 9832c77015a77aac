"""Samplers whose draws are a function of (study seed, trial number).

Optuna's own samplers draw from a stream: a seeded one repeats its first draws in every new
process, and an unseeded one cannot be repeated at all. Here every draw has a seed of its own, so
one worker, four workers, a restart and a trial that is started again draw the same. TPE also
looks at the results there are; only its first draws are a function of seed and number alone.

Nothing is kept between calls: one sampler serves any number of threads.
"""

import hashlib
import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from rrnn_lit.search.space import Dimension
from rrnn_lit.search.study_file import Definition


def make_sampler(definition: Definition) -> BaseSampler:
    """Return the sampler of a study.

    Raises:
        ValueError: the definition names a sampler that is not offered.
    """
    kind, seed, space = definition.sampler.kind, definition.seed, definition.space
    if kind == "random":
        return KeyedSampler(seed, RandomSampler)
    if kind == "tpe":
        waits = definition.sampler.startup_trials
        return KeyedSampler(seed, lambda draw: TPESampler(seed=draw, n_startup_trials=waits))
    if kind == "grid":
        return PointSampler(lambda number: grid_point(space, number))
    if kind == "qmc":
        return PointSampler(cache(lambda number: sobol_point(space, seed, number)))
    raise ValueError(f"sampler.kind: wanted one of random, tpe, qmc, grid, got {kind!r}")


def seed_of_draw(seed: int, number: int, name: str) -> int:
    """Return the 32 bits that one draw starts from.

    Args:
        seed: of the study.
        number: of the trial.
        name: parameter; empty for a draw of all at once.
    """
    digest = hashlib.sha256(f"{seed} {number} {name}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


class KeyedSampler(BaseSampler):
    """Draws with a fresh sampler of Optuna, seeded anew for each draw.

    A parameter's draw does not depend on which others were drawn before: a trial that died
    half drawn gets the rest of its parameters as if nothing had happened.

    Args:
        seed: of the study.
        build: returns Optuna's sampler for the seed of a draw.
    """

    def __init__(self, seed: int, build: Callable[[int], BaseSampler]) -> None:
        self._seed = seed
        self._build = build

    def reseed_rng(self) -> None:
        """Do nothing: there is no stream to separate from another worker's."""

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the parameters that are drawn together."""
        return self._build(0).infer_relative_search_space(study, trial)

    def sample_relative(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """Return one draw of all parameters together."""
        sampler = self._build(seed_of_draw(self._seed, trial.number, ""))
        return sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return one draw of one parameter."""
        sampler = self._build(seed_of_draw(self._seed, trial.number, param_name))
        return sampler.sample_independent(study, trial, param_name, param_distribution)


class PointSampler(BaseSampler):
    """Takes each trial's parameters from a list of points, by the trial's number.

    Args:
        point_of: returns the parameters for a trial number.
    """

    def __init__(self, point_of: Callable[[int], Mapping[str, Any]]) -> None:
        self._point_of = point_of

    def reseed_rng(self) -> None:
        """Do nothing: nothing is random."""

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return nothing: each parameter is looked up on its own."""
        return {}

    def sample_relative(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return the parameter's value at the trial's point."""
        return self._point_of(trial.number)[param_name]


def grid_point(space: Sequence[Dimension], number: int) -> dict[str, Any]:
    """Return a point of the grid; the last option of the file changes fastest.

    A number past the last point starts over.
    """
    point = {}
    for dimension in reversed(space):
        number, place = divmod(number, len(dimension.values))
        point[dimension.name] = dimension.values[place]
    return point


def sobol_point(space: Sequence[Dimension], seed: int, number: int) -> dict[str, Any]:
    """Return a point of a scrambled Sobol sequence, which fills the space evenly.

    Optuna's own QMC sampler counts its points in the storage without a lock, so that two hosts
    can draw the same one; here the trial's number is the count.
    """
    # late: other samplers do without, and the import takes most of a second
    qmc = importlib.import_module("scipy.stats.qmc")
    engine = qmc.Sobol(len(space), scramble=True, seed=seed)
    if number:
        engine.fast_forward(number)
    shares = engine.random(1)[0]
    return {
        dimension.name: _at_share(dimension, float(share))
        for dimension, share in zip(space, shares, strict=True)
    }


def _at_share(dimension: Dimension, share: float) -> Any:
    """Return the parameter below which `share` of the odds lie, 0 <= share < 1."""
    if dimension.distribution == "categorical":
        return dimension.values[int(share * len(dimension.values))]
    assert dimension.low is not None
    assert dimension.high is not None
    low, high = dimension.low, dimension.high
    if dimension.distribution == "int_log_uniform":
        # every integer owns half a step to each side, as in Optuna
        value = _between(low - 0.5, high + 0.5, share, is_log=True)
        return min(max(round(value), int(low)), int(high))
    step = dimension.step or (1 if dimension.distribution == "int_uniform" else None)
    if step is None:
        return min(max(_between(low, high, share, dimension.is_log), low), high)
    exact = Decimal(str(step))
    places = int((Decimal(str(high)) - Decimal(str(low))) / exact) + 1
    at = Decimal(str(low)) + int(share * places) * exact
    return int(at) if dimension.distribution == "int_uniform" else float(at)


def _between(low: float, high: float, share: float, is_log: bool) -> float:
    if is_log:
        return math.exp(_between(math.log(low), math.log(high), share, is_log=False))
    return low + share * (high - low)
