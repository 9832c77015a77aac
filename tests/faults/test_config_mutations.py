"""Mutations of the demo config: each trains a step, or is refused in one line by its name.

`RRNN_MUTATIONS` says how many, 200 if it does not.
"""

import math
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit import cli
from rrnn_lit.training.lightning_cli import RRNNCLI
from tests.faults.mutations import ABSENT, Mutation, mutations
from tests.faults.one_step import Child, Ending
from tests.training.tiny import tiny_config

pytestmark = pytest.mark.fuzz

NUMBER = int(os.environ.get("RRNN_MUTATIONS", "200"))
AT_ONCE = 2
SEED = 0
REFUSALS = (
    *(cli.EXIT_BAD_CONFIG, cli.EXIT_BAD_INPUT, cli.EXIT_OUT_OF_MEMORY, cli.EXIT_NOT_FINITE),
    80,  # a security rule
)
TRAINED = (0, cli.EXIT_STOPPED)
# options with several spellings of a value
OTHER_FORMS = ("run.folder", "trainer.max_time", "trainer.precision", "seed_everything")
# a step, one evaluation, one checkpoint
ONE_STEP = {
    "trainer.max_steps": 1,
    "trainer.val_check_interval": 1,
    "checkpoint.every_n_steps": 1,
}


def complaint(mutation: Mutation, ending: Ending) -> str:
    """Return what is wrong with how a mutation ended; nothing if it is as it should be."""
    lines = ending.err.strip().splitlines()
    said = [line for line in lines if line.startswith("rrnn ")]
    if "Traceback" in ending.err:
        return "a trace"
    if ending.code in REFUSALS:
        if said != lines[-1:]:
            return "not one line"
        return "" if any(name in said[0] for name in mutation.names) else "not by name"
    if ending.code not in TRAINED:
        return f"exit code {ending.code}"
    return ""


def changed(mutation: Mutation, folder: Path) -> str:
    """Return what the run made of the option, if that is not what the config says."""
    configs = sorted(folder.rglob("config.yaml"))
    if mutation.value is ABSENT or mutation.place in OTHER_FORMS or not configs:
        return ""
    kept = yaml.safe_load(configs[0].read_text(encoding="utf-8"))
    for key in mutation.place.split("."):
        kept = kept[key]
    return "" if means(mutation.value, kept) else f"quietly changed to {kept!r}"


def means(wanted: Any, got: Any) -> bool:
    """Tell whether an option is what it was set to; a text is read as YAML reads it."""
    if isinstance(wanted, str) and not isinstance(got, str):
        wanted = yaml.safe_load(wanted)
    try:
        return bool(wanted == got) or math.isclose(float(wanted), float(got))
    except (TypeError, ValueError):
        return False


def run_all(found: list[Mutation], place: Path) -> Iterator[tuple[Mutation, Ending]]:
    """Yield how each mutation ends; two run at once."""
    left = list(found)
    running: dict[int, tuple[Mutation, Child]] = {}
    while left or running:
        while left and len(running) < AT_ONCE:
            mutation = left.pop()
            folder = place / str(mutation.number)
            folder.mkdir()
            config = yaml.safe_dump(mutation.config, allow_unicode=True)
            (folder / "given.yaml").write_text(config, encoding="utf-8")
            child = Child(["fit", "--config", "../../given.yaml"], folder / "some" / "where")
            running[child.pid] = mutation, child
        for pid in list(running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                mutation, child = running.pop(pid)
                yield mutation, child.ending(status)
        time.sleep(0.005)


@pytest.mark.timeout(3_600)
def test_every_mutation_trains_a_step_or_is_refused_by_name(
    tmp_path: Path, prepared_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "given.yaml"
    options = tiny_config(prepared_folder, tmp_path / "whole", ONE_STEP)
    given.write_text(yaml.safe_dump(options), encoding="utf-8")
    RRNNCLI(["fit", "--config", str(given)])  # what it imports and reads, all forks have
    found = mutations(tiny_config(prepared_folder, Path("run"), ONE_STEP), NUMBER, SEED)
    endings: Counter[int] = Counter()
    wrong = []
    for mutation, ending in run_all(found, tmp_path):
        endings[ending.code] += 1
        text = complaint(mutation, ending)
        if ending.code in TRAINED:
            text = text or changed(mutation, tmp_path / str(mutation.number))
        if text:
            last = ending.err.strip().splitlines()[-1:]
            wrong.append(f"{mutation.number}: {mutation.place} {mutation.what}: {text} {last}")
    with capsys.disabled():
        print(f"\n{NUMBER} mutations, exit codes {dict(sorted(endings.items()))}")
    assert not wrong, "\n".join(wrong)
    assert endings[0] > NUMBER // 20
    assert endings[cli.EXIT_BAD_CONFIG] > NUMBER // 20
    assert endings[cli.EXIT_BAD_INPUT] > NUMBER // 20
