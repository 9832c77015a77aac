"""Mistakes on the command line that are found before a study is made."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit.search.trial_process import TrialServer
from tests.search import toy_trial
from tests.search.toy_studies import Sweep, write_study


def picky(arguments: list[str]) -> int:
    """Print the options of a toy run as `toy_trial` does, if its rate is a number up to 1."""
    options: dict[str, Any] = {}
    for path in arguments[2::2]:
        toy_trial.merge(options, yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    rate = options["model"]["learning_rate"]
    if not isinstance(rate, float) or rate > 1:
        print(f"rrnn fit: wanted a small number, got {rate!r}", file=sys.stderr)
        return 64
    return toy_trial.main(arguments)


@pytest.mark.parametrize("text", ["foo", "0,,x", "", "0,", "GPU", "auto,0"])
@pytest.mark.parametrize("line", ["run s.yaml", "extend toys --best 1 --steps 9"])
def test_gpus_that_have_no_such_name_are_refused(
    sweep: Sweep, capsys: pytest.CaptureFixture[str], line: str, text: str
) -> None:
    assert sweep(line, "--gpus", text) == 64
    wanted = "wanted auto, none or numbers or GPU-... names with commas between"
    assert capsys.readouterr().err == f"rrnn sweep: --gpus: {wanted}, got {text!r}\n"


@pytest.mark.parametrize("text", ["0, 1", "GPU-8a4c-01", "MIG-GPU-8a4c/1/0,2", "none"])
def test_gpus_by_any_of_their_names_are_taken(
    sweep: Sweep, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert sweep("run no.yaml", "--gpus", text) == 64
    assert capsys.readouterr().err.startswith("rrnn sweep: no.yaml: ")


def test_more_steps_than_a_study_file_may_have_are_refused(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep(f"extend toys --best 1 --steps {2**53 + 1}") == 64
    assert "--steps: wanted a whole number up to 9007199254740992" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("inner", ["", "/inner"])
@pytest.mark.parametrize("line", ["export toys", "plots toys"])
def test_a_file_for_a_folder_is_refused(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, inner: str
) -> None:
    file = tmp_path / "afile"
    file.touch()
    assert sweep(line, "--out", f"{file}{inner}") == 64
    error = capsys.readouterr().err
    assert error == f"rrnn sweep: --out: wanted a folder, got the file {file}\n"


@pytest.mark.parametrize("line", ["run no.yaml", "extend toys --best 1 --steps 9"])
def test_a_file_for_the_folder_of_studies_is_refused(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    (tmp_path / "out").touch()
    assert sweep(line) == 64
    assert "--out: wanted a folder, got the file" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["!!bool abc", "!!int abc", "!!timestamp abc", "1" * 5000])
def test_a_value_that_yaml_cannot_make_is_named_by_its_option(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    study = write_study(tmp_path)
    assert sweep("run", study, "--set", f"model.hidden_size={text}") == 64
    wanted = f"--set model.hidden_size: wanted a YAML value, got {text[:40]!r}"
    assert capsys.readouterr().err == f"rrnn sweep: {wanted}\n"


@pytest.mark.parametrize(
    ("settings", "got"),
    [
        ({"distribution": "categorical", "values": [1.0e-3, "abc"]}, "'abc'"),
        ({"distribution": "uniform", "low": 0.5, "high": 99.0}, "99.0"),
    ],
)
def test_values_that_the_run_does_not_take_are_refused(
    sweep: Sweep,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    got: str,
) -> None:
    server = partial(TrialServer, f"{__name__}:picky", ())
    monkeypatch.setattr("rrnn_lit.search.trial_process.TrialServer", server)
    good = {"distribution": "categorical", "values": [0.5]}
    study = write_study(tmp_path, space={"model.decay": good, "model.learning_rate": settings})
    assert sweep("run", study) == 64
    error = capsys.readouterr().err
    assert f"space.model.learning_rate: wanted values that the run takes, got {got}: " in error
    assert error.count("\n") == 1
    assert not (tmp_path / "studies.db").exists()
