"""Collects what each promise's tests found into one table, `make promises`.

A test says with `@pytest.mark.promise(N)` whose row it proves and gives its figure to the fixture
`got`. With `--promises FILE` the table is printed and written, and a row without a test, or whose
tests did not pass, fails the session.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.promises import PROMISES
from tests.faults.table import Outcome, is_kept, render

_OUTCOMES = pytest.StashKey[dict[int, Outcome]]()
_FIGURES = pytest.StashKey[list[str]]()
_PROPERTY = "promise"  # of a report, which may come from another process: row and figures


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the file of the table."""
    parser.addoption("--promises", metavar="FILE", type=Path, help="write the table of promises")


def pytest_configure(config: pytest.Config) -> None:
    """Start with no outcome."""
    config.stash[_OUTCOMES] = defaultdict(Outcome)
    config.pluginmanager.register(_Collector(config.stash[_OUTCOMES]))


@pytest.fixture
def got(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes the figure that a test found, for its row; call it before the assertion."""
    return request.node.stash.setdefault(_FIGURES, []).append  # type: ignore[no-any-return]


def _numbers(item: pytest.Item) -> list[int]:
    return [mark.args[0] for mark in item.iter_markers("promise")]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Refuse a number that is in no row."""
    for number in _numbers(item):
        if number not in PROMISES:
            raise pytest.UsageError(f"{item.nodeid}: wanted a promise's number, got {number}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note row and figures of a test in its report."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    figures: list[str] = item.stash.get(_FIGURES, []) if report.when == "call" else []
    for number in _numbers(item):
        report.user_properties.append((_PROPERTY, [number, *figures]))
    return report  # type: ignore[return-value]


class _Collector:
    """Adds up the reports of all tests, in this process or in others."""

    def __init__(self, outcomes: dict[int, Outcome]) -> None:
        self._outcomes = outcomes

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add a report to the rows of its test."""
        value: Any
        for name, value in report.user_properties:
            if name == _PROPERTY:
                self._add(self._outcomes[value[0]], report, value[1:])

    def _add(self, outcome: Outcome, report: pytest.TestReport, figures: list[str]) -> None:
        outcome.seconds += report.duration
        outcome.failed += report.failed
        if report.skipped:
            outcome.skipped.append(str(report.longrepr[-1] if report.longrepr else ""))  # type: ignore[index]
        if report.when == "call":
            outcome.passed += report.passed
            outcome.figures[report.nodeid] = figures


def _writes(config: pytest.Config) -> Path | None:
    """Return the file to write; None if there is none, or another process writes it."""
    if hasattr(config, "workerinput") or config.getoption("collectonly"):
        return None
    path: Path | None = config.getoption("promises", None)
    return path


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the table; a promise that is not kept fails the session."""
    path = _writes(session.config)
    if path is None:
        return
    outcomes = session.config.stash[_OUTCOMES]
    path.write_text(render(PROMISES, outcomes), encoding="utf-8")
    if not all(is_kept(outcomes[number]) for number in PROMISES):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table."""
    path = _writes(config)
    if path is not None and path.is_file():
        terminalreporter.write_sep("=", "promises")
        terminalreporter.write(path.read_text(encoding="utf-8"))
