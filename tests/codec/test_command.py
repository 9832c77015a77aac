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
