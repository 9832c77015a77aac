import pytest

from rrnn_lit.complaints import UnsafeError, complain, is_lost_process


def fail() -> ValueError:
    try:
        raise ValueError("data.seed:\n  wanted 1,\n  got 2")
    except ValueError as error:
        return error


@pytest.mark.parametrize("switch", [None, "", "0"])
def test_a_mistake_is_one_line(
    switch: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if switch is not None:
        monkeypatch.setenv("RRNN_TRACEBACK", switch)
    assert complain("fit", fail(), 65) == 65
    assert capsys.readouterr().err == "rrnn fit: data.seed: wanted 1, got 2\n"


def test_the_trace_comes_first_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RRNN_TRACEBACK", "1")
    assert complain("fit", fail(), 64, "in other words") == 64
    trace, line = capsys.readouterr().err.rstrip().rsplit("\n", 1)
    assert trace.startswith("Traceback (most recent call last):")
    assert "in fail" in trace
    assert line == "rrnn fit: in other words"


def test_an_error_without_a_text_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    complain("fit", KeyboardInterrupt(), 130)
    assert capsys.readouterr().err == "rrnn fit: KeyboardInterrupt\n"


@pytest.mark.parametrize("text", ["study.yaml: refused: no code", "cannot be read"])
def test_a_refusal_stays_one_whatever_was_made_of_it(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = ValueError(text)
    error.__cause__ = UnsafeError("no code")
    assert complain("sweep", error, 64) == 80
    line = capsys.readouterr().err
    assert line.startswith(f"rrnn sweep: {text}")
    assert line.count("refused: no code") == 1


@pytest.mark.parametrize(
    ("text", "is_lost"),
    [
        ("[gloo/gloo/transport/tcp/pair.cc:537] Read error: Connection reset by peer", True),
        ("[gloo/gloo/transport/tcp/unbound_buffer.cc:78] Timed out waiting 8000ms", True),
        ("DataLoader worker (pid 12) is killed by signal: Killed.", True),
        ("mat1 and mat2 shapes cannot be multiplied", False),
    ],
)
def test_an_error_of_another_process_is_told_from_ones_own(text: str, is_lost: bool) -> None:
    assert is_lost_process(RuntimeError(text)) is is_lost
