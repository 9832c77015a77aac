"""Checkpoints from strangers: through no command do they run code, reach out or fill memory."""

import http.server
import os
import resource
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from tests.faults.canaries import (
    EXIT_BAD_INPUT,
    EXIT_REFUSED,
    Canary,
    ended,
    importable,
    with_canary,
    write_module,
)
from tests.training.compressing import write_compressor
from tests.training.tiny import in_child, load, tiny_config

Got = Callable[[str], None]
REFUSED = (EXIT_BAD_INPUT, EXIT_REFUSED)
HUGE = 10**9  # elements, 4 GB
MEMORY = 1 << 30
ASKED: list[str] = []  # paths that somebody wanted from the server
Command = Callable[[Path], tuple[str | Path, ...]]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, prepared_folder: Path) -> Path:
    """A run that was trained."""
    folder = tmp_path_factory.mktemp("good")
    config = tiny_config(prepared_folder, folder / "run", {"trainer.max_steps": 8})
    (folder / "c.yaml").write_text(yaml.safe_dump(config))
    assert ended("fit", "--config", folder / "c.yaml") == 0
    return folder / "run"


@pytest.fixture
def run(good: Path, tmp_path: Path) -> Path:
    """An unfinished copy of it, whose checkpoints a test replaces."""
    run = tmp_path / "run"
    shutil.copytree(good, run)
    (run / "summary.json").unlink()
    return run


def replace(run: Path, make: Callable[[Path, Path], None]) -> None:
    """Put what `make(whole, place)` writes in the place of every checkpoint of a run."""
    whole = run.parent / "whole.ckpt"
    shutil.copyfile(run / "checkpoints" / "last.ckpt", whole)
    for path in sorted((run / "checkpoints").glob("*.ckpt")):
        path.unlink()
        make(whole, path)


def compressor(run: Path) -> tuple[str | Path, ...]:
    data = Path(yaml.safe_load((run / "config.yaml").read_text())["data"]["folder"])
    return ("fit", "--config", write_compressor(data, run, run.parent / "compressor"))


WAYS: dict[str, Command] = {
    "fit --ckpt_path": lambda run: (
        *("fit", "--config", run / "config.yaml", "--run.folder", run.parent / "new"),
        *("--ckpt_path", run / "checkpoints" / "last.ckpt"),
    ),
    "fit --resume": lambda run: ("fit", "--resume", run, "--trainer.max_steps", "12"),
    "validate": lambda run: ("validate", "--run", run),
    "test": lambda run: ("test", "--run", run),
    "predict": lambda run: ("predict", "--run", run),
    "export": lambda run: (
        "export",
        run,
        "--out",
        run.parent / "bundle",
        "--name",
        "a",
        "--overwrite",
    ),
    "report": lambda run: ("report", run, "--out", run.parent / "page"),
    "data.autoencoder": compressor,
}


@pytest.mark.promise(22)
@pytest.mark.timeout(120)
def test_a_pickle_runs_through_no_command_whatever_the_environment_says(
    run: Path, got: Got, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = Canary(run.parent / "sung")
    replace(run, lambda whole, path: with_canary(whole, path, canary.path))
    # torch then loads everything that is not asked for with weights_only=True
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    codes, sung = {}, []
    for name, command in WAYS.items():
        codes[name] = ended(*command(run))
        if canary.path.exists():
            sung.append(name)
            canary.path.rmdir()
    got(f"{len(sung)} canaries through {len(WAYS)} commands")
    assert sung == []
    assert set(codes.values()) <= set(REFUSED), codes


def test_the_pickle_would_sing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = Canary(run.parent / "sung")
    with_canary(run / "checkpoints" / "last.ckpt", run / "evil.ckpt", canary.path)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.warns(UserWarning, match="forcing weights_only=False"):
        torch.load(run / "evil.ckpt")  # without the argument, as most programs do
    assert canary.path.is_dir()


def pickled(whole: Path, path: Path) -> None:
    with_canary(whole, path, path.parents[2] / "sung")


def with_maker(name: str) -> Callable[[Path, Path], None]:
    """Return a function that names a canary's class in the hyper-parameters."""

    def make(whole: Path, path: Path) -> None:
        content = load(whole)
        content["hyper_parameters"][name] = "canary_module.Evil"
        torch.save(content, path)

    return make


def bomb(whole: Path, path: Path) -> None:
    """Write weights of the right names that claim 4 GB each in a few bytes."""
    content = load(whole)
    state = {name: torch.zeros(1).expand(HUGE) for name in content["state_dict"]}
    torch.save({**content, "state_dict": state, "optimizer_states": []}, path)


def tagged(run: Path) -> None:
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(f"{text}x: !!python/object/apply:canary_module.sing []\n")


class _Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ASKED.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    """A server that notes who asks."""
    ASKED.clear()
    server = http.server.HTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def limited() -> None:
    """Take away the memory that a bomb would fill."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


@pytest.mark.promise(22)
@pytest.mark.timeout(120)
def test_seven_crafted_checkpoints_run_nothing(
    run: Path, address: str, got: Got, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run.parent
    sung = folder / "sung"
    write_module(folder, sung)
    monkeypatch.delenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", raising=False)
    whole = folder / "kept.ckpt"
    shutil.copyfile(run / "checkpoints" / "last.ckpt", whole)
    config = (run / "config.yaml").read_text()
    ways = [WAYS["fit --resume"], WAYS["export"]]
    cases: dict[str, Callable[[], None]] = {
        "pickle": lambda: replace(run, pickled),
        "variable": lambda: monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1"),
        "_instantiator": lambda: replace(run, with_maker("_instantiator")),
        "_class_path": lambda: replace(run, with_maker("_class_path")),
        "stride-0 bomb": lambda: replace(run, bomb),
        "YAML tag": lambda: tagged(run),
    }
    found: dict[str, list[int]] = {}
    canaries = 0
    with importable(folder):
        for name, craft in cases.items():
            if name != "variable":  # that one is the first once more
                for path in (run / "checkpoints").glob("*.ckpt"):
                    shutil.copyfile(whole, path)
            craft()
            found[name] = [ended(*way(run), before=limited) for way in ways]
            canaries += sung.exists()
            (run / "config.yaml").write_text(config)
        fetch = ("--config", run / "config.yaml", "--ckpt_path", f"{address}/last.ckpt")
        found["http"] = [ended(command, *fetch) for command in ("fit", "validate")]
    got(f"{canaries} canaries of {len(found)}")
    assert canaries == 0
    assert ASKED == []
    assert set(found["http"]) == {EXIT_REFUSED}
    for name in ("pickle", "variable", "stride-0 bomb"):
        assert set(found[name]) == {EXIT_REFUSED}, (name, found[name])
    assert set(found["YAML tag"]) <= set(REFUSED), found
    # such a note is no option of ours: nobody looks at it, and the weights are as good as any
    for name in ("_instantiator", "_class_path"):
        assert set(found[name]) <= {0, *REFUSED}, (name, found[name])


def test_the_bomb_is_small_and_would_go_off(run: Path) -> None:
    bomb(run / "checkpoints" / "last.ckpt", run / "bomb.ckpt")
    state: dict[str, Any] = load(run / "bomb.ckpt")["state_dict"]

    def copy() -> int:
        limited()
        try:
            next(iter(state.values())).contiguous()
        except RuntimeError:
            return 71
        return 0

    assert in_child(copy) == 71
    assert os.path.getsize(run / "bomb.ckpt") < 30_000
