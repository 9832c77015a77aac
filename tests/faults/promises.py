"""What the platform promises when processes die, disks fill and files lie, a row each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Promise:
    """One row.

    Attributes:
        text: what is promised.
        wanted: the figure that a test asserts.
        not_here: what the tests cannot show on a machine with two cores and no GPU.
    """

    text: str
    wanted: str
    not_here: str = ""


PROMISES = {
    1: Promise(
        "a killed run resumes as the same run", "0 keys of the checkpoint differ after 12 deaths"
    ),
    2: Promise("no sentence is lost or repeated", "0 lost, 0 repeated after 12 deaths"),
    3: Promise("data workers do not change results", "0 of 4 digests differ"),
    4: Promise(
        "a dead rank costs only the steps since the last checkpoint",
        "6 of 6 runs identical on both ranks",
        "NCCL; two gloo processes stand for it",
    ),
    5: Promise("fewer or more ranks, same batches", "0 of 40 steps differ (1, 2 and 4 ranks)"),
    6: Promise(
        "preemption is clean",
        "6 of 6 and 4 of 4 identical, exit 75, one requeue for each stop",
        "a real SLURM; a stand-in for scontrol counts the requeues",
    ),
    7: Promise(
        "a write never harms the last good checkpoint",
        "0 bad of 40 killed saves, 0 of 2 full disks",
        "a power cut; NFS and Lustre",
    ),
    8: Promise("damage is noticed and survived", "3 of 3 found, 0 wrong loads"),
    9: Promise(
        "no NaN reaches a kept checkpoint",
        "0 updates after the fault, exit 79",
        "a GPU in bf16 or fp32, where the update is checked at each log line: up to "
        "log_every_n_steps - 1 further updates may run there before exit 79",
    ),
    10: Promise("early stopping and schedules survive", "0 of 8 kill plans differ"),
    11: Promise(
        "mixed precision survives",
        "0 keys differ, loss scale equal",
        "CUDA's own kernels; real fp16 with the loss scale on the CPU stands for them",
    ),
    12: Promise("a run can be extended", "0 keys differ from a straight run"),
    13: Promise(
        "a dead data worker or a hung rank ends the run in time",
        "worker within 10 s, rank within 60 s, exit 74 or 76",
        "NCCL's own watchdog",
    ),
    14: Promise(
        "one writer per run folder",
        "0 double writers of 20, exit 73",
        "locks of NFS; another machine is played by another boot id",
    ),
    15: Promise("bad inputs are found before step 0", "22 of 22 found by file name, exit 65"),
    16: Promise("deaths of workers lose no trial", "0 of 40 lost, none RUNNING"),
    17: Promise("no trial runs twice", "0 of 160 twice; SQLite with 2 workers refused"),
    18: Promise("database outages are ridden out", "0 crashes, 0 false failures (3 s and 12 s)"),
    19: Promise(
        "one bad trial never stops the sweep",
        "6 of 6 reasons right, the rest COMPLETE",
        "CUDA's own out of memory; its exception stands for it",
    ),
    20: Promise(
        "a retried trial continues", "repeated steps at most the save interval, same folder and id"
    ),
    21: Promise(
        "W&B can fail without harm",
        "0 lines lost, 0 runs ended (kill, no network, full folder)",
        "syncing with W&B's servers; step times, which the tests do not measure: the mirror is a "
        "process of its own that reads the log",
    ),
    22: Promise("foreign checkpoints run no code", "0 canaries of 7"),
    23: Promise("foreign embeddings run no code and are checked", "0 canaries, 6 of 6 refused"),
    24: Promise("a config cannot import what is not allowed", "0 imports of 8"),
    25: Promise("archives stay inside their folder and size", "0 escapes of 6"),
    26: Promise("secrets are never written", "0 hits in every file written"),
    27: Promise("the shared study is not a code channel", "0 canaries, CMA-ES refused"),
    28: Promise(
        "dependencies are the reviewed ones",
        "a changed hash is not installed; 0 open ranges",
        "a database of known vulnerabilities needs the network: `make audit`",
    ),
    29: Promise("preprocessing survives deaths byte for byte", "0 bytes differ"),
    30: Promise(
        "deduplication is exact and bounded", "0 duplicates left, memory + <= 20 % at 10x"
    ),
}
