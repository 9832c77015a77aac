from pathlib import Path

import pytest
import torch
from torch import distributed

from rrnn_lit.training.gathering import gather_texts, take_from_first, value_of
from tests.training.ranks import rank, run_ranks


def test_one_process_has_its_own_text() -> None:
    assert gather_texts(b"own") == [b"own"]


@pytest.mark.parametrize("texts", [(b"a  ", "\u00e9\0b".encode()), (b"", b"")])
def test_all_processes_have_all_texts_in_order(texts: tuple[bytes, bytes], tmp_path: Path) -> None:
    def work() -> int:
        meet(tmp_path)
        return int(gather_texts(texts[rank()]) != list(texts))

    assert run_ranks(2, work, tmp_path / "log") == [0, 0]


def meet(folder: Path) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder / 'group'}", rank=rank(), world_size=2
    )


def test_one_process_has_its_own_value_as_it_is() -> None:
    value = {1: Path("a")}
    assert value_of(0, value) is value


@pytest.mark.parametrize("source", [0, 1])
def test_all_processes_get_the_value_of_one(source: int, tmp_path: Path) -> None:
    def work() -> int:
        meet(tmp_path)
        value = [0.1, None, Path("a\u00e9")] if rank() == source else object()
        return int(value_of(source, value) != [0.1, None, "a\u00e9"])

    assert run_ranks(2, work, tmp_path / "log") == [0, 0]


def test_all_processes_take_the_tensor_of_the_first(tmp_path: Path) -> None:
    def work() -> int:
        meet(tmp_path)
        tensor = torch.full((3,), float(rank() + 1))
        take_from_first(tensor)
        return int(not torch.equal(tensor, torch.ones(3)))

    assert run_ranks(2, work, tmp_path / "log") == [0, 0]
