import importlib.metadata
from pathlib import Path

import pytest

from rrnn_lit.data.sources.docstrings import dependency_names, docstring_files, file_sentences

SOURCE = '''"""The module is about gates."""
import does_not_exist_anywhere
raise SystemExit

class Gate:
    """A gate is kept in a class."""

    def open(self):
        """It opens to the left."""
        if True:
            async def inner():
                """The inner one is read as well."""
        text = """This string is no docstring at all."""
'''


def test_docstrings_come_in_source_order_without_running_anything(tmp_path: Path) -> None:
    path = tmp_path / "gates.py"
    path.write_text(SOURCE)
    assert list(file_sentences(path)) == [
        "The module is about gates.",
        "A gate is kept in a class.",
        "It opens to the left.",
        "The inner one is read as well.",
    ]


@pytest.mark.parametrize("content", [b'"""not closed', b'"""a"""\ndef f(:', b'\xff"""x"""', b""])
def test_files_that_cannot_be_parsed_give_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.py"
    path.write_bytes(content)
    assert list(file_sentences(path)) == []


def test_only_packages_that_this_project_needs_are_read() -> None:
    names = dependency_names()
    assert {"torch", "gensim", "nltk", "pytest"} <= set(names)  # direct, extra prep, extra dev
    assert "sqlalchemy" in names  # by way of optuna
    assert names == sorted(names)
    assert not {"rrnn-lit", "pip", "wheel"} & set(names)


def test_files_are_sorted_and_hold_no_tests() -> None:
    files = [path for path, _ in docstring_files()]
    assert len(files) == len(set(files)) > 1000
    assert not [path for path in files if "/tests/" in path.as_posix()]
    torch = [path.as_posix() for path in files if "/torch/nn/modules/" in path.as_posix()]
    assert torch == sorted(torch) != []


def test_without_its_own_metadata_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(ValueError, match=r"wants the package rrnn_lit to be installed"):
        dependency_names()
