from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit.search.trial_files import MissingCheckpointError, TrialPlace, write_trial
from tests.search.sweeping import NAME, RATE, toy_definition


@pytest.fixture
def place(tmp_path: Path) -> TrialPlace:
    return TrialPlace(out=tmp_path, root=NAME, number=42, origin=None, token="00ff00ff")


def make_run(place: TrialPlace) -> Path:
    """Let a trial of the first rung have run to a checkpoint; return its folder."""
    folder, _ = write_trial(toy_definition(), place, {RATE: 0.001})
    (folder / "checkpoints").mkdir()
    (folder / "config.yaml").write_text("{}", encoding="utf-8")
    (folder / "checkpoints" / "last.ckpt").write_text("", encoding="utf-8")
    return folder


def test_a_trial_starts_from_the_base_and_its_options(place: TrialPlace, tmp_path: Path) -> None:
    definition = toy_definition()
    folder, arguments = write_trial(definition, place, {RATE: 0.001})
    base, options = tmp_path / NAME / "base.yaml", folder / "options.yaml"
    assert folder == tmp_path / NAME / "trial-0042"
    assert arguments == ("fit", "--config", str(base), "--config", str(options))
    assert yaml.safe_load(base.read_text(encoding="utf-8")) == definition.base_options
    assert yaml.safe_load(options.read_text(encoding="utf-8")) == {
        "model": {"learning_rate": 0.001, "decay": 0.5},
        "trainer": {"max_steps": 5, "enable_progress_bar": False},
        "run": {"folder": str(folder), "if_exists": "resume"},
        "wandb": {"group": NAME, "job_type": "trial", "tags": ["demo", "sweep"]},
    }


def test_tags_of_the_overrides_win(place: TrialPlace) -> None:
    definition = toy_definition(overrides={"wandb.tags": ["mine"]})
    folder, _ = write_trial(definition, place, {RATE: 0.001})
    options = yaml.safe_load((folder / "options.yaml").read_text(encoding="utf-8"))
    assert options["wandb"]["tags"] == ["mine", "sweep"]


def test_a_trial_with_a_checkpoint_goes_on(place: TrialPlace) -> None:
    make_run(place)
    folder, arguments = write_trial(toy_definition(), place, {RATE: 0.001})
    options = str(folder / "options.yaml")
    assert arguments == ("fit", "--resume", str(folder), "--config", options)


def test_an_old_request_to_stop_is_forgotten(place: TrialPlace, tmp_path: Path) -> None:
    request = tmp_path / NAME / "trial-0042" / "stop_request"
    request.parent.mkdir(parents=True)
    request.write_text("pruned\n", encoding="utf-8")
    write_trial(toy_definition(), place, {RATE: 0.001})
    assert not request.exists()


def test_a_rung_goes_on_in_the_folder_of_its_root(place: TrialPlace, tmp_path: Path) -> None:
    root = make_run(replace(place, number=7))
    assert root == tmp_path / NAME / "trial-0007"
    (root / "wandb_run_id").write_text("of the root", encoding="utf-8")
    definition = replace(toy_definition(), name="toy-50", steps=50)
    folder, arguments = write_trial(definition, replace(place, origin=7), {RATE: 0.001})
    assert folder == root
    assert arguments[:3] == ("fit", "--resume", str(root))
    options = yaml.safe_load((root / "options.yaml").read_text(encoding="utf-8"))
    assert options["trainer"]["max_steps"] == 50
    assert options["run"]["folder"] == str(root)
    assert (root / "wandb_run_id").read_text(encoding="utf-8") == "of the root"


def test_a_rung_without_its_roots_checkpoint_is_refused(place: TrialPlace, tmp_path: Path) -> None:
    definition = replace(toy_definition(), name="toy-50", steps=50)
    wanted = r"trial-0007/checkpoints/last.ckpt: wanted the checkpoint of trial 7 of study toy"
    with pytest.raises(MissingCheckpointError, match=wanted) as raised:
        write_trial(definition, replace(place, origin=7), {RATE: 0.001})
    assert "--out" in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "other",
    [
        {"token": "11111111"},
        {"number": 41},
        {"token": "11111111", "origin": 42, "number": 0},  # a rung of another study of that name
    ],
)
def test_the_run_of_another_trial_is_refused_and_not_touched(
    place: TrialPlace, tmp_path: Path, other: dict[str, Any]
) -> None:
    folder = make_run(place)
    if "number" in other and "origin" not in other:
        folder = folder.rename(folder.with_name(f"trial-{other['number']:04d}"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match="wanted a new folder or the run of trial 4") as raised:
        write_trial(toy_definition(), replace(place, **other), {RATE: 0.002})
    text = str(raised.value)
    assert text.startswith(f"{folder}: ")
    assert "got that of trial 42 of study toy (token 00ff00ff)" in text
    assert "--out" in text
    assert "\n" not in text
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("note", [None, "", "[]", '{"study": "toy"}'])
def test_a_run_that_nobody_signed_is_refused(place: TrialPlace, note: str | None) -> None:
    owner = make_run(place) / "trial.json"
    owner.unlink()
    if note is not None:
        owner.write_text(note, encoding="utf-8")
    with pytest.raises(ValueError, match=r"got a run without trial\.json"):
        write_trial(toy_definition(), place, {RATE: 0.001})


def test_a_folder_without_a_run_is_taken_whoever_made_it(place: TrialPlace) -> None:
    folder, _ = write_trial(toy_definition(), place, {RATE: 0.001})
    (folder / "trial.json").write_text("", encoding="utf-8")  # its maker died while it wrote
    write_trial(toy_definition(), place, {RATE: 0.001})
    assert "00ff00ff" in (folder / "trial.json").read_text(encoding="utf-8")


def wandb_id(place: TrialPlace, seed: int = 7, name: str = NAME) -> str:
    definition = replace(toy_definition(), seed=seed, name=name)
    folder, _ = write_trial(definition, place, {RATE: 0.001})
    return (folder / "wandb_run_id").read_text(encoding="utf-8")


def test_the_wandb_id_is_the_trials_own(place: TrialPlace, tmp_path: Path) -> None:
    first = wandb_id(place)
    assert wandb_id(replace(place, out=tmp_path / "another machine")) == first
    out = tmp_path / "others"
    others = [
        wandb_id(replace(place, out=out, number=41)),
        wandb_id(replace(place, out=out / "token", token="11")),
        wandb_id(replace(place, out=out / "seed"), seed=8),
        wandb_id(replace(place, out=out / "name"), name="other"),
    ]
    assert len({first, *others}) == 5


def test_the_wandb_id_of_a_started_trial_stays(place: TrialPlace) -> None:
    assert wandb_id(place) == wandb_id(place, seed=8)
