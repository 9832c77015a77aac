"""A config from a stranger: what it names is refused before it is imported."""

import os
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.forkserver import _forkserver
from pathlib import Path

import pytest
import yaml

from rrnn_lit.search.endings import judge
from tests.faults.canaries import EXIT_REFUSED, ended, importable, write_module
from tests.training.tiny import in_child, read_json, tiny_config

Got = Callable[[str], None]

HOSTILE = {
    "callback": "trainer: {callbacks: [{class_path: canary_module.Evil}]}",
    "callback by name alone": "trainer: {callbacks: canary_module.Evil}",
    "model": "model: {class_path: canary_module.Evil}",
    "strategy": "trainer: {strategy: {class_path: canary_module.Evil}}",
    "plugin": "trainer: {plugins: [{class_path: canary_module.Evil}]}",
    "function": (
        "trainer: {callbacks: [{class_path: lightning.pytorch.callbacks.LambdaCallback, "
        "init_args: {on_fit_start: os.system, on_fit_end: canary_module.sing}}]}"
    ),
    "python tag": "trainer: !!python/object/apply:canary_module.sing []",
    "merged alias": (
        "x: &evil {class_path: canary_module.Evil}\ntrainer: {logger: [{<<: *evil}]}"
    ),
}
FURTHER = {
    "profiler": "trainer: {profiler: {class_path: canary_module.Evil}}",
    "maker": "model: {_class_path: canary_module.Evil}",
    "loader of torch": (
        "trainer: {callbacks: [{class_path: LambdaCallback, "
        "init_args: {on_fit_start: torch.hub.load}}]}"
    ),
    "way through a module that is allowed": (
        "trainer: {callbacks: [{class_path: LambdaCallback, "
        "init_args: {on_fit_start: torch.nn.functional.importlib.import_module}}]}"
    ),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, prepared_folder: Path) -> Path:
    """A folder with a config and a module that nobody should import."""
    folder = tmp_path_factory.mktemp("configs")
    write_module(folder, folder / "sung")
    config = tiny_config(prepared_folder, folder / "run", {"trainer.max_steps": 2})
    (folder / "good.yaml").write_text(yaml.safe_dump(config))
    return folder


def fit(place: Path, hostile: str, *more: str) -> int:
    (place / "hostile.yaml").write_text(hostile)
    configs = ("--config", place / "good.yaml", "--config", place / "hostile.yaml")
    with importable(place):
        return ended("fit", *configs, *more)


def test_the_module_would_sing(place: Path) -> None:
    with importable(place):
        assert in_child(lambda: bool(__import__("canary_module").Evil) - 1) == 0
    (place / "sung").rmdir()


@pytest.mark.promise(24)
def test_hostile_configs_import_nothing(
    place: Path, got: Got, capfd: pytest.CaptureFixture[str]
) -> None:
    codes, sung = {}, 0
    for name, hostile in {**HOSTILE, **FURTHER}.items():
        codes[name] = fit(place, hostile)
        line = capfd.readouterr().err.splitlines()[-1]
        assert line.startswith("rrnn fit: refused: "), line
        if (place / "sung").exists():
            sung += 1
            (place / "sung").rmdir()
    got(f"{sung} imports of {len(codes)}")
    assert sung == 0
    assert set(codes.values()) == {EXIT_REFUSED}, codes


@pytest.mark.promise(24)
def test_the_command_line_goes_the_same_way(place: Path) -> None:
    assert fit(place, "{}", "--trainer.callbacks+", "canary_module.Evil") == EXIT_REFUSED
    assert not (place / "sung").exists()


