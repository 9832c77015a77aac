import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from rrnn_lit.codec.bundle import read_bundle, write_bundle
from rrnn_lit.data.synthetic import write_synthetic
from rrnn_lit.models.building import weights_digest
from rrnn_lit.training.open_run import Weights, open_model, open_run
from tests.codec.parts import OPTIONS, tiny_parts
from tests.training.made_runs import edit_checkpoint, make_compressor_run, make_run
from tests.training.tiny import load

PARTS = tiny_parts(compressor=True)
DIGEST = weights_digest(PARTS.autoencoder)


@pytest.fixture
def run(tmp_path: Path, prepared_folder: Path) -> Path:
    """Return the folder of a run whose weights are those of PARTS."""
    return make_run(tmp_path / "runs" / "tiny", prepared_folder, PARTS)


def refused(folder: Path, **options: Any) -> str:
    """Return the text of the refusal."""
    with pytest.raises(ValueError, match="wanted|holds") as caught:
        open_run(folder, **options)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["best", "last"])
def test_a_trained_run_is_opened_with_its_weights_and_figures(
    straight_run: Path, prepared_folder: Path, kind: Weights
) -> None:
    parts = open_run(straight_run, kind)
    checkpoint = load(straight_run / "checkpoints" / f"{kind}.ckpt")
    state = parts.autoencoder.state_dict()
    assert len(state) == 16
    for name, weight in state.items():
        assert torch.equal(weight, checkpoint["state_dict"][f"autoencoder.{name}"])
    step = checkpoint["global_step"]
    assert {split["step"] for split in parts.facts["splits"].values()} == {step}
    if kind == "last":
        summary = json.loads((straight_run / "summary.json").read_text())
        assert parts.facts["splits"] == summary["splits"]
    facts = {"name": "run", "finished": True, "max_words": 12, "seed": 1234, "weights": kind}
    assert {**facts, "steps": step}.items() <= parts.facts.items()
    assert parts.facts["data"]["sentences"]["train"] == 140
    assert np.array_equal(
        parts.word_vectors.vectors_VW, np.load(prepared_folder / "word_vectors.npy")
    )
    assert parts.autoencoder_options["hidden_size"] == 16
    assert parts.text.max_words == 12


def test_a_bundle_of_a_run_holds_the_same_weights(run: Path, tmp_path: Path) -> None:
    parts = open_run(run)
    write_bundle(parts, tmp_path / "bundle")
    read = open_model(tmp_path / "bundle")
    assert weights_digest(read.autoencoder) == weights_digest(parts.autoencoder) == DIGEST
    assert read.facts == parts.facts


