"""Stands in for `rrnn fit` and `rrnn test`: files of a run as `model.toy` in its config asks.

`ok` finishes; `fail` says why and fails; `wait` begins, and finishes only when started again.
Runs as a program: it imports nothing that takes long.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import yaml

arguments = dict(zip(sys.argv[2::2], sys.argv[3::2], strict=True))
folder = Path(arguments["--run.folder"])
options = yaml.safe_load(Path(arguments["--config"]).read_text(encoding="utf-8"))
toy = options["model"]["toy"]
summary_path, last = folder / "summary.json", folder / "checkpoints" / "last.ckpt"


def stop(number: int, frame: object) -> None:
    last.write_text("saved", encoding="utf-8")
    sys.exit(75)


def log(step: int) -> None:
    record = {"step": step, "life": 1, "tune/matched_word_rate": step / 100}
    with open(folder / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


signal.signal(signal.SIGTERM, stop)
print(sys.argv[1], "threads", os.environ["OMP_NUM_THREADS"])
if sys.argv[1] == "test":
    summary = json.loads(summary_path.read_text(encoding="utf-8"))
    summary["splits"]["holdout"] = {"weights": Path(arguments["--ckpt_path"]).stem}
    summary_path.write_text(json.dumps(summary), encoding="utf-8")
    sys.exit(0)
if toy == "fail":
    print("some line\n\nrrnn fit: no luck today", file=sys.stderr)
    sys.exit(65)
is_resumed = last.is_file()
last.parent.mkdir(exist_ok=True)
(folder / "config.yaml").write_text(yaml.safe_dump(options), encoding="utf-8")
log(20 if is_resumed else 10)
if toy == "wait" and not is_resumed:
    time.sleep(60)
last.write_text("done", encoding="utf-8")
summary_path.write_text(json.dumps({"splits": {"tune": {}}}), encoding="utf-8")
