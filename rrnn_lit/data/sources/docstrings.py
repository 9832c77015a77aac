"""English sentences from the docstrings of installed packages: text on every machine.

Only the packages that this project depends on are read (with the extras `prep` and `dev`, where
installed), so that the corpus does not depend on what else is there; other versions of them still
give another corpus. Source files are parsed, never imported. Test folders are left out: they are
a fifth of the bytes and hardly hold prose.
"""

import ast
import importlib.metadata
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from rrnn_lit.data.sources.prose import sentences

PROJECT = "rrnn_lit"
EXTRAS = ("prep", "dev")
_LARGEST = 2_000_000  # bytes; above it are generated tables
_TESTS = re.compile(r"(^|/)(tests?|testing|_vendor|vendored)/|(^|/)(test_[^/]*|conftest)\.py$")


def docstring_files() -> list[tuple[Path, int]]:
    """Return the source files to read and their sizes, ordered by package, then by path.

    Raises:
        ValueError: this project is not installed, so that its dependencies are not known.
    """
    files: dict[Path, int] = {}
    for name in dependency_names():
        distribution = importlib.metadata.distribution(name)
        for file in sorted(str(file) for file in distribution.files or ()):
            path = Path(str(distribution.locate_file(file)))
            if file.endswith(".py") and not _TESTS.search(file) and path.is_file():
                size = path.stat().st_size
                if size <= _LARGEST:
                    files.setdefault(path, size)
    return list(files.items())


def dependency_names() -> list[str]:
    """Return the normalised names of all installed packages this project needs, sorted.

    Raises:
        ValueError: this project is not installed.
    """
    from packaging.requirements import Requirement

    try:
        importlib.metadata.distribution(PROJECT)
    except importlib.metadata.PackageNotFoundError as error:
        raise ValueError(
            f"source.kind: docstrings wants the package {PROJECT} to be installed (pip install "
            "-e .), since it reads the packages that one depends on; got no such package"
        ) from error
    seen: set[tuple[str, tuple[str, ...]]] = set()
    todo: list[tuple[str, tuple[str, ...]]] = [(PROJECT, EXTRAS)]
    while todo:
        name, extras = todo.pop()
        key = (re.sub(r"[-_.]+", "-", name).lower(), extras)
        if key in seen:
            continue
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # an optional dependency that is not installed
        seen.add(key)
        for requirement in map(Requirement, lines):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": e}) for e in ("", *extras)):
                todo.append((requirement.name, tuple(sorted(requirement.extras))))
    project = re.sub(r"[-_.]+", "-", PROJECT)
    return sorted({name for name, _ in seen} - {project})  # not its own: they change with it


def dependency_versions() -> dict[str, str]:
    """Return the version of every package that is read."""
    return {name: importlib.metadata.version(name) for name in dependency_names()}


def file_sentences(path: Path) -> Iterator[str]:
    """Yield the sentences of all docstrings of a source file, none if it cannot be parsed."""
    content = path.read_bytes()
    if b'"""' not in content and b"'''" not in content:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in other people's code
            tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return
    for docstring in _docstrings(tree):
        yield from sentences(docstring)


def _docstrings(tree: ast.Module) -> Iterator[str]:
    """Yield docstrings in source order, without looking inside expressions."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            if docstring:
                yield docstring
        body = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
        todo.extend(reversed(body))
