"""Weights shared out over devices (FSDP2), for widths whose training does not fit one device.

Weights, gradients and ADAM's moments lie on the devices in equal parts. The weights of encoder
and decoder come together, one after the other, for the time of their forward and backward pass.
A checkpoint is the same file as without sharding: the first process gathers it.
"""

from collections.abc import Mapping
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.strategies import ModelParallelStrategy
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from rrnn_lit.models.autoencoder import SentenceAutoencoder
from rrnn_lit.training.checkpoint_file import read_named
from rrnn_lit.training.gathering import value_of
from rrnn_lit.training.launching import launching


class ShardedStrategy(ModelParallelStrategy):
    """Lightning's strategy for sharded weights, with the checkpoints of the other strategies.

    Args:
        timeout: after which a process that waits for another raises.
        process_group_backend: `nccl` or `gloo`; null for the one of the device.
    """

    def __init__(self, timeout: timedelta, process_group_backend: str | None = None) -> None:
        super().__init__(
            save_distributed_checkpoint=False,
            process_group_backend=process_group_backend,
            timeout=timeout,
        )

    def _configure_launcher(self) -> None:
        super()._configure_launcher()
        self._launcher = launching(self._launcher)

    @property
    def lightning_restore_optimizer(self) -> bool:
        """Whether the trainer hands over the optimizer's state: yes, as without sharding."""
        return True

    def broadcast(self, obj: Any, src: int = 0) -> Any:
        """Return what one process has; Lightning's own way pickles it."""
        return value_of(src, obj)

    def lightning_module_state_dict(self) -> dict[str, Any]:
        """Return whole weights on the first process and nothing on the others."""
        assert self.lightning_module is not None
        return self._gather(self.lightning_module.state_dict())

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """Return the whole state on the first process and nothing on the others."""
        if isinstance(optimizer, LightningOptimizer):
            optimizer = optimizer.optimizer
        return self._gather(optimizer.state_dict())

    def _gather(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Make tensors whole one after the other, so that a device needs room for one."""
        whole: dict[str, Any] = whole_state(state, keep=self.is_global_zero)
        return whole if self.is_global_zero else {}

    def load_checkpoint(
        self, checkpoint_path: Any, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Map the checkpoint, of which every process then takes its part.

        Whole weights and moments for each would be more than the host of several devices has.
        """
        return read_named(Path(checkpoint_path), lazily=True)

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:
        """Give every weight its part of the stored one."""
        assert self.lightning_module is not None
        own = self.lightning_module.state_dict()
        stored: Mapping[str, Tensor] = checkpoint["state_dict"]
        parts = {name: part_for(own.get(name), value) for name, value in stored.items()}
        self.lightning_module.load_state_dict(parts, strict=strict)

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        """Give every moment the part that belongs to the weight's."""
        for optimizer, stored in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            optimizer.load_state_dict(part_of_optimizer_state(optimizer, stored))


def shard_autoencoder(autoencoder: SentenceAutoencoder, device: torch.device) -> None:
    """Share the weights out over all processes; what is shared out already stays.

    All processes hold the same weights before, and each keeps a part of every one.
    """
    if isinstance(autoencoder.encoder, FSDPModule):
        return
    mesh = init_device_mesh(device.type, (torch.distributed.get_world_size(),))
    for module, method in ((autoencoder.encoder, "encode"), (autoencoder.decoder, "decode")):
        # each is a root of its own, which would otherwise keep its weights after the forward pass
        fully_shard(module, mesh=mesh, reshard_after_forward=True)
        register_fsdp_forward_method(module, method)  # training calls these, not `forward`


def whole(value: Tensor) -> Tensor:
    """Return a tensor with the parts of all processes; all of them call it together."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def whole_state(state: Any, keep: bool) -> Any:
    """Return nested values with whole tensors on the host.

    Args:
        state: of dictionaries, lists, tensors and plain values.
        keep: False to take part in the gathering only; tensors are then empty.
    """
    if isinstance(state, DTensor):
        gathered = state.full_tensor()
        return gathered.cpu() if keep else gathered.new_empty(0)
    if isinstance(state, Mapping):
        return {name: whole_state(value, keep) for name, value in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(whole_state(value, keep) for value in state)
    return state


def part_for(own: Tensor | None, stored: Tensor) -> Tensor:
    """Return a copy of this process's part of a stored tensor, if its own is a part; else all."""
    if not isinstance(own, DTensor):
        return stored
    local = stored.to(own.device)
    # every process has read the file: nothing need be sent
    return distribute_tensor(local, own.device_mesh, own.placements, src_data_rank=None)


def part_of_optimizer_state(optimizer: Optimizer, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a whole state with this process's part of everything shaped like a weight."""
    weights = chain.from_iterable(group["params"] for group in optimizer.param_groups)
    numbers = chain.from_iterable(group["params"] for group in stored["param_groups"])
    state = {}
    for number, weight in zip(numbers, weights, strict=True):
        if number in stored["state"]:
            state[number] = {
                # nothing shall stay in a file that the next saves remove
                name: part_for(weight, value) if value.shape == weight.shape else value.clone()
                for name, value in stored["state"][number].items()
            }
    return {**stored, "state": state}
