"""What a measured time depends on besides the code: versions, threads, processor, precision."""

import importlib.metadata
import platform
from pathlib import Path

import torch

_ALWAYS = ("torch", "numpy", "rrnn_lit")
_CPU_INFO = Path("/proc/cpuinfo")


def environment(precision: str, package: str = "") -> dict[str, str]:
    """Return the versions of one row, as text.

    Args:
        precision: number format the peer computes in, for example `bf16`.
        package: the installed package a peer comes from; its version is added. Empty for none.
    """
    versions = {name: importlib.metadata.version(name) for name in _ALWAYS}
    if package:
        versions[package] = importlib.metadata.version(package)
    versions |= {
        "threads": str(torch.get_num_threads()),
        "cpu": cpu_model(),
        "capability": str(torch.backends.cpu.get_cpu_capability()),
        "precision": precision,
    }
    if torch.cuda.is_available():
        versions["gpu"] = torch.cuda.get_device_name()
    return versions


def cpu_model() -> str:
    """Return the processor's name as the system tells it."""
    if _CPU_INFO.is_file():
        for line in _CPU_INFO.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
