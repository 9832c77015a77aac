import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rrnn_lit.bench.faults.damage import cut, empty, flip_bit
from rrnn_lit.complaints import UnsafeError
from rrnn_lit.training.checkpoint_check import CheckpointError, check_whole, newest_checkpoint
from rrnn_lit.training.checkpoint_file import read_checkpoint, write_checkpoint
from rrnn_lit.training.run_folder import BEST_CHECKPOINT, LAST_CHECKPOINT, PREVIOUS_CHECKPOINT
from rrnn_lit.training.tensor_claims import check_shapes

CONTENT: dict[str, Any] = {"dictionary_digest": "a", "global_step": 3, "w": torch.arange(2000.0)}
TRAILER = 71


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_checkpoint(CONTENT, tmp_path / LAST_CHECKPOINT)
    return tmp_path / LAST_CHECKPOINT


@pytest.fixture
def earlier_version(tmp_path: Path) -> Path:
    torch.save(CONTENT, tmp_path / "earlier.ckpt")
    return tmp_path / "earlier.ckpt"


@pytest.mark.parametrize("mmap", [False, True])
def test_a_file_with_a_digest_loads_by_plain_torch(path: Path, mmap: bool) -> None:
    assert path.read_bytes()[-TRAILER:].startswith(b"SHA256:")
    loaded = torch.load(path, weights_only=True, mmap=mmap)
    assert torch.equal(loaded["w"], CONTENT["w"])
    assert check_whole(path)


def test_every_kind_of_damage_at_every_place_is_found(path: Path) -> None:
    content = path.read_bytes()
    places = [*range(0, len(content), 97), *range(len(content) - TRAILER, len(content))]
    for place in places:
        for damage in (flip_bit, cut):
            path.write_bytes(content)
            damage(path, 8 * place if damage is flip_bit else place)
            if damage is cut and place == len(content) - TRAILER:
                assert not check_whole(path)  # as an earlier version would have written it
                continue
            with pytest.raises(CheckpointError, match="last.ckpt: wanted a whole checkpoint"):
                check_whole(path)


def test_bytes_behind_the_digest_are_found(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(CheckpointError, match="digest is torn or damaged"):
        check_whole(path)


def test_a_file_of_an_earlier_version_is_taken_with_a_warning(
    earlier_version: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert torch.equal(read_checkpoint(earlier_version)["w"], CONTENT["w"])
    assert f"rrnn: warning: {earlier_version} has no digest" in capsys.readouterr().err


def test_a_wrong_bit_in_weights_of_an_earlier_version_is_found(earlier_version: Path) -> None:
    flip_bit(earlier_version, 4 * earlier_version.stat().st_size)
    with pytest.raises(CheckpointError, match="wanted a whole checkpoint, got wrong bytes in"):
        read_checkpoint(earlier_version)


def test_a_compressed_archive_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.ckpt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(1_000_000))
    with pytest.raises(UnsafeError, match="x.ckpt: wanted a checkpoint as it is"):
        read_checkpoint(tmp_path / "x.ckpt")


def test_a_tensor_that_claims_more_than_its_bytes_is_refused(tmp_path: Path) -> None:
    bomb = torch.zeros(1).expand(10**9)
    write_checkpoint({**CONTENT, "states": [{"moment": bomb}]}, tmp_path / "x.ckpt")
    with pytest.raises(UnsafeError, match=r"x.ckpt: .* got the shape \[1000000000\] in 4 bytes"):
        read_checkpoint(tmp_path / "x.ckpt")


@pytest.mark.parametrize("found", [{"a": torch.ones(2, 1)}, {}, {"a": torch.ones(2), "b": 1}])
def test_other_weights_than_the_model_has_are_refused_by_name(found: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ckpt_path: wanted (a|b) of shape"):
        check_shapes({"b": torch.ones(1), **found}, {"a": torch.ones(2), "b": torch.ones(1)})


@pytest.mark.parametrize("damage", [empty, Path.unlink, lambda path: cut(path, 100)])
def test_the_newest_whole_checkpoint_is_taken(
    path: Path, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    run = path.parents[1]
    write_checkpoint({**CONTENT, "global_step": 4}, path, run / PREVIOUS_CHECKPOINT)
    assert newest_checkpoint(run) == path
    assert capsys.readouterr().err == ""
    damage(path)
    assert newest_checkpoint(run) == run / PREVIOUS_CHECKPOINT
    assert read_checkpoint(run / PREVIOUS_CHECKPOINT)["global_step"] == 3
    said = capsys.readouterr().err
    assert said.count(f"{path}: wanted a whole") == path.exists()


def test_without_a_whole_one_all_are_named_and_the_best_is_no_candidate(path: Path) -> None:
    run = path.parents[1]
    write_checkpoint(CONTENT, path, run / PREVIOUS_CHECKPOINT)
    write_checkpoint(CONTENT, run / BEST_CHECKPOINT)
    for name in (LAST_CHECKPOINT, PREVIOUS_CHECKPOINT):
        empty(run / name)
    with pytest.raises(CheckpointError, match=r"last.ckpt: .* an empty file; .*last-1.ckpt: "):
        newest_checkpoint(run)
