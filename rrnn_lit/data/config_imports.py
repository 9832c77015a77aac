"""What the options of a run may import: a config from a stranger runs no code of its own.

An option that takes an object names its class, and to look at a class is to import its module,
which runs it. So names are compared with a list before anything is imported. The list holds what
Lightning's Trainer takes as objects and what those take in turn, and no function that loads, runs
or connects: neither the rest of torch nor the loggers of other services.

It is looked at twice: for files before the parser sees them, so that the message has the line, and
by the parser for every value, wherever that comes from: the command line, a file that an option
names, a function where one is wanted.
"""

import os
import re
from collections.abc import Iterator

from rrnn_lit.complaints import UnsafeError

ALLOWED = (
    "lightning.Callback",  # the parser's own name for what a callback is
    *(f"lightning.pytorch.{part}" for part in ("accelerators", "callbacks", "plugins")),
    *("lightning.pytorch.profilers", "lightning.pytorch.strategies"),
    # where Lightning defines what it offers under the names above
    *(f"lightning.fabric.{part}" for part in ("accelerators", "plugins", "strategies")),
    "torch.distributed.fsdp",
    "torch.nn",  # classes that a strategy wraps
    "torchmetrics",
    "rrnn_lit.models",
    "rrnn_lit.training",
)
VARIABLE = "RRNN_ALLOW_IMPORTS"  # of the environment: no config can widen the list
_RULE = (
    "a config may import only Lightning's callbacks, strategies, profilers, plugins and "
    "accelerators, torch.nn, torch.distributed.fsdp, torchmetrics, rrnn_lit.models and "
    f"rrnn_lit.training, and what the environment allows with {VARIABLE}=package"
)
_DENIED = re.compile(r"Importing '([^']+)' is not allowed")  # as the parser words it
_CLASS_KEY = "class_path"
# notes by which Lightning makes objects of what it finds in a file
_MAKERS = ("_class_path", "_instantiator")


def users_own() -> tuple[str, ...]:
    """Return the names that the environment allows beside the list.

    Raises:
        ValueError: one of them is no dotted name.
    """
    names = tuple(name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip())
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise ValueError(
                f"{VARIABLE}: wanted names of modules with commas between, got {name!r}"
            )
    return names


def is_allowed(name: str) -> bool:
    """Return whether an option may name this class or function.

    Args:
        name: dotted; one without dots is looked for among classes that are there already.
    """
    return "." not in name or any(
        name == allowed or name.startswith(f"{allowed}.") for allowed in (*ALLOWED, *users_own())
    )


def settle_imports() -> None:
    """Let parsers of this process import what is on the list and nothing else.

    Raises:
        ValueError: what the environment adds is no list of names.
    """
    from jsonargparse import set_parsing_settings

    set_parsing_settings(
        import_path_denylist=["*"],
        import_path_allowlist=[*ALLOWED, *users_own()],
        instantiate_subclass_spec_in_any=False,  # a value of any type stays what it is
    )


def refusal(name: str, place: str = "") -> UnsafeError:
    """Return the error for a name that is not on the list.

    Args:
        name: of the class or function.
        place: file and line, if it stands in a file.
    """
    return UnsafeError(f"{place}{': ' if place else ''}{_RULE}; got {name!r}")


def refusal_in(error: Exception) -> UnsafeError | None:
    """Return the refusal that a parser has wrapped into its own error, None for other errors."""
    found = _DENIED.search(str(error))
    return refusal(found[1]) if found else None


def refused_keys(key: str, value: object) -> Iterator[str]:
    """Yield the names that a pair of key and value would import against the list."""
    last = key.rpartition(".")[2]
    if last in _MAKERS:
        yield f"{last}: {value}"
    elif last == _CLASS_KEY and isinstance(value, str) and not is_allowed(value):
        yield value
