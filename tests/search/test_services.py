import pytest

from tests.search.services import REQUIRED, do_without


@pytest.mark.parametrize("value", [None, "", "0"])
def test_a_test_skips_for_want_of_a_program(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv(REQUIRED, raising=False)
    if value is not None:
        monkeypatch.setenv(REQUIRED, value)
    with pytest.raises(pytest.skip.Exception, match="no server"):
        do_without("no server")


def test_a_required_program_is_missed_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match="no server; `make services`"):
        do_without("no server; `make services` installs it")
