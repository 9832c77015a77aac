import json
from pathlib import Path

import pytest
import torch

from tests.write_golden import NUM_LOSSES, compute_losses, golden_path, machine


def compare(folder: Path) -> None:
    path = golden_path()
    if not path.is_file():
        pytest.skip(f"no golden curve of this device kind: {path.name}; `make golden` writes it")
    golden = json.loads(path.read_text(encoding="utf-8"))
    losses = compute_losses(folder)
    assert len(losses) == len(golden["losses"]) == NUM_LOSSES
    if golden["machine"] == machine():
        assert losses == golden["losses"]
    else:
        torch.testing.assert_close(losses, golden["losses"], rtol=1e-5, atol=0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="the gpu twin runs here")
def test_losses_of_the_demo_model(tmp_path: Path) -> None:
    compare(tmp_path)


@pytest.mark.gpu
def test_losses_of_the_demo_model_on_cuda(tmp_path: Path) -> None:
    compare(tmp_path)
