"""Programs that some tests need and that a machine may lack."""

import os
from typing import NoReturn

import pytest

REQUIRED = "RRNN_REQUIRE_SERVICES"


def do_without(what: str) -> NoReturn:
    """Skip the test for want of a program; fail it where the programs are required.

    Args:
        what: is missing, and how to get it.
    """
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{what}; {REQUIRED} is 1", pytrace=False)
    pytest.skip(what)
