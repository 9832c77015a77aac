"""An entry that behaves like `rrnn fit` without torch, and fails in every way on request.

The option `toy.modes` says what becomes of a trial, by the name of its folder; with `_once` at
its end a mode is only for the first start. After the step `toy.stop_at` a run's own rule ends it.
"""

import json
import math
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import yaml

ENTRY = f"{__name__}:main"
METRIC = "tune/matched_words"
EXIT_MODES = {"oom": 71, "nan": 79, "config": 64, "data": 65, "refused": 80, "cannot_write": 74}
FAIL_STEP = 3  # of all modes that end a trial
SAVE_EVERY = 2


def main(arguments: list[str]) -> int:
    options: dict[str, Any] = {}
    folder = None
    pairs = [part for part in arguments[1:] if part != "--print_config"]
    for name, value in zip(pairs[::2], pairs[1::2], strict=True):
        path = Path(value)
        if name == "--resume":
            folder, path = path, path / "config.yaml"
        merge(options, yaml.safe_load(path.read_text(encoding="utf-8")))
    if "unknown" in options:
        print("a line before", file=sys.stderr)
        print("rrnn fit: wanted an option of the run, got unknown", file=sys.stderr)
        return 64
    if "--print_config" in arguments:
        print(yaml.safe_dump(options), end="")
        return 0
    return ToyRun(options, folder or Path(options["run"]["folder"])).train()


def probe(arguments: list[str]) -> int:
    """Write down what a child finds when it starts."""
    found = {
        "modules": sorted(sys.modules),
        "argv": sys.argv,
        "environment": dict(os.environ),
        "session": os.getsid(0) == os.getpid(),
        "threads": "torch" in sys.modules and sys.modules["torch"].get_num_threads(),
        "main": getattr(sys.modules["__main__"], "__file__", None),
    }
    Path(arguments[0]).write_text(json.dumps(found), encoding="utf-8")
    return 0


def merge(options: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(options.get(name), dict):
            merge(options[name], value)
        else:
            options[name] = value


class ToyRun:
    def __init__(self, options: dict[str, Any], folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.toy: dict[str, Any] = options.get("toy", {})
        self.mode = self.toy.get("modes", {}).get(folder.name, "good")
        self.checkpoint = folder / "checkpoints" / "last.ckpt"
        self.metrics = folder / "metrics.jsonl"
        self.is_asked_to_stop = False

    def train(self) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint.parent.mkdir(exist_ok=True)
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.options), encoding="utf-8")
        print(f"device {os.environ.get('CUDA_VISIBLE_DEVICES')}")
        print(f"starts with process {os.getpid()}")
        signal.signal(signal.SIGTERM, self._ask)
        first = self._step_of_checkpoint() + 1
        self.life = self._lives() + 1
        steps = int(self.options["trainer"]["max_steps"])
        last = min(steps, int(self.toy.get("stop_at", steps)))
        for step in range(first, last + 1):
            time.sleep(float(self.toy.get("seconds", 0)))
            self._log(step)
            code = self._misbehave(step)
            if code is not None:
                return code
            if self.is_asked_to_stop or step % SAVE_EVERY == 0:
                self.checkpoint.write_text(json.dumps({"step": step}), encoding="utf-8")
            if self.is_asked_to_stop:
                return 75
        summary = {"steps": last, "stop_reason": "no gain" if last < steps else "all steps"}
        (self.folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
        return 0

    def _ask(self, *_: object) -> None:
        self.is_asked_to_stop = True

    def _step_of_checkpoint(self) -> int:
        if not self.checkpoint.exists():
            return 0
        return int(json.loads(self.checkpoint.read_text(encoding="utf-8"))["step"])

    def _lives(self) -> int:
        if not self.metrics.exists():
            return 0
        lines = self.metrics.read_text(encoding="utf-8").splitlines()
        return int(json.loads(lines[-1])["life"]) if lines else 0

    def _log(self, step: int) -> None:
        rate = float(self.options["model"]["learning_rate"])
        value = 1000 * rate + step
        if self.mode == "nan_value":
            value = math.nan
        record = {"step": step, "time": time.time(), "life": self.life, "train/loss": 1 / step}
        if self.mode != "no_value":
            record[METRIC] = value
        with open(self.metrics, "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def _misbehave(self, step: int) -> int | None:
        """Return the exit code that the mode asks for at this step, or end in a worse way."""
        mode = self.mode.removesuffix("_once")
        if step < FAIL_STEP or (mode != self.mode and self.life > 1):
            return None
        if mode in EXIT_MODES:
            return EXIT_MODES[mode]
        if mode == "sigkill":
            os.kill(os.getpid(), signal.SIGKILL)
        if mode == "exception":
            raise RuntimeError(f"broken at step {step}")
        if mode == "system_exit":
            raise SystemExit(3)
        if mode == "preempted":
            os.kill(os.getpid(), signal.SIGTERM)
        if mode == "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while mode in ("silent", "busy", "deaf") and not self.is_asked_to_stop:
            time.sleep(0.01)
            if mode != "silent":
                self._log(step)
        return None
