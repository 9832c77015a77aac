"""Ceilings made up for every test of this room: measuring them takes seconds."""

import pytest

from rrnn_lit.bench.ceilings import Ceilings

MADE_UP = Ceilings({"fp32": 1e11, "bf16": 4e11, "fp16": 4e11, "int8": 8e11}, 4e10, 1 << 25)


@pytest.fixture
def made_up_ceilings(monkeypatch: pytest.MonkeyPatch) -> Ceilings:
    """Let the cases take these ceilings instead of measuring."""
    for case in ("matching", "recurrent"):
        monkeypatch.setattr(f"rrnn_lit.bench.{case}.measure_ceilings", lambda device: MADE_UP)
    return MADE_UP
