"""Fixtures: a finished run, which all tests of reports only read."""

from tests.training.conftest import straight_run

__all__ = ["straight_run"]