def test_a_checkpoint_that_cannot_be_read_is_not_called_another_file(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError("Permission denied")

    monkeypatch.setattr(torch, "load", refuse)
    with pytest.raises(PermissionError):
        open_run(run)


def test_open_model_takes_runs_and_bundles_and_nothing_else(run: Path, tmp_path: Path) -> None:
    assert weights_digest(open_model(run).autoencoder) == DIGEST
    for place, what in ((tmp_path, "another folder"), (tmp_path / "none", "no such folder")):
        with pytest.raises(ValueError, match=f"run or of a bundle, got {what}"):
            open_model(place)
    with pytest.raises(ValueError, match="got a file"):
        open_model(run / "config.yaml")


def test_the_training_framework_is_not_loaded() -> None:
    code = """
import sys
import rrnn_lit.training.open_run, rrnn_lit.evaluation.export_cli
heavy = ("lightning", "torchmetrics", "wandb", "optuna", "gensim", "matplotlib", "pandas", "nltk")
print([name for name in heavy if name in sys.modules])
"""
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"


def test_an_unfinished_run_is_opened_and_says_so(tmp_path: Path, prepared_folder: Path) -> None:
    run = make_run(tmp_path / "run", prepared_folder, PARTS, finished=False)
    facts = open_run(run).facts
    assert facts["finished"] is False
    assert facts["splits"] == {}
    assert facts["steps"] == 10


def test_a_run_without_an_evaluation_has_only_last_weights(
    tmp_path: Path, prepared_folder: Path
) -> None:
    run = make_run(tmp_path / "run", prepared_folder, PARTS, weights=("last",))
    assert open_run(run, "best").facts["weights"] == "last"


def test_figures_of_other_steps_are_left_out(tmp_path: Path, prepared_folder: Path) -> None:
    run = make_run(tmp_path / "run", prepared_folder, PARTS, step=7)
    assert open_run(run).facts["splits"] == {}


@pytest.mark.parametrize("place", ["runs", "", "here"])
def test_relative_data_are_looked_for_here_and_above_the_run(
    tmp_path: Path, prepared_folder: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "runs" / "tiny", prepared_folder, PARTS, named="data/tiny")
    assert "wanted the prepared data it was trained on" in refused(run)
    shutil.copytree(prepared_folder, tmp_path / place / "data" / "tiny")
    if place == "here":
        monkeypatch.chdir(tmp_path / "here")
    assert open_run(run).word_vectors.vocab_size == 71


def test_of_several_data_those_with_the_dictionary_are_taken(
    tmp_path: Path, prepared_folder: Path
) -> None:
    run = make_run(tmp_path / "runs" / "tiny", prepared_folder, PARTS, named="data/tiny")
    write_synthetic(tmp_path / "runs" / "data" / "tiny", seed=5)
    assert "got one with another dictionary" in refused(run)
    shutil.copytree(prepared_folder, tmp_path / "data" / "tiny")
    words = open_run(run).word_vectors
    assert np.array_equal(words.vectors_VW, np.load(prepared_folder / "word_vectors.npy"))


def test_data_that_are_gone_can_be_named(tmp_path: Path, prepared_folder: Path, run: Path) -> None:
    make_run(run, prepared_folder, PARTS, named="gone")
    assert "data.folder), got none at gone; name their folder with --data" in refused(run)
    assert open_run(run, data=prepared_folder).word_vectors.vocab_size == 71
    assert f"got none at {tmp_path}" in refused(run, data=tmp_path)


def test_data_with_another_dictionary_are_refused(run: Path, prepared_folder: Path) -> None:
    edit_checkpoint(run / "checkpoints" / "best.ckpt", dictionary_digest="0-0")
    assert f"got one with another dictionary, {prepared_folder}" in refused(run)


@pytest.mark.parametrize("name", ["words.txt", "word_vectors.npy", "whitening.npy"])
def test_a_changed_dictionary_is_named(tmp_path: Path, prepared_folder: Path, name: str) -> None:
    data = shutil.copytree(prepared_folder, tmp_path / "data")
    run = make_run(tmp_path / "run", data, PARTS)
    (data / name).chmod(0o644)
    content = bytearray((data / name).read_bytes())
    content[-1] ^= 1
    (data / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name}: its SHA-256 differs"):
        open_run(run)


def stretched(weight: torch.Tensor) -> torch.Tensor:
    """Return a tensor that claims the shape and stores one number."""
    return torch.zeros(1).expand(weight.shape)


WEIGHT = "autoencoder.encoder.sentence_vector.weight"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda w: w.T.contiguous(), "sentence_vector.weight of shape [24, 20], got [20, 24]"),
        (stretched, "tensors as large as their bytes, got the shape [24, 20]"),
        (lambda w: w * float("nan"), "got inf or NaN in encoder.sentence_vector.weight"),
        (lambda w: None, "autoencoder.encoder.sentence_vector.weight differs"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(
    run: Path, change: Callable[[torch.Tensor], torch.Tensor | None], text: str
) -> None:
    path = run / "checkpoints" / "best.ckpt"
    state = dict(load(path)["state_dict"])
    weight = change(state.pop(WEIGHT))
    edit_checkpoint(path, state_dict=state if weight is None else {**state, WEIGHT: weight})
    assert f"best.ckpt: wanted {text}" in refused(run) or text in refused(run)


@pytest.mark.parametrize(
    ("name", "value"), [("hidden_size", 10**12), ("hidden_size", "20"), ("cell", "os.system")]
)
def test_options_that_build_no_network_are_refused(run: Path, name: str, value: object) -> None:
    options = {**OPTIONS, name: value}
    edit_checkpoint(run / "checkpoints" / "best.ckpt", hyper_parameters=options)
    assert "best.ckpt: wanted" in refused(run)


class Canary:
    """Makes a folder when somebody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("unsafe", [False, True])
def test_a_checkpoint_runs_no_code(
    run: Path, unsafe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = Canary(run / "sung")
    torch.save({"state_dict": canary}, run / "checkpoints" / "best.ckpt")
    if unsafe:
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    assert "best.ckpt: a checkpoint holds tensors and plain values, got code" in refused(run)
    assert not canary.path.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"\x00" * 100])
def test_a_torn_checkpoint_is_named(run: Path, content: bytes) -> None:
    (run / "checkpoints" / "best.ckpt").write_bytes(content)
    assert "best.ckpt: wanted a whole checkpoint" in refused(run)


def test_a_checkpoint_of_something_else_is_named(run: Path) -> None:
    torch.save({"state_dict": {}}, run / "checkpoints" / "best.ckpt")
    assert "best.ckpt: wanted a checkpoint of a run of rrnn" in refused(run)


def test_a_run_that_has_just_begun_is_refused(run: Path) -> None:
    shutil.rmtree(run / "checkpoints")
    assert "one without a checkpoint yet" in refused(run)


@pytest.mark.parametrize(
    "text", ["data: [", "- 1", "model: {}", "!!python/object/apply:os.getpid []"]
)
def test_a_config_of_something_else_is_refused(run: Path, text: str) -> None:
    (run / "config.yaml").write_text(text)
    assert "config.yaml: wanted the config of a run" in refused(run)


@pytest.mark.parametrize("is_bundle", [False, True])
def test_a_compressor_comes_with_its_autoencoder(
    tmp_path: Path, run: Path, is_bundle: bool
) -> None:
    place = run
    if is_bundle:
        place = tmp_path / "bundle"
        write_bundle(open_run(run), place)
    name = str(place.relative_to(tmp_path))  # found above the run
    made = make_compressor_run(tmp_path / "runs" / "small", name, PARTS)
    parts = open_model(made)
    assert weights_digest(parts.autoencoder) == DIGEST
    assert parts.compressor is not None
    assert PARTS.compressor is not None
    assert weights_digest(parts.compressor) == weights_digest(PARTS.compressor)
    assert parts.compressor_options == PARTS.compressor_options
    assert not parts.compressor.training
    assert parts.facts["name"] == "small"
    assert parts.facts["autoencoder"] == "tiny"
    assert parts.facts["steps"] == 10
    assert parts.facts["compressor"]["steps"] == 5
    write_bundle(parts, tmp_path / "both")
    assert read_bundle(tmp_path / "both").facts == parts.facts


def test_a_compressor_finds_the_weights_it_was_trained_for(
    tmp_path: Path, prepared_folder: Path
) -> None:
    run = make_run(tmp_path / "run", prepared_folder, tiny_parts(seed=9))
    make_run(run, prepared_folder, PARTS, weights=("last",))  # best stays the other
    made = make_compressor_run(tmp_path / "small", run, PARTS)
    assert weights_digest(open_run(made).autoencoder) == DIGEST


def test_a_compressor_of_another_autoencoder_is_refused(
    tmp_path: Path, prepared_folder: Path
) -> None:
    run = make_run(tmp_path / "run", prepared_folder, tiny_parts(seed=9))
    made = make_compressor_run(tmp_path / "small", run, PARTS)
    assert f"wanted the autoencoder it was trained for, {DIGEST[:12]}" in refused(made)
    config = yaml.safe_load((made / "config.yaml").read_text())
    config["data"]["autoencoder"] = "gone"
    (made / "config.yaml").write_text(yaml.safe_dump(config))
    assert "got none such at data.autoencoder gone" in refused(made)
