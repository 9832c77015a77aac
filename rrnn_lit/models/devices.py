"""The device a network runs on, by name, checked before anything is built on it."""

import torch


def device_of(name: str | torch.device, option: str = "device") -> torch.device:
    """Return a device of this machine.

    Args:
        name: cpu, cuda or cuda:N; auto: CUDA if it is there.
        option: how the user gave it, for the error.

    Raises:
        ValueError: another name, or a CUDA device that is not here.
    """
    num_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if num_devices else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")  # no better a place for a network than a name of none
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"{option}: wanted cpu, cuda or cuda:N, got {str(name)!r}")
    if device.type == "cuda" and (device.index or 0) >= num_devices:
        raise ValueError(
            f"{option}: wanted one of the {num_devices} CUDA devices here, got {name}"
        )
    return device
