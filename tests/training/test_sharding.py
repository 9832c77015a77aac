"""What a process of shared out weights takes of a checkpoint."""

import gc
from pathlib import Path

import pytest
import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Shard, distribute_tensor
from torch.nn import Parameter

from rrnn_lit.training.checkpoint_file import PARTS, write_checkpoint
from rrnn_lit.training.sharding import ShardedStrategy, part_of_optimizer_state
from rrnn_lit.training.strategies import WAIT
from tests.training.ranks import rank, run_ranks
from tests.training.test_gathering import meet


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A checkpoint of one weight of 4 rows and the state of ADAM after a step."""
    weight = Parameter(torch.arange(12.0).reshape(4, 3))
    adam = torch.optim.Adam([weight])
    weight.grad = weight.detach().clone()
    adam.step()
    path = tmp_path / "last.ckpt"
    states = {"state_dict": {"weight": weight.detach()}, "optimizer_states": [adam.state_dict()]}
    write_checkpoint({**dict.fromkeys(PARTS), **states}, path)
    return path


def is_mapped(path: Path) -> bool:
    return str(path) in Path("/proc/self/maps").read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads Linux's /proc")
def test_a_process_maps_a_checkpoint_and_keeps_its_part_alone(
    checkpoint: Path, tmp_path: Path
) -> None:
    def work() -> int:
        meet(tmp_path)
        mesh = init_device_mesh("cpu", (2,))
        weight = Parameter(distribute_tensor(torch.zeros(4, 3), mesh, [Shard(0)]))
        adam = torch.optim.Adam([weight])
        content = ShardedStrategy(WAIT).load_checkpoint(checkpoint)
        assert is_mapped(checkpoint), "read into memory"
        stored = content["optimizer_states"][0]
        wanted = stored["state"][0]["exp_avg"].chunk(2)[rank()].clone()
        adam.load_state_dict(part_of_optimizer_state(adam, stored))
        del content, stored
        gc.collect()
        assert not is_mapped(checkpoint), "the file is still in use"
        own = adam.state[weight]["exp_avg"]
        assert isinstance(own, DTensor)
        return int(not torch.equal(own.to_local(), wanted))

    log = tmp_path / "log"
    assert run_ranks(2, work, log) == [0, 0], Path(f"{log}.0").read_text(encoding="utf-8")
