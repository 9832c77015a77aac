"""What a checkpoint may be, before and after torch looks at it: a file here, without code."""

from pathlib import Path

from rrnn_lit.complaints import UnsafeError

_CODE = ("GLOBAL", "allowlisted")  # how torch says that a file wants something else built


def check_is_file(path: str | Path, name: str = "ckpt_path") -> None:
    """Raise unless there is such a file on this machine.

    Raises:
        UnsafeError: an address; nothing is fetched.
        ValueError: no file.
    """
    if "://" in str(path):
        raise UnsafeError(
            f"{name}: checkpoints are files of this machine, got the address {str(path)!r}; "
            "fetch it, compare its digest, and give the file"
        )
    if not Path(path).is_file():
        raise ValueError(f"{name}: wanted a checkpoint file, got {str(path)!r}")


def cause_of(path: Path, error: Exception) -> Exception:
    """Return why torch would not load a file: a refusal if that holds code, else the error.

    Its own text is not for users: it advises to load the file without the protection.
    """
    if any(word in str(error) for word in _CODE):
        return UnsafeError(f"{path}: a checkpoint holds tensors and plain values, got code")
    return error
