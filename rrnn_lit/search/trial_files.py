"""Files a trial starts from: the base config of its study, its own options, its W&B id."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rrnn_lit.complaints import UnsafeError
from rrnn_lit.search.options import flatten, nest
from rrnn_lit.search.study_file import NAME, Definition
from rrnn_lit.search.trial_owner import Owner, take_folder
from rrnn_lit.training.run_folder import (
    LAST_CHECKPOINT,
    STOP_REQUEST_FILE,
    WANDB_ID_FILE,
    is_run,
)
from rrnn_lit.whole_files import write_text

BASE_FILE = "base.yaml"
OPTIONS_FILE = "options.yaml"


class MissingCheckpointError(ValueError):
    """A later rung has nothing to go on from on this machine."""


@dataclass(frozen=True)
class TrialPlace:
    """Where a trial lives and who it is.

    Attributes:
        out: folder of all studies.
        root: name of the study at the foot of the ladder; the study's own name if it is there.
        number: of the trial in its study.
        origin: number of the trial in the root study; None if it was drawn in its own.
        token: of the root study; tells studies of one name apart.
    """

    out: Path
    root: str
    number: int
    origin: int | None
    token: str

    def __post_init__(self) -> None:
        """Refuse a place outside of `out`: root and origin come from the storage.

        Raises:
            UnsafeError: the root is no name of a study, or the origin no number of a trial.
        """
        # through str: the storage can hold any JSON
        if not NAME.fullmatch(str(self.root)) or not isinstance(self.origin, int | None):
            raise UnsafeError(
                "trials stay in the folder of their study; the storage says that this one "
                f"continues trial {self.origin!r} of study {self.root!r}"
            )

    @property
    def owner(self) -> Owner:
        """Whom the run folder has to belong to."""
        return Owner(self.root, self.token, self.number if self.origin is None else self.origin)


def trial_folder(place: TrialPlace) -> Path:
    """Return the run folder; all rungs share that of the first.

    Raises:
        MissingCheckpointError: a later rung finds no checkpoint there. To start anew would make
            another run than the one that was chosen.
    """
    folder = place.out / place.root / f"trial-{place.owner.trial:04d}"
    if place.origin is not None and not can_resume(folder):
        raise MissingCheckpointError(
            f"{folder / LAST_CHECKPOINT}: wanted the checkpoint of trial {place.origin} of study"
            f" {place.root}, got none; --out has to be the folder of that study, shared by all"
            " machines"
        )
    return folder


def can_resume(folder: Path) -> bool:
    """Tell whether the folder holds a run with a checkpoint."""
    return is_run(folder) and (folder / LAST_CHECKPOINT).is_file()


def write_trial(
    definition: Definition, place: TrialPlace, options: Mapping[str, Any]
) -> tuple[Path, tuple[str, ...]]:
    """Write the files a trial starts from; return its folder and the arguments of `rrnn`.

    Args:
        definition: the study.
        place: where the trial lives.
        options: what the trial varies, by dotted name.

    Raises:
        ValueError: the folder holds a run of another trial; nothing was written.
        MissingCheckpointError: as `trial_folder`.
    """
    base = place.out / definition.name / BASE_FILE
    folder = trial_folder(place)
    take_folder(folder, place.owner)
    (folder / STOP_REQUEST_FILE).unlink(missing_ok=True)
    _write(base, _yaml(definition.base_options))
    _write(folder / OPTIONS_FILE, _yaml(nest(trial_options(definition, folder, options))))
    if not (folder / WANDB_ID_FILE).exists():
        _write(folder / WANDB_ID_FILE, wandb_id(definition, place.number, place.token))
    return folder, trial_arguments(base, folder)


def trial_arguments(base: Path, folder: Path) -> tuple[str, ...]:
    """Return the arguments that start the trial in `folder`, or go on with it."""
    options = str(folder / OPTIONS_FILE)
    if can_resume(folder):
        # also right for a run that has come to its end: nobody heard of it, and it says so again
        return ("fit", "--resume", str(folder), "--config", options)
    return ("fit", "--config", str(base), "--config", options)


def trial_options(
    definition: Definition, folder: Path, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a trial changes in the base config, by dotted name."""
    changed = {**definition.overrides, **options}
    return {
        **changed,
        "trainer.max_steps": definition.steps,
        "trainer.enable_progress_bar": False,
        "run.folder": str(folder),
        "run.if_exists": "resume",
        "wandb.group": definition.name,
        "wandb.job_type": "trial",
        "wandb.tags": _tags({**flatten(definition.base_options), **changed}),
    }


def wandb_id(definition: Definition, number: int, token: str) -> str:
    """Return the W&B id of a trial, the same for all its attempts on all machines."""
    unique = f"{definition.name} {definition.seed} {number} {token}"
    return hashlib.sha256(unique.encode()).hexdigest()[:12]


def _tags(options: Mapping[str, Any]) -> Sequence[str]:
    tags = list(options.get("wandb.tags") or [])
    return tags if "sweep" in tags else [*tags, "sweep"]


def _yaml(options: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(options), sort_keys=False)


def _write(path: Path, text: str) -> None:
    """Write a file unless it is there: workers share the base config."""
    with suppress(FileNotFoundError):
        if path.read_text(encoding="utf-8") == text:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
