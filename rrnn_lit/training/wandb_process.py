"""Shows a run in W&B from a process of its own: `python -m rrnn_lit.training.wandb_process`.

It reads what the run writes into its folder anyway, so that a W&B that is slow, hangs or fails can
neither slow a step nor end a run. The run's process, in `wandb_mirror.py`, writes to its stdin: a
line with a Plan, and at the end one with exit code and reason. The end of stdin without that line
is the run's death: what it had logged is still sent. To stdout go lines for people.
"""

import fcntl
import json
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from rrnn_lit.training.metrics_lines import effective_records
from rrnn_lit.training.run_folder import CONFIG_FILE, METRICS_FILE, WANDB_ID_FILE

if TYPE_CHECKING:
    from wandb import Run

TABLES_FILE = "wandb_tables.jsonl"
STEP = "trainer/global_step"  # the x-axis of every chart: W&B's own steps may not come twice
GIVE_UP_S = 45.0  # after the run's end
_FINISH_S = 30.0  # W&B's own limit for what is still to be sent
_INIT_S = 20.0  # until a start is kept offline; WANDB_INIT_TIMEOUT is another
_POLL_S = 1.0
_NO_FIGURES = ("step", "time", "life")
_SHOWN = 200


@dataclass(frozen=True)
class Plan:
    """What to show.

    Attributes:
        folder: of the run; its `config.yaml` is written.
        begin_step: the step at which this start of the run begins; 0 for a new run.
        metrics_size: bytes of whole lines in `metrics.jsonl` that earlier starts wrote.
        tables_size: the same of `wandb_tables.jsonl`.
        init: arguments of `wandb.init`.
    """

    folder: str
    begin_step: int
    metrics_size: int
    tables_size: int
    init: dict[str, Any]


class Tail:
    """Whole lines of a growing file of JSON objects; others are passed over."""

    def __init__(self, path: Path, offset: int) -> None:
        self._path, self._offset = path, offset

    def new_records(self) -> list[dict[str, Any]]:
        """Return those that were completed since the last call."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        data = data[: data.rfind(b"\n") + 1]
        self._offset += len(data)
        return [record for record in map(_object, data.split(b"\n")) if record is not None]


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("step"), int) else None


def earlier_records(plan: Plan, known: float) -> list[dict[str, Any]]:
    """Return what earlier starts logged up to the step at which this one goes on.

    Args:
        plan: of this start.
        known: W&B has all lines before this step; those of the step itself come again.
    """
    folder = Path(plan.folder)
    records = []
    for name, size in ((METRICS_FILE, plan.metrics_size), (TABLES_FILE, plan.tables_size)):
        if size:
            with open(folder / name, "rb") as file:
                records += effective_records(folder / name, file.read(size))
    kept = [record for record in records if known <= record["step"] <= plan.begin_step]
    return sorted(kept, key=lambda record: record["step"])


def show(plan: Plan, is_over: Callable[[float], bool], say: Callable[[str], None]) -> "Run":
    """Send a run's config and figures, the earlier ones first, until the run is over.

    Args:
        plan: what to show.
        is_over: waits at most so many seconds for the run's end, and returns whether it is there.
        say: tells people something.
    """
    folder = Path(plan.folder)
    run = _begin(plan, say)
    config = yaml.safe_load((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    run.config.update(config, allow_val_change=True)  # type: ignore[no-untyped-call]
    run.define_metric(STEP)
    run.define_metric("*", step_metric=STEP, step_sync=True)
    known = run.summary.get(STEP, 0) if run.resumed else 0  # type: ignore[no-untyped-call]
    for record in earlier_records(plan, known):
        _send(run, record)
    sizes = {METRICS_FILE: plan.metrics_size, TABLES_FILE: plan.tables_size}
    tails = [Tail(folder / name, size) for name, size in sizes.items()]
    done = False
    while not done:
        done = is_over(_POLL_S)  # before the last look at the files
        for tail in tails:
            for record in tail.new_records():
                _send(run, record)
    return run


def _begin(plan: Plan, say: Callable[[str], None]) -> "Run":
    """Start the W&B run; one that cannot be sent is kept beside the run."""
    import wandb

    settings = wandb.Settings(
        # metadata would hold the command line, and with it whatever stands there
        x_disable_meta=True,
        silent=True,
        console="off",
        init_timeout=float(os.environ.get("WANDB_INIT_TIMEOUT", _INIT_S)),
        finish_timeout=_FINISH_S,
    )
    try:
        return wandb.init(**plan.init, dir=plan.folder, resume="allow", settings=settings)
    except Exception as error:
        if os.environ.get("WANDB_MODE") == "offline":
            raise
        say(f"W&B: {one_line(error)}; this start is kept offline, for `wandb sync`")
        wandb.teardown()  # for W&B the run is in use until then
        return wandb.init(
            **plan.init, dir=plan.folder, resume="allow", settings=settings, mode="offline"
        )


def _send(run: "Run", record: dict[str, Any]) -> None:
    if "table" in record:
        import wandb

        table = wandb.Table(columns=record["columns"], data=record["rows"])
        run.log({record["table"]: table, STEP: record["step"]})
        return
    figures = {name: value for name, value in record.items() if name not in _NO_FIGURES}
    run.log({**figures, STEP: record["step"]})


def one_line(error: BaseException) -> str:
    """Return what went wrong, short."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:_SHOWN]


