"""Row 6: the shipped SLURM job with the real `rrnn`; `srun` and `scontrol` are stand-ins."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.faults.lives import LAST
from tests.training.tiny import load, tiny_config

JOB = Path(__file__).parents[2] / "configs" / "restart" / "slurm_requeue.sbatch"
SIGNALS = "rrnn_lit.bench.faults.signals"
END = 120
# by which Lightning knows SLURM
_BY_SRUN = (
    "SLURM_NTASKS=1 SLURM_NTASKS_PER_NODE=1 SLURM_NNODES=1 SLURM_NODEID=0 SLURM_PROCID=0 "
    "SLURM_LOCALID=0 SLURM_JOB_NAME=rrnn-fit SLURM_NODELIST=localhost"
)
_STAND_INS = {
    "rrnn": '#!/bin/sh\necho $$ > {folder}/pid\nexec {python} -m rrnn_lit.cli "$@"\n',
    "srun": f'#!/bin/sh\nshift\nexport {_BY_SRUN}\nexec "$@"\n',
    "scontrol": '#!/bin/sh\necho "$@" >> {folder}/requeues\n',
}


def wait_for(path: Path, process: "subprocess.Popen[str]") -> None:
    """Return when the file is there; fail if the job ends before."""
    while not path.exists():
        assert process.poll() is None, "the job ended early"
        time.sleep(0.01)


@pytest.mark.promise(6)
@pytest.mark.timeout(180)
def test_a_job_is_requeued_once_for_each_stop_by_slurm_and_then_finishes(
    prepared_folder: Path, tmp_path: Path, got: Callable[[str], None]
) -> None:
    for name, text in _STAND_INS.items():
        (tmp_path / name).write_text(text.format(folder=tmp_path, python=sys.executable))
        (tmp_path / name).chmod(0o755)
    run, config = tmp_path / "run", tmp_path / "tiny.yaml"
    again = {"hook": "on_validation_batch_start", "step": END, "signal_name": "SIGUSR1"}
    once = {**again, "once_file": str(tmp_path / "once")}  # in the final evaluation
    options = {
        "trainer.max_steps": END,
        "trainer.val_check_interval": 100,
        "trainer.callbacks": [{"class_path": f"{SIGNALS}.SignalAt", "init_args": once}],
    }
    config.write_text(yaml.safe_dump(tiny_config(prepared_folder, run, options)))
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "SLURM_JOB_ID": "42", "TMPDIR": str(tmp_path)}
    environment = {**os.environ, **own, "RRNN_ALLOW_IMPORTS": SIGNALS}
    job = ["bash", str(JOB), str(run), "--config", str(config)]
    codes, requeues = [], []
    for is_stopped in (True, False, False):
        with subprocess.Popen(job, env=environment, text=True, cwd=tmp_path) as process:
            if is_stopped:
                wait_for(run / LAST, process)
                os.kill(int((tmp_path / "pid").read_text()), signal.SIGUSR1)
            codes.append(process.wait(120))
        requeues.append((tmp_path / "requeues").read_text().splitlines())
    got(f"{len(requeues[1])} requeues after exit {codes[:2]}, none after exit {codes[2]}")
    assert codes == [75, 75, 0]
    assert requeues == [["requeue 42"] * number for number in (1, 2, 2)]
    assert load(run / LAST)["global_step"] == END
    assert not list(run.rglob("hpc_ckpt*")), "a checkpoint of Lightning's own"
