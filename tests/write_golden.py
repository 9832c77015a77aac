"""Golden loss curves: 50 losses of a tiny run in full precision, one file per device kind.

`make golden` (`python -m tests.write_golden`) rewrites the file of this machine's device. A change
that should not move numbers leaves the files alone.
"""

import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

import torch
import yaml

from rrnn_lit.data.synthetic import write_synthetic
from rrnn_lit.training.lightning_cli import RRNNCLI
from rrnn_lit.training.metrics_log import read_metrics
from tests.training.tiny import tiny_config

NUM_LOSSES = 50
FOLDER = Path(__file__).parent / "golden"


def golden_path() -> Path:
    """Return the file of this device kind, for example `cpu.json`."""
    kind = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return FOLDER / f"{kind.lower().replace(' ', '-')}.json"


def machine() -> dict[str, str]:
    """Return what fixes the last bits: processor, its vector instructions, torch."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    models = {line.split(":")[1].strip() for line in lines if line.startswith("model name")}
    return {
        "processor": ", ".join(sorted(models)) or platform.processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }


def compute_losses(folder: Path) -> list[float]:
    """Train the tiny config on synthetic text in fp32 and return the loss of every step."""
    data = folder / "data"
    write_synthetic(data)
    options: dict[str, Any] = {
        "trainer.accelerator": "gpu" if torch.cuda.is_available() else "cpu",
        "trainer.max_steps": NUM_LOSSES,
        "trainer.log_every_n_steps": 1,
        "trainer.val_check_interval": NUM_LOSSES,
        "checkpoint.every_n_steps": NUM_LOSSES,
    }
    config = folder / "config.yaml"
    content = tiny_config(data, folder / "run", options)
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    cli = RRNNCLI(["fit", "--config", str(config)])
    records = read_metrics(cli.folder / "metrics.jsonl")
    return [record["train/loss"] for record in records if "train/loss" in record]


def main() -> None:
    """Write the losses of this machine."""
    os.environ["WANDB_MODE"] = "disabled"
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        content = {"machine": machine(), "losses": compute_losses(Path(folder))}
    FOLDER.mkdir(exist_ok=True)
    golden_path().write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {golden_path()}")


if __name__ == "__main__":
    main()
