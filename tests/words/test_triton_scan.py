import os
import subprocess
import sys
from importlib.util import find_spec

import pytest


@pytest.mark.skipif(not find_spec("triton"), reason="triton is not installed")
def test_interpreted_kernels_equal_brute_force() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tests.words.interpreted_kernels"],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, "all equal\n"), result.stderr
