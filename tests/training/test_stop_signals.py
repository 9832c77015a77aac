import os
import signal

import pytest

from rrnn_lit.training.stop_signals import SIGNALS, SetUpStoppedError, StopSignals


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in SIGNALS]


def test_the_first_signal_is_noted_and_the_handlers_come_back() -> None:
    before = handlers()
    signals = StopSignals()
    with signals:
        with signals:
            assert signals.first is None
            send(signal.SIGUSR1)
        send(signal.SIGTERM)  # still listening: it is entered twice
    assert signals.first is signal.SIGUSR1
    assert handlers() == before


def test_it_listens_again_after_somebody_else() -> None:
    with StopSignals() as signals:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signals.listen()
        send(signal.SIGTERM)
    assert signals.first is signal.SIGTERM


def test_in_set_up_the_first_signal_ends_all_and_no_later_one() -> None:
    with StopSignals(raises=True) as signals:
        with pytest.raises(SetUpStoppedError, match=r"stopped in set-up \(SIGUSR1\)"):
            send(signal.SIGUSR1)
        send(signal.SIGTERM)
    with StopSignals(raises=True) as signals:
        signals.note_only()
        send(signal.SIGTERM)
    assert signals.first is signal.SIGTERM


def test_a_further_process_of_a_run_only_notes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    with StopSignals(raises=True) as signals:
        send(signal.SIGTERM)
    assert signals.first is signal.SIGTERM
