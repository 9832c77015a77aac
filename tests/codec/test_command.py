import subprocess
import sys
from pathlib import Path

import pytest

from rrnn_lit.codec.command import run_command


def failing(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("bad"), 65),
        (PermissionError("bad"), 74),
        (MemoryError("bad"), 71),
        (RuntimeError("bad: can't allocate memory"), 71),
    ],
)
def test_a_mistake_is_one_line_and_a_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("decode", lambda: failing(error)) == code
    told = capsys.readouterr().err
    assert told.startswith("rrnn decode: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("error", [BrokenPipeError(), RuntimeError("of ours"), KeyError("x")])
def test_a_closed_pipe_and_errors_of_ours_are_no_mistakes_of_the_user(error: Exception) -> None:
    with pytest.raises(type(error)):
        run_command("decode", lambda: failing(error))


FULL_DISK = """
import resource, sys
from rrnn_lit.codec.command import run_command
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
sys.exit(run_command("sts", lambda: print("figures")))
"""


def test_results_that_cannot_be_printed_are_a_mistake_of_one_line(tmp_path: Path) -> None:
    with open(tmp_path / "out", "wb") as out:
        command = [sys.executable, "-E", "-c", FULL_DISK]  # -E: printing is buffered
        ended = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, check=False, text=True)
    assert ended.returncode == 74
    assert ended.stderr == "rrnn sts: cannot read or write: [Errno 27] File too large\n"
