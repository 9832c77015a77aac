import traceback

import pytest

from rrnn_lit.search.cli import main
from rrnn_lit.search.storage import masked, open_storage
from rrnn_lit.search.storage_url import without_secrets

# each with a password whose pieces hold HUSH; none may be repeated
MISTYPED = [
    "postgresql://u:HUSHa@HUSHb@127.0.0.1:1/db",
    "postgresql://u:HUSHa@HUSHb/HUSHc@127.0.0.1:1/db",
    "postgresql://u:HUSHa/HUSHb@127.0.0.1:1/db",
    "postgresql://u:HUSHa?HUSHb@127.0.0.1:1/db",
    "postgresql://u:HUSHa",
    "postgresql://u:HUSHa/db",
    "postgresql://u:12345678/HUSH",
    "postgresql:/u:HUSHa@127.0.0.1:1/db",
    "postgresql:u:HUSHa@127.0.0.1:1/db",
    "postgresql:///u:HUSHa@127.0.0.1:1/db",
    "u:HUSHa@127.0.0.1:1/db",
    "host=127.0.0.1 password=HUSHa",
    "postgresql://u%3AHUSHa@host/db",
    "postgresql://127.0.0.1?password=HUSHa@HUSHb",
    "postgresql://127.0.0.1:1/db?password=HUSHa@HUSHb",
    "postgresql://127.0.0.1:1/db?passwd=HUSHa",
    "postgresql://127.0.0.1:1/db;password=HUSHa",
    "mysql://u:HUSHa@HUSHb@host/db",
    "mysql://u%3aHUSHa@host/db",
    "sqlite://u:HUSHa",
    "sqlite://u:HUSHa@host/x.db",
    "sqlite://u%3AHUSHa@host/x.db",
]


@pytest.mark.parametrize("url", MISTYPED)
def test_a_mistyped_url_does_not_tell_its_password(
    url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="^storage: ") as caught:
        open_storage(url, 1)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    captured = capfd.readouterr()
    shown += captured.out + captured.err + masked(str(caught.value))
    assert "HUSH" not in shown
    assert "12345678" not in shown
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("by_variable", [False, True])
@pytest.mark.parametrize("url", MISTYPED)
def test_the_command_does_not_tell_it_either(
    url: str,
    by_variable: bool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if by_variable:
        monkeypatch.setenv("RRNN_STORAGE", url)
    assert main(["show", *([] if by_variable else ["--storage", url])]) == 65
    captured = capfd.readouterr()
    assert captured.err.startswith("rrnn sweep: storage: ")
    assert "HUSH" not in captured.out + captured.err


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:a@b@127.0.0.1:1/db",
        "postgresql://u:a/b@127.0.0.1:1/db",
        "postgresql://u%3Aab@127.0.0.1:1/db",
        "postgresql://127.0.0.1:1/db?password=a@b",
    ],
)
def test_what_a_driver_would_split_elsewhere_is_to_be_encoded(url: str) -> None:
    with pytest.raises(ValueError, match="write %40 for @"):
        open_storage(url, 2)


def test_a_file_is_written_with_three_slashes() -> None:
    with pytest.raises(ValueError, match="as in sqlite:///runs/sweep.db, got 'sqlite://a/x.db'"):
        open_storage("sqlite://a/x.db", 1)


def test_pieces_of_a_password_are_masked_in_what_a_driver_says() -> None:
    said = "failed to resolve host 'HUSHb@127.0.0.1', user u"
    shown = without_secrets(said, "postgresql://u:HUSHa@HUSHb@127.0.0.1:1/db")
    assert shown == "failed to resolve host '***@127.0.0.1', user u"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:secret", "postgresql://u:***"),
        ("postgresql://u%3Asecret@host/x", "postgresql://u:***@host/x"),
        ("postgresql://host:5432/x", "postgresql://host:5432/x"),
        ("postgresql://me:secret@[::1]:5432/x", "postgresql://me:***@[::1]:5432/x"),
        ("postgresql://[::1]:5432/x", "postgresql://[::1]:5432/x"),
    ],
)
def test_a_shown_url_keeps_what_is_no_password(url: str, shown: str) -> None:
    assert masked(url) == shown
