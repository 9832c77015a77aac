"""Collects what each promise's tests found into one table, `make promises`.

A test says with `@pytest.mark.promise(N)` whose row it proves and gives its figure to the fixture
`got`. With `--promises FILE` the table is printed and written, and a row without a test, or whose
tests did not pass, fails the session.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.promises import PROMISES
from tests.faults.table import Outcome, is_kept, render

_OUTCOMES = pytest.StashKey[dict[int, Outcome]]()
_FIGURES = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the file of the table."""
    parser.addoption("--promises", metavar="FILE", type=Path, help="write the table of promises")


def pytest_configure(config: pytest.Config) -> None:
    """Start with no outcome."""
    config.stash[_OUTCOMES] = defaultdict(Outcome)


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
    """Note the outcome, the figure and the seconds of a test."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    for number in _numbers(item):
        outcome = item.config.stash[_OUTCOMES][number]
        outcome.seconds += report.duration
        if report.failed:
            outcome.failed += 1
        if report.skipped:
            outcome.skipped.append(str(report.longrepr[-1] if report.longrepr else ""))  # type: ignore[index]
        if report.when == "call":
            outcome.passed += report.passed
            if _FIGURES in item.stash:
                figures: list[str] = item.stash[_FIGURES]
                outcome.figures += figures
    return report  # type: ignore[return-value]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the table; a promise that is not kept fails the session."""
    path: Path | None = session.config.getoption("promises", None)
    if path is None or session.config.getoption("collectonly"):
        return
    outcomes = session.config.stash[_OUTCOMES]
    path.write_text(render(PROMISES, outcomes), encoding="utf-8")
    if not all(is_kept(outcomes[number]) for number in PROMISES):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table."""
    path: Path | None = config.getoption("promises", None)
    if path is not None and path.is_file():
        terminalreporter.write_sep("=", "promises")
        terminalreporter.write(path.read_text(encoding="utf-8"))
