"""One W&B run per training, offline unless the user has logged in."""

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from rrnn_lit.training.run_folder import WANDB_ID_FILE
from rrnn_lit.training.wandb_mirror import WandbMirror
from rrnn_lit.training.wandb_mode import choose_mode
from rrnn_lit.whole_files import write_text

_OPEN: list[WandbMirror] = []  # of this process


@dataclass(frozen=True)
class WandbSettings:
    """How a run shows in W&B.

    Attributes:
        enabled: whether to write a W&B run at all; `metrics.jsonl` holds the same numbers.
        project: W&B project.
        entity: W&B user or team; null for the default of the login.
        group: group of runs, for example a study; null for none.
        tags: tags of the run.
        job_type: kind of run within the group, for example `trial`; null for none.
    """

    enabled: bool
    project: str
    entity: str | None
    group: str | None
    tags: list[str]
    job_type: str | None = None


def make_wandb_logger(
    settings: WandbSettings,
    folder: Path,
    held: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> WandbMirror | None:
    """Return the logger of a run folder, or None when W&B is off.

    The run id is fixed by the folder's first start, so that a resumed run continues its charts.

    Args:
        settings: of the run.
        folder: the run's.
        held: its ownership, which is entered around every write.
    """
    if not settings.enabled or choose_mode() == "disabled":
        return None
    folder.mkdir(parents=True, exist_ok=True)
    init = {
        "name": folder.resolve().name,
        "id": _run_id(folder),
        "project": settings.project,
        "entity": settings.entity,
        "group": settings.group,
        "job_type": settings.job_type,
        "tags": settings.tags,
    }
    mirror = WandbMirror(folder, init, held)
    _OPEN.append(mirror)
    return mirror


def _run_id(folder: Path) -> str:
    path = folder / WANDB_ID_FILE
    # an earlier version could leave an empty file behind
    known = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    if not known:
        unique = f"{folder.resolve()} {os.urandom(8).hex()}"
        known = hashlib.sha256(unique.encode()).hexdigest()[:12]
        write_text(path, known)
    return known


def finish(exit_code: int, end: str | None = None) -> None:
    """Close the W&B run of this process, if there is one.

    Args:
        exit_code: the run shows as failed unless 0.
        end: what a sweep has stopped it for, for example `pruned`: becomes a tag, and `end` in the
            summary. None for a run that came to its own end, which is `finished` or `failed`.
    """
    while _OPEN:
        # also without one: the summary of a resumed run may still hold that of its last start
        _OPEN.pop().close(exit_code, end or ("failed" if exit_code else "finished"))


def abandon() -> None:
    """Leave the W&B run of this process as it is: another process goes on with it."""
    while _OPEN:
        _OPEN.pop().abandon()