class _Orders:
    """The lines on stdin."""

    def __init__(self) -> None:
        self._data = b""
        self._has_ended = False
        self.end: dict[str, Any] = {"exit_code": 1, "end": "killed"}

    def first(self) -> dict[str, Any]:
        """Wait for the first line."""
        while b"\n" not in self._data and not self._has_ended:
            self._read()
        line, _, self._data = self._data.partition(b"\n")
        return dict(json.loads(line))

    def is_over(self, timeout: float) -> bool:
        """Wait for the run's end, at most so many seconds."""
        give_up = time.monotonic() + timeout
        # the line, not the end of stdin: data workers of the run hold that open as well
        while not self._is_complete() and (left := give_up - time.monotonic()) > 0:
            if select.select([0], [], [], left)[0]:
                self._read()
        if not self._is_complete():
            return False
        if b"\n" in self._data:
            self.end = json.loads(self._data.partition(b"\n")[0])
        timer = threading.Timer(GIVE_UP_S, os._exit, (1,))
        timer.daemon = True
        timer.start()
        return True

    def _is_complete(self) -> bool:
        return self._has_ended or b"\n" in self._data

    def _read(self) -> None:
        data = os.read(0, 1 << 16)
        self._data += data
        self._has_ended = not data


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait for the process of an earlier start, which may still be sending."""
    with open(folder / WANDB_ID_FILE, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _speaker() -> Callable[[str], None]:
    """Keep stdout for ourselves; W&B's own programs would hold it open behind our end."""
    mine = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)

    def say(line: str) -> None:
        os.write(mine, f"{line}\n".encode())

    return say


def main() -> int:
    """Show one run; return 0, or 1 if W&B has failed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)  # for the run, which tells us when it ends
    say, orders = _speaker(), _Orders()
    try:
        plan = Plan(**orders.first())
        with _alone(Path(plan.folder)):
            run = show(plan, orders.is_over, say)
            end = orders.end
            if end["end"] not in ("finished", "failed"):
                run.tags = (*(run.tags or ()), end["end"])
            run.summary["end"] = end["end"]
            is_offline, place = run.settings.mode == "offline", Path(run.settings.sync_dir)
            run.finish(end["exit_code"])
            if is_offline and end["end"] == "finished":
                say(
                    f"W&B, offline: look with `wandb leet {place}`, send with `wandb sync {place}`"
                )
    except BaseException as error:
        say(
            f"W&B: {one_line(error)}; the run goes on without it, its figures are in metrics.jsonl"
        )
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    os._exit(code)  # W&B's own end may hang or complain, and nothing is left to do
