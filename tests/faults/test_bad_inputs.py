"""A damaged prepared folder is found before the first step, by the name of the file."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from rrnn_lit.data.manifest import read_manifest
from tests.codec.damage import flip_bit
from tests.faults.canaries import EXIT_BAD_INPUT, ended
from tests.training.tiny import tiny_config

Got = Callable[[str], None]
NUM_FLIPS = 20


def flipped(share: float) -> Callable[[Path], None]:
    return lambda path: flip_bit(path, share)


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.promise(15)
def test_every_changed_missing_or_cut_file_is_named_before_step_0(
    tmp_path: Path, prepared_folder: Path, got: Got, capfd: pytest.CaptureFixture[str]
) -> None:
    data, run = tmp_path / "data", tmp_path / "run"
    shutil.copytree(prepared_folder, data)
    config = tmp_path / "c.yaml"
    config.write_text(yaml.safe_dump(tiny_config(data, run)))
    dice = random.Random(15)
    names = sorted(read_manifest(data)["files"])
    # every file has its turn, then files and places by chance
    chosen = [*names, *dice.choices(names, k=NUM_FLIPS)][:NUM_FLIPS]
    damages = [(name, flipped(dice.random())) for name in chosen]
    damages += [(dice.choice(names), remove), (dice.choice(names), cut)]
    found = 0
    for name, damage in damages:
        whole = (data / name).read_bytes()
        (data / name).chmod(0o666)
        damage(data / name)
        code = ended("fit", "--config", config)
        line = capfd.readouterr().err.splitlines()[-1]
        found += code == EXIT_BAD_INPUT and str(data / name) in line and not run.exists()
        (data / name).write_bytes(whole)
    got(f"{found} of {len(damages)} found by file name, exit 65")
    assert found == len(damages) == NUM_FLIPS + 2
    assert ended("fit", "--config", config) == 0  # it was the damage
