"""Which room may import what."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "rrnn_lit"
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = {
    "text": set(),
    "words": set(),
    "models": set(),
    "data": {"words"},  # and text in the files below
    "codec": {"models", "words", "text"},
    "training": {"models", "words", "data", "codec", "text"},
    "search": {"training", "data"},
    "evaluation": {"training", "models", "words", "data", "codec", "text"},
    "bench": {"text", "words", "models", "data", "training", "evaluation", "codec"},
}
# the files of `rrnn prepare`, which read raw text
READS_TEXT = {"prepare.py", "prepare_text.py", "prepare_cli.py", "prepare_config.py"}
# third party -> rooms that may import it at the top of a file; everywhere else inside a function
TOP = {
    "torch": {"words", "models", "data", "training", "evaluation", "bench", "codec"},
    "numpy": {
        "text",
        "words",
        "models",
        "data",
        "training",
        "evaluation",
        "bench",
        "search",
        "codec",
    },
    "lightning": {"training", "bench"},
    "torchmetrics": {"training"},
    "yaml": {"data", "training", "search", "evaluation"},
    "rich": {"data", "training", "evaluation", "bench", "search", "codec"},
    "safetensors": {"codec"},
    "optuna": {"search"},
    "sqlalchemy": {"search"},
    "jsonargparse": {"data", "bench"},
}
# only inside functions, and only in these rooms
LATE = {
    "gensim": {"words", "bench"},
    "anyascii": {"text"},
    "nltk": {"text", "data"},
    "py3langid": {"text"},
    "stanza": {"text"},
    "wandb": {"training", "search", "evaluation"},
    "pyarrow": {"codec"},
    "scipy": {"evaluation"},
    "matplotlib": {"evaluation", "bench", "search"},
    "plotly": {"search"},
    "optuna_dashboard": {"search"},
    "psycopg": {"search"},
    "torch": {"search"},
    "faiss": {"bench", "evaluation"},
    "pykeops": {"bench"},
    "lightning": {"cli.py"},
}
# of training, what `rrnn sweep` may load: it shall answer before torch is there
LIGHT = {"run_folder", "metric_keys", "wandb_mode"}
DATAMODULES = {"datamodule.py", "vector_datamodule.py"}


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0]  # a room, or a file directly in the package


def imports(tree: ast.AST, inside: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield (module, whether it is imported inside a function) for every import."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            own = (node.module or "").startswith("rrnn_lit")
            yield from ((name, inside) for name in (names if own else [node.module or ""]))
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        else:
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from imports(node, inside or is_function)


def breaches(path: Path, source: str) -> list[str]:
    """Return what a file of this name and content imports against the rules."""
    room, found = room_of(path), []
    for module, inside in imports(ast.parse(source)):
        top, *rest = module.split(".")
        if top == "rrnn_lit":
            is_heavy = room == "search" and rest[0] == "training" and rest[1] not in LIGHT
            if not may_import_room(path, room, rest[0] if rest else "") or (
                is_heavy and not inside
            ):
                found.append(module)
        elif top == "pickle" or not may_import_package(path, room, top, inside):
            found.append(module)
    return found


def may_import_room(path: Path, room: str, other: str) -> bool:
    if other == "bench":
        return room in ("bench", "cli.py")
    if room in ("cli.py", "__init__.py") or other in (
        room,
        "__version__",
        "complaints",
        "command_line",
        "whole_files",
        "packed_files",
        "allocator",
        "parent_death",
    ):
        return True
    return other in ROOMS[room] or (room == "data" and other == "text" and path.name in READS_TEXT)


def may_import_package(path: Path, room: str, package: str, inside: bool) -> bool:
    if package not in TOP.keys() | LATE.keys():
        return True
    if package == "lightning" and path.name in DATAMODULES:
        return True
    if room in TOP.get(package, set()):
        return True
    return inside and room in LATE.get(package, set())


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_in_the_allowed_direction(path: Path) -> None:
    assert breaches(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("name", "source", "found"),
    [
        ("text/a.py", "import rrnn_lit.words.special", ["rrnn_lit.words.special"]),
        ("text/a.py", "from rrnn_lit import words", ["rrnn_lit.words"]),
        ("text/a.py", "import torch", ["torch"]),
        ("text/a.py", "import nltk", ["nltk"]),
        ("text/a.py", "def f():\n    import nltk", []),
        ("words/a.py", "from rrnn_lit.text.ascii import x", ["rrnn_lit.text.ascii.x"]),
        ("words/a.py", "import gensim", ["gensim"]),
        ("models/a.py", "import rich", ["rich"]),
        ("models/a.py", "def f():\n    import lightning.pytorch", ["lightning.pytorch"]),
        ("data/loading.py", "import lightning.pytorch as pl", ["lightning.pytorch"]),
        ("data/datamodule.py", "import lightning.pytorch as pl", []),
        ("data/loading.py", "import rrnn_lit.training.summary", ["rrnn_lit.training.summary"]),
        ("training/a.py", "import wandb", ["wandb"]),
        ("training/a.py", "import rrnn_lit.evaluation.curves", ["rrnn_lit.evaluation.curves"]),
        ("training/a.py", "import rrnn_lit.bench.x", ["rrnn_lit.bench.x"]),
        ("cli.py", "import torch", ["torch"]),
        ("search/a.py", "import torch", ["torch"]),
        ("search/a.py", "def f():\n    import torch", []),
        ("search/a.py", "import rrnn_lit.training.run_folder", []),
        (
            "search/a.py",
            "import rrnn_lit.training.lightning_cli",
            ["rrnn_lit.training.lightning_cli"],
        ),
        ("training/a.py", "import optuna", ["optuna"]),
        ("words/a.py", "def f():\n    import pickle", ["pickle"]),
    ],
)
def test_the_rules_notice_a_breach(name: str, source: str, found: list[str]) -> None:
    assert breaches(PACKAGE / name, source) == found
