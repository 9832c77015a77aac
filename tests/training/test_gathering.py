from pathlib import Path

import pytest
from torch import distributed

from rrnn_lit.training.gathering import gather_texts
from tests.training.ranks import rank, run_ranks


def test_one_process_has_its_own_text() -> None:
    assert gather_texts(b"own") == [b"own"]


@pytest.mark.parametrize("texts", [(b"a  ", "\u00e9\0b".encode()), (b"", b"")])
def test_all_processes_have_all_texts_in_order(texts: tuple[bytes, bytes], tmp_path: Path) -> None:
    def work() -> int:
        distributed.init_process_group(
            "gloo", init_method=f"file://{tmp_path / 'group'}", rank=rank(), world_size=2
        )
        return int(gather_texts(texts[rank()]) != list(texts))

    assert run_ranks(2, work, tmp_path / "log") == [0, 0]
