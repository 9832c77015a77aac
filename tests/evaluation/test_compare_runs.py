"""Variants in child processes; the children are a toy that writes the files of a run."""

import json
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rrnn_lit.evaluation.compare_file import Variant
from rrnn_lit.evaluation.compare_runs import Place, folder_lock, run_variants
from rrnn_lit.training.run_folder import is_finished

TOY = str(Path(__file__).with_name("toy_fit.py"))


def variant(name: str, toy: str = "ok", **options: Any) -> Variant:
    return Variant(name, name, "baseline", {"model": {"toy": toy, **options}})


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def place(tmp_path: Path, said: list[str]) -> Place:
    return Place(tmp_path / "out", 3, False, said.append, (sys.executable, TOY))


def log(place: Place, name: str) -> list[str]:
    return (place.out / name / "log.txt").read_text(encoding="utf-8").splitlines()


def test_each_variant_runs_once_in_its_folder(place: Place, said: list[str]) -> None:
    variants = [variant("a"), variant("b")]
    assert run_variants(variants, place) == {}
    assert all(is_finished(place.out / v.name) for v in variants)
    assert "[1/2] a: step 10, 10.0% of words of tune" in said
    assert run_variants(variants, place) == {}
    assert said[-2:] == ["[1/2] a: finished before", "[2/2] b: finished before"]
    assert log(place, "a") == ["fit threads 3"]


def test_a_failure_is_told_with_the_end_of_its_log_and_the_others_go_on(place: Place) -> None:
    failed = run_variants([variant("a", "fail"), variant("b")], place)
    assert list(failed) == ["a"]
    lines = failed["a"].splitlines()
    assert lines[0].strip() == "exit code 65"
    assert lines[-1].strip() == "rrnn fit: no luck today"
    assert is_finished(place.out / "b")
    assert not is_finished(place.out / "a")
    # the log keeps what was before; only the last start is shown
    again = run_variants([variant("a", "fail")], place)
    assert again == failed
    assert log(place, "a").count("rrnn fit: no luck today") == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_variant_is_saved_and_goes_on_later(
    place: Place, said: list[str], number: signal.Signals
) -> None:
    def interrupt(line: str) -> None:
        said.append(line)
        if "step 10" in line:
            signal.raise_signal(number)

    before = signal.getsignal(signal.SIGTERM)
    variants = [variant("a", "wait"), variant("b")]
    with pytest.raises(KeyboardInterrupt):
        run_variants(variants, replace(place, say=interrupt))
    assert signal.getsignal(signal.SIGTERM) is before
    last = place.out / "a" / "checkpoints" / "last.ckpt"
    assert last.read_text(encoding="utf-8") == "saved"
    assert not (place.out / "b").exists()
    assert run_variants(variants, place) == {}
    assert any(line.startswith("[1/2] a: goes on") for line in said)
    assert "[1/2] a: step 20, 20.0% of words of tune" in said
    assert is_finished(place.out / "b")


def test_other_options_than_those_of_the_folder_are_refused(place: Place) -> None:
    run_variants([variant("a", rate=0.1)], place)
    with pytest.raises(
        ValueError, match=r"wanted the run of a with model\.rate 0\.2, got one with 0\.1; remove"
    ):
        run_variants([variant("a", rate=0.2)], place)


def test_a_variant_that_never_began_may_change_its_options(place: Place) -> None:
    run_variants([variant("a", "fail")], place)
    assert run_variants([variant("a", "ok")], place) == {}


def test_holdout_is_counted_once_and_with_the_final_weights(place: Place) -> None:
    run_variants([variant("a")], place)
    for _ in range(2):
        assert run_variants([variant("a")], replace(place, holdout=True)) == {}
    summary = json.loads((place.out / "a" / "summary.json").read_text(encoding="utf-8"))
    assert summary["splits"]["holdout"] == {"weights": "last"}
    assert log(place, "a") == ["fit threads 3", "test threads 3"]


def test_a_folder_in_use_is_left_alone(place: Place) -> None:
    folder = place.out / "a"
    folder.mkdir(parents=True)
    with folder_lock(folder), pytest.raises(ValueError, match="in use by another `rrnn compare`"):
        run_variants([variant("a")], place)
    assert run_variants([variant("a")], place) == {}
