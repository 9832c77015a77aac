import os
from pathlib import Path

import pytest

from rrnn_lit.training.wandb_mode import choose_mode


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without a login."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("netrc", "mode"),
    [
        (None, "offline"),
        ("machine example.org login me password x\n", "offline"),
        ("machine api.wandb.ai login user password x\n", "online"),
        ("this is no netrc file\n", "offline"),
    ],
)
def test_offline_without_a_login(home: Path, netrc: str | None, mode: str) -> None:
    if netrc is not None:
        (home / ".netrc").write_text(netrc, encoding="utf-8")
        (home / ".netrc").chmod(0o600)
    assert choose_mode() == os.environ["WANDB_MODE"] == mode


def test_a_key_in_the_environment_is_a_login(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "key")
    assert choose_mode() == "online"


def test_the_users_own_mode_wins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "key")
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert choose_mode() == "offline"
