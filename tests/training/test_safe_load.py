from pathlib import Path

import pytest

from rrnn_lit.complaints import UnsafeError
from rrnn_lit.training.safe_load import cause_of, check_is_file


@pytest.mark.parametrize("address", ["http://host/a.ckpt", "s3://bucket/a.ckpt"])
def test_an_address_is_refused_and_not_fetched(address: str) -> None:
    with pytest.raises(UnsafeError, match="checkpoints are files of this machine, got"):
        check_is_file(address)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ckpt_path: wanted a checkpoint file, got .*none.ckpt"):
        check_is_file(tmp_path / "none.ckpt")


def test_code_is_told_from_damage(tmp_path: Path) -> None:
    code = RuntimeError("Unsupported global: GLOBAL posix.mkdir was not an allowed global")
    damage = RuntimeError("failed finding central directory")
    assert isinstance(cause_of(tmp_path, code), UnsafeError)
    assert cause_of(tmp_path, damage) is damage
