import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import optuna
import pytest

from rrnn_lit.search.cli import main
from rrnn_lit.search.storage import open_storage
from tests.search.finished_studies import SPACE, define, make_study, start
from tests.search.services import do_without

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
_CODE = "import sys; from rrnn_lit.search.cli import main; sys.exit(main(sys.argv[1:]))"
_FLAGS = (
    "--headless",
    "--no-sandbox",  # root cannot have one
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=25000",
    "--window-size=1400,1000",
)


@pytest.fixture(scope="module")
def storage_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with a study of three results."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = f"sqlite:///{tmp_path_factory.mktemp('dashboard')}/studies.db"
    storage = open_storage(url, num_workers=1)
    definition = define("widths", space=SPACE[:2])
    study = make_study(definition, storage)
    for value in (12.0, 4321.5, 17.0):
        study.tell(start(study, definition), value)
    storage.close()
    return url


@pytest.fixture(scope="module")
def address(storage_url: str) -> Iterator[str]:
    """A running dashboard on a free port; how it ends is checked as well."""
    pytest.importorskip("optuna_dashboard")
    command = [sys.executable, "-c", _CODE, "dashboard", "--port", "0", "--storage", storage_url]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+/dashboard", server.stdout.readline())
            assert found is not None
            yield found.group()
            server.send_signal(signal.SIGINT)
            _, errors = server.communicate(timeout=20)
            assert (server.returncode, errors) == (130, "rrnn sweep: interrupted\n")
        finally:
            server.kill()


def test_the_studies_are_served(address: str) -> None:
    root = address.removesuffix("/dashboard")
    with urlopen(f"{root}/api/studies") as answer:
        (summary,) = json.load(answer)["study_summaries"]
    assert summary["study_name"] == "widths"
    with urlopen(f"{root}/api/studies/{summary['study_id']}?after=0") as answer:
        trials = json.load(answer)["trials"]
    assert [trial["values"] for trial in trials] == [[12.0], [4321.5], [17.0]]


def test_a_browser_shows_study_parameters_and_best_value(address: str, tmp_path: Path) -> None:
    from matplotlib.image import imread

    if CHROMIUM is None:
        do_without("no Chromium; `make services` installs it")
    picture = tmp_path / "page.png"
    options = [f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}", "--dump-dom"]
    command = [CHROMIUM, *_FLAGS, *options, f"{address}/studies/1"]
    page = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True).stdout
    assert "widths (id=1)" in page
    assert "4321.5" in page
    assert "1-model.decay" in page
    pixels = imread(picture)[:, :, :3].reshape(-1, 3)
    assert len(pixels) == 1400 * 1000
    assert len({tuple(pixel) for pixel in pixels[::7].round(2).tolist()}) > 50  # an empty page: 1


def test_a_taken_port_is_one_line(storage_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["dashboard", "--storage", storage_url, "--port", str(port)]) == 65
    error = capsys.readouterr().err
    assert error.startswith(
        f"rrnn sweep: --host, --port: wanted a free address, got 127.0.0.1:{port}"
    )
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--port", "70000"], "--port: wanted a number from 0 to 65535, got 70000"),
        (["--host", "no such host"], "--host, --port: wanted a free address, got no such host"),
    ],
)
def test_an_address_that_cannot_be_is_one_line(
    storage_url: str, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboard", "--storage", storage_url, *options]) == 65
    assert message in capsys.readouterr().err


def test_without_the_package_the_extra_is_named(
    storage_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    assert main(["dashboard", "--storage", storage_url]) == 65
    assert "pip install 'rrnn_lit[dashboard]'" in capsys.readouterr().err
