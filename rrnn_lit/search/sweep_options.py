"""What all workers of a host share: the study and how its trials are run."""

from dataclasses import dataclass
from pathlib import Path

import optuna

from rrnn_lit.search.storage import SweepStorage
from rrnn_lit.search.study_file import Definition
from rrnn_lit.search.trial_process import TrialServer


@dataclass(frozen=True)
class SweepOptions:
    """How a host runs its trials.

    Attributes:
        out: folder of all studies.
        num_workers: trials at a time.
        threads: threads of each trial; 0 leaves it to torch.
        gpus: devices that the workers take in turn, as in CUDA_VISIBLE_DEVICES; none: as is.
        beat_s: seconds between signs of life.
        grace_s: seconds without one after which a trial counts as dead; a worker that could give
            none, because it cannot reach the database, stops its trial one beat earlier.
        poll_s: seconds between looks at a trial.
        stop_grace_s: seconds a trial has to save when it is stopped.
    """

    out: Path
    num_workers: int
    threads: int
    gpus: tuple[str, ...]
    beat_s: float = 10.0
    grace_s: float = 60.0
    poll_s: float = 0.5
    stop_grace_s: float = 30.0


@dataclass(frozen=True)
class Sweep:
    """A study, its storage, and what starts its trials."""

    study: optuna.Study
    definition: Definition
    storage: SweepStorage
    server: TrialServer
    options: SweepOptions
