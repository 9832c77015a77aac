"""W&B off, one thread, fixed seeds; a test leaves no file, variable, thread or setting behind."""

import os
from pathlib import Path

# before torch, hypothesis or wandb is imported anywhere
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
os.environ["WANDB_MODE"] = "disabled"
os.environ["WANDB_SILENT"] = "true"
os.environ["JSONARGPARSE_DEPRECATION_WARNINGS"] = "off"  # Lightning calls an old name
# tests run in an empty folder: programs they start find package and tests here
os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])

import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings

# pytest has loaded torch before this file, for Lightning's class of warnings in its settings, so
# that the variables above reach only the programs that tests start
torch.set_num_threads(1)

# no example database: a test session writes nothing into the checkout
settings.register_profile("rrnn_lit", derandomize=True, deadline=None, max_examples=30)
settings.load_profile("rrnn_lit")

# a background job of a shell ignores Ctrl-C, and so would the programs that tests send one to
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# set by Lightning, torch and wandb on their own; put back, but not a leak
_LIBRARY_VARIABLES = (
    "PL_",
    "CUBLAS_",
    "TORCH",
    "PYTORCH_",
    "WANDB_",
    "KMP_",
    "NCCL_",
    "PYTEST_CURRENT_TEST",
    "PYTHONSAFEPATH",  # by `rrnn`, for the processes that it starts
)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs CUDA where there is none."""
    if item.get_closest_marker("gpu") is not None:
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs CUDA, and torch finds no device")


@pytest.fixture(scope="session")
def prepared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder of random sentences shared by all tests, which only read it.

    50 words and the 21 labels, word_dim 16; 200 sentences of 3 to 12 words: 140 train, 20 tune,
    20 test, 20 holdout.
    """
    from rrnn_lit.data.synthetic import write_synthetic

    folder = tmp_path_factory.mktemp("prepared") / "synthetic"
    write_synthetic(folder)
    for path in folder.iterdir():
        path.chmod(0o444)
    return folder


@pytest.fixture(scope="session")
def _empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("working_directory")


@pytest.fixture(autouse=True)
def _leaves_nothing_behind(_empty_folder: Path) -> Iterator[None]:
    """Run a test in an empty folder with fixed seeds; fail it for whatever it leaves behind.

    A file written to a relative path lands in that folder and is found there.
    """
    # not the fixture `monkeypatch`: a test's own use of it must be undone before the comparison
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(_empty_folder)
        variables = dict(os.environ)
        threads = set(threading.enumerate())
        torch_settings = _torch_settings()
        _seed()
        yield
        changed = _restore_variables(variables)
    left = sorted(path.name for path in _empty_folder.iterdir())
    for name in left:
        (_empty_folder / name).rename(_empty_folder.with_name(f"left_{time.time_ns()}_{name}"))
    assert not left, f"left in the working directory: {left}"
    assert not changed, f"environment variables changed: {changed}"
    running = _new_threads(threads)
    assert not running, f"threads still running: {running}"
    if torch_settings is not None:
        assert _torch_settings() == torch_settings, "a setting of torch was not put back"


def _seed() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  Lightning seeds and restores the global generator
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


def _restore_variables(before: dict[str, str]) -> list[str]:
    now = dict(os.environ)
    changed = [name for name in {*before, *now} if before.get(name) != now.get(name)]
    for name in changed:
        if name in before:
            os.environ[name] = before[name]
        else:
            del os.environ[name]
    return sorted(name for name in changed if not name.startswith(_LIBRARY_VARIABLES))


def _new_threads(before: set[threading.Thread]) -> list[str]:
    new = [thread for thread in threading.enumerate() if thread not in before]
    for thread in new:
        if not thread.daemon:
            thread.join(timeout=5)
    return [thread.name for thread in new if thread.is_alive() and not thread.daemon]


def _torch_settings() -> tuple[Any, ...] | None:
    """Return global settings of torch that change results, None while torch is not imported."""
    if "torch" not in sys.modules:
        return None
    torch = sys.modules["torch"]
    # Trainer(deterministic=True) sets this for the process and has no way back
    torch.use_deterministic_algorithms(False)
    return (
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
        torch.get_float32_matmul_precision(),
        torch.is_autocast_enabled("cpu"),
    )
