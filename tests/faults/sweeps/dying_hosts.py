"""The hosts of `test_dying_hosts.py`, a process each, some of which are killed.

Arguments: URL of the storage, definition of a study of toy trials as JSON, a folder, and for each
host where it is killed: `claimed` (its first trial has not beaten yet), `working` (the child of
its first trial runs) or `never`. Writes the numbers of the trials whose results each host told
into the folder, and prints how each host ended.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rrnn_lit.search import attempt, worker
from rrnn_lit.search.claims import Claim, claim_trial, finish_trial
from rrnn_lit.search.storage import open_storage
from rrnn_lit.search.study_file import Definition, from_json
from rrnn_lit.search.worker import SweepHost
from tests.search.sweeping import make_host

BEAT_S, GRACE_S = 0.5, 6.0  # deaths come early: others still work when they are noticed
DEATH_STEP = 2


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _claim_and_die(*given: Any, **named: Any) -> Claim | None:
    claim = claim_trial(*given, **named)
    if claim is not None:
        _die()
    return claim


def _die_when_busy(host: SweepHost) -> None:
    while not any(trial.step >= DEATH_STEP for trial in host.running()):
        time.sleep(0.01)
    _die()


def _noting(log: Path) -> Callable[..., bool]:
    def finish_and_note(study: Any, storage: Any, claim: Claim, *given: Any) -> bool:
        was_told = finish_trial(study, storage, claim, *given)
        if was_told:
            with log.open("a") as file:
                file.write(f"{claim.trial.number}\n")
        return was_told

    return finish_and_note


def work(url: str, definition: Definition, folder: Path, number: int, planned: str) -> None:
    """Run one host until the study has its results, also those of hosts that died."""
    vars(attempt)["finish_trial"] = _noting(folder / f"told-{number}")
    if planned == "claimed":
        vars(worker)["claim_trial"] = _claim_and_die
    storage = open_storage(url, num_workers=1)
    changes = {"beat_s": BEAT_S, "grace_s": GRACE_S, "poll_s": 0.05}
    host, _ = make_host(definition, storage, folder / "runs", **changes)
    if planned == "working":
        threading.Thread(target=_die_when_busy, args=(host,), daemon=True).start()
    host.run()
    storage.close()


def main(url: str, definition: str, folder: str, *plans: str) -> None:
    """Fork the hosts from this process, which has done the imports for all of them."""
    children = []
    for number, planned in enumerate(plans):
        child = os.fork()
        if child == 0:
            work(url, from_json(definition), Path(folder), number, planned)
            return
        children.append(child)
    print(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


if __name__ == "__main__":
    main(*sys.argv[1:])