@pytest.mark.promise(24)
def test_lightnings_own_classes_and_those_the_environment_names_are_taken(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = "lightning.pytorch.callbacks.LearningRateMonitor"
    mixed = f"trainer: {{callbacks: [{{class_path: {good}}}, {{class_path: canary_module.Evil}}]}}"
    monkeypatch.setenv("RRNN_ALLOW_IMPORTS", "another, canary_module")
    assert fit(place, mixed) == 0
    assert (place / "sung").is_dir()
    (place / "sung").rmdir()
    text = (place / "run" / "config.yaml").read_text()
    assert good in text
    assert read_json(place / "run" / "summary.json")["steps"] == 2


@pytest.mark.promise(24)
def test_a_config_cannot_widen_the_list(place: Path) -> None:
    os.environ.pop("RRNN_ALLOW_IMPORTS", None)
    hostile = f"RRNN_ALLOW_IMPORTS: canary_module\n{HOSTILE['callback']}"
    assert fit(place, hostile) == EXIT_REFUSED
    assert not (place / "sung").exists()


@pytest.mark.promise(24)
@pytest.mark.parametrize("kind", ["prepare", "compare", "sweep"])
def test_other_files_of_options_are_held_to_it(place: Path, kind: str) -> None:
    base = f"base: {place / 'good.yaml'}\nbudget: {{steps: 2}}\n"
    evil = "{trainer.callbacks: canary_module.Evil}"
    files = {
        "prepare": "source: {class_path: canary_module.Evil}\n",
        "compare": f"{base}variants: {{a: {{group: baseline, options: {evil}}}}}\n",
        "sweep": (
            f"{base}overrides: {evil}\nseed: 1\n"
            "objective: {metric: tune/matched_words, direction: maximize}\n"
            "space: {model.dropout: {distribution: uniform, low: 0.1, high: 0.2}}\n"
            "stopping: {trials: 1}\n"
        ),
    }
    path = place / f"{kind}.yaml"
    path.write_text(files[kind])
    commands: dict[str, tuple[str | Path, ...]] = {
        "prepare": ("prepare", "--config", path),
        "compare": ("compare", path, "--out", place / "compared"),
        "sweep": ("sweep", "run", path, "--storage", f"sqlite:///{place / 'studies.db'}"),
    }

    def enter() -> None:
        os.chdir(place)
        # the fork server of an earlier test is the parent's child, not this one's
        _forkserver._forkserver_pid = None  # type: ignore[attr-defined]

    with importable(place):
        code = ended(*commands[kind], before=enter)
    assert code == EXIT_REFUSED
    assert not (place / "sung").exists()


@pytest.mark.promise(24)
def test_a_trial_that_is_refused_ends_with_that_reason() -> None:
    assert judge(EXIT_REFUSED, None, []).reason == "refused"


_NAMES = ("yaml", "json", "socket", "selectors", "subprocess", "torch", "wandb")
_SCRIPT = "import sys\nfrom rrnn_lit.cli import main\nsys.exit(main())\n"


@pytest.mark.promise(24)
@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", ["fit", "compare", "sweep"])
def test_modules_beside_a_strangers_config_are_not_imported(
    prepared_folder: Path, tmp_path: Path, got: Got, kind: str
) -> None:
    folder, sung, script = tmp_path / "strangers", tmp_path / "sung", tmp_path / "bin" / "rrnn"
    folder.mkdir()
    for name in _NAMES:
        text = f"import os\nos.makedirs({str(sung)!r}, exist_ok=True)\n"
        (folder / f"{name}.py").write_text(text)
    options = {
        "trainer.max_steps": 3,
        "trainer.val_check_interval": 3,
        "wandb.enabled": True,
    }
    config = tiny_config(prepared_folder, folder / "run", options)
    base = "base: config.yaml\n"
    texts = {
        "config": yaml.safe_dump(config),
        "compare": f"{base}budget: {{steps: 3}}\nvariants: {{a: {{group: baseline}}}}\n",
        "sweep": (
            f"{base}seed: 1\nbudget: {{steps: 3}}\n"
            "objective: {metric: tune/matched_words, direction: maximize}\n"
            "space: {model.dropout: {distribution: uniform, low: 0.1, high: 0.2}}\n"
            "stopping: {trials: 1}\n"
        ),
    }
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    script.parent.mkdir()
    script.write_text(_SCRIPT)
    commands = {
        "fit": ["fit", "--config", "config.yaml"],
        "compare": ["compare", "compare.yaml", "--out", "compared"],
        "sweep": ["sweep", "run", "sweep.yaml", "--storage", "sqlite:///studies.db"],
    }
    own = {"HOME": str(tmp_path), "WANDB_MODE": "offline"}
    environment = {**os.environ, **own}
    environment.pop("PYTHONSAFEPATH", None)
    done = subprocess.run(
        [sys.executable, str(script), *commands[kind]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    got(f"{int(sung.exists())} imports beside the config of `rrnn {kind}`")
    assert not sung.exists()
    assert done.returncode == 0, done.stderr
