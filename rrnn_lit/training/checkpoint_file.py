"""Checkpoint files: written beside their place, read back, renamed; verified before they count.

The one reader and the one writer of checkpoints. Only tensors and plain values go in, so that
every file loads with `weights_only=True`. Needs no training framework.
"""

import os
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

import torch

from rrnn_lit.complaints import UnsafeError, is_lack_of_memory
from rrnn_lit.training.checkpoint_check import CheckpointError, check_whole, say_warning
from rrnn_lit.training.digest_trailer import DigestingFile, trailer_fits
from rrnn_lit.training.safe_load import cause_of
from rrnn_lit.training.tensor_claims import refuse_inflated
from rrnn_lit.whole_files import sync_folder

# what Lightning and this project put into every checkpoint of a training
PARTS = (
    *("state_dict", "optimizer_states", "lr_schedulers", "callbacks", "loops", "global_step"),
    *("hyper_parameters", "num_sentences", "dictionary_digest"),
)
Held = Callable[[], AbstractContextManager[None]]


def write_checkpoint(
    content: dict[str, Any], target: Path, previous: Path | None = None, held: Held = nullcontext
) -> None:
    """Put a checkpoint in its place so that a kill at any moment leaves a whole one there.

    Args:
        content: tensors and plain values.
        target: the file.
        previous: the name that the file at `target` takes; what has that name goes, once the new
            file has been read back from the disk. None keeps no earlier one.
        held: the folder's ownership: entered before anything is written and around the renames;
            what it raises is passed on.

    Raises:
        OSError: it cannot be written; the files that are there stay.
        MemoryError, RuntimeError: memory has run out, as torch says it.
    """
    with held():
        target.parent.mkdir(parents=True, exist_ok=True)
    part = _part(target)
    try:
        _write(content, part)
        if not trailer_fits(part):
            raise OSError("other bytes were read back")
        with held():
            _put(part, target, previous)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        if is_lack_of_memory(error):
            raise
        with held():  # whoever has taken the folder sweeps parts
            raise OSError(f"{target}: the checkpoint could not be written: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.{os.getpid()}.part")


def _write(content: dict[str, Any], part: Path) -> None:
    """Write content and digest to the disk."""
    with open(part, "wb") as file:
        digesting = DigestingFile(file)
        try:
            torch.save(content, digesting)  # type: ignore[arg-type]  # it needs write and flush
        except RuntimeError as error:
            raise digesting.error or error from None
        digesting.write_trailer()
        file.flush()
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):  # so that it is read back from the disk
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _put(part: Path, target: Path, previous: Path | None) -> None:
    """Rename; two whole files are there at every moment once there were two."""
    link = None
    if previous is not None and target.exists():
        link = _part(previous)
        link.unlink(missing_ok=True)
        try:
            os.link(target, link)
        except OSError:  # no links on this file system: for a moment only `previous` is there
            link = None
            os.replace(target, previous)
    os.replace(part, target)
    if link is not None and previous is not None:
        os.replace(link, previous)
        link.unlink(missing_ok=True)  # a rename to another name of the same file does nothing
    sync_folder(target.parent)


def put_back(previous: Path, target: Path) -> None:
    """Let `target` be the checkpoint at `previous`; a damaged one becomes `<target>.damaged`.

    For a run that goes on from `previous`: its next save must not push that out of its place.
    """
    link = _part(target)
    link.unlink(missing_ok=True)
    with suppress(OSError):  # no links on this file system: `previous` is found as it is
        os.link(previous, link)
    if target.exists():
        os.replace(target, target.with_name(f"{target.name}.damaged"))
    if link.exists():
        os.replace(link, target)


def read_checkpoint(
    path: Path,
    wanted: Collection[str] = ("dictionary_digest",),
    map_location: Any = "cpu",
    lazily: bool = True,
) -> dict[str, Any]:
    """Return a checkpoint that was verified first.

    Args:
        path: the file.
        wanted: keys that it must have.
        map_location: where its tensors go.
        lazily: leave tensors on disk until they are used: for a look at the plain values, or a
            part of each tensor.

    Raises:
        CheckpointError: there is no such file, it is damaged, or it is none of a run of rrnn.
        UnsafeError: it holds code, or its tensors claim more than it holds.
        OSError: it cannot be read.
    """
    if not check_whole(path):
        say_warning(f"{path} has no digest, as those of earlier versions; its checksums are right")
    try:
        checkpoint = torch.load(path, map_location=map_location, weights_only=True, mmap=lazily)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        cause = cause_of(path, error)
        if isinstance(cause, UnsafeError):
            raise cause from error
        raise CheckpointError(f"{path}: wanted a readable checkpoint, got another file") from error
    refuse_inflated(path, checkpoint)
    if not isinstance(checkpoint, dict) or any(name not in checkpoint for name in wanted):
        raise CheckpointError(f"{path}: wanted a checkpoint of a run of rrnn, got something else")
    return checkpoint


def read_named(path: Path, map_location: Any = "cpu", lazily: bool = False) -> dict[str, Any]:
    """Return the checkpoint that the option `ckpt_path` names, verified as `read_checkpoint` does.

    Raises:
        ValueError: names the option and what is wrong with the file.
        OSError: it cannot be read.
    """
    try:
        return read_checkpoint(path, PARTS, map_location, lazily)
    except ValueError as error:
        raise ValueError(f"ckpt_path: {error}") from error
