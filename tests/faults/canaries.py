"""What somebody puts into a file to see whether it runs: each makes a folder when it does."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from rrnn_lit import cli
from tests.codec.test_bundle_foreign import Canary, object_array, text_pickle, torch_pickle
from tests.training.tiny import in_child

__all__ = [
    "EXIT_BAD_INPUT",
    "EXIT_REFUSED",
    "Canary",
    "ended",
    "importable",
    "object_array",
    "text_pickle",
    "torch_pickle",
    "with_canary",
    "write_module",
]

EXIT_BAD_INPUT, EXIT_REFUSED = 65, 80
_MODULE = """\
import os

from lightning.pytorch.callbacks import Callback

os.mkdir({path!r})


class Evil(Callback):
    pass


def sing(*_):
    pass
"""


def write_module(folder: Path, sung: Path, name: str = "canary_module") -> str:
    """Write a module that makes the folder `sung` when it is imported; return its name."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(_MODULE.format(path=str(sung)), encoding="utf-8")
    return name


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Let modules of a folder be imported, as those of a user's working folder can be."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def with_canary(checkpoint: Path, target: Path, sung: Path) -> None:
    """Write a copy of a checkpoint that runs code when it is loaded without care."""
    content: dict[str, Any] = dict(torch.load(checkpoint, map_location="cpu", weights_only=True))
    torch.save({**content, "canary": Canary(sung)}, target)


def ended(*arguments: str | Path, before: Callable[[], object] = lambda: None) -> int:
    """Run `rrnn` with these arguments in a forked process and return its exit code.

    Args:
        arguments: of the command line.
        before: called in that process first.
    """

    def work() -> int:
        before()
        return cli.main([str(argument) for argument in arguments])

    return in_child(work)
