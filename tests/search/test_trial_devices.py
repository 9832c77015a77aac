"""A trial of `rrnn fit` on two devices: two processes that save and stop together."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rrnn_lit.training.run_folder import LAST_CHECKPOINT, METRICS_FILE, SUMMARY_FILE
from tests.training.tiny import tiny_config

HOST = """
import json, sys
from pathlib import Path
from rrnn_lit.search.trial_process import TrialJob, TrialServer

if __name__ == "__main__":
    config, run = sys.argv[1], Path(sys.argv[2])
    server, codes = TrialServer(), []
    for steps, stops in (("100000", True), ("60", False)):
        arguments = ("fit", "--config", config, "--trainer.max_steps", steps)
        process = server.start(TrialJob(run, arguments, {}, threads=1))
        while stops and not (run / "metrics.jsonl").exists():
            assert process.wait(0.1) is None, (run / "log.txt").read_text()
        codes.append(process.stop("pruned", 100.0) if stops else process.wait())
    print(json.dumps(codes))
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_trial_on_two_devices_is_stopped_and_goes_on(
    prepared_folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    options = {
        "trainer.devices": 2,
        "trainer.strategy": "ddp",
        "checkpoint.every_n_steps": 1,
        "run.if_exists": "resume",
    }
    config = tmp_path / "two.yaml"
    config.write_text(yaml.safe_dump(tiny_config(prepared_folder, run, options)), encoding="utf-8")
    command = [sys.executable, "-c", HOST, str(config), str(run)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)
    log = (run / "log.txt").read_text(encoding="utf-8")
    assert ended.returncode == 0, ended.stderr + log
    assert json.loads(ended.stdout) == [75, 0], log
    assert log.count("Starting with 2 processes") == 2
    assert (run / LAST_CHECKPOINT).exists()
    assert (run / SUMMARY_FILE).exists()
    lives = [json.loads(line)["life"] for line in (run / METRICS_FILE).read_text().splitlines()]
    assert sorted(set(lives)) == [1, 2]
