"""The profile of a step names all of its time and changes nothing in it."""

import copy
import io
import json
from contextlib import ExitStack
from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from rich.console import Console

from rrnn_lit.bench.lengths import MAX_WORDS
from rrnn_lit.bench.profile import REST, TRACE_FILE, ProfileOptions, print_profile, run
from rrnn_lit.bench.step_parts import PARTS, Parts
from rrnn_lit.bench.training_run import fit, make_data, make_module
from rrnn_lit.training import autoencoder_module
from rrnn_lit.training.autoencoder_module import AutoencoderModule

CPU = torch.device("cpu")


@pytest.fixture
def options(prepared_folder: Path, tmp_path: Path) -> ProfileOptions:
    return ProfileOptions(
        hidden_size=8,
        batch_size=4,
        folder=str(prepared_folder),
        precision="32-true",
        length_buckets=0,
        steps=3,
        warm_up=1,
        out=str(tmp_path / "profile"),
    )


def test_parts_and_rest_are_the_whole_step(options: ProfileOptions) -> None:
    found = run(options)
    assert list(found.parts) == [*PARTS, REST]
    assert all(found.parts[part] > 0 for part in PARTS)
    assert sum(found.parts.values()) == pytest.approx(found.milliseconds)
    assert any(operation.name == "aten::mm" for operation in found.operations)
    trace = json.loads((Path(options.out) / TRACE_FILE).read_text(encoding="utf-8"))
    labels = [e["name"] for e in trace["traceEvents"] if e.get("cat") == "user_annotation"]
    assert set(PARTS) <= set(labels)
    assert labels.count("backward") == options.steps
    printed = io.StringIO()
    print_profile(found, Console(file=printed))
    assert all(part in printed.getvalue() for part in (*PARTS, REST, "aten::mm"))


class Labels(Callback):
    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.open = ExitStack()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, AutoencoderModule)
        self.open.enter_context(self.parts.labelled(pl_module, trainer.optimizers[0]))


def weights_after_training(
    folder: Path, module: AutoencoderModule, callback: Callback
) -> list[torch.Tensor]:
    fit(module, make_data(folder, 4, MAX_WORDS, 0, 0), 3, CPU, "32-true", callback)
    return [parameter.detach() for parameter in module.parameters()]


def test_labels_change_no_update_and_go_away(prepared_folder: Path) -> None:
    module = make_module(16, 8, 0.0, "standard", 0)
    start = [parameter.detach().clone() for parameter in module.parameters()]
    plain = weights_after_training(prepared_folder, copy.deepcopy(module), Callback())
    before = vars(autoencoder_module)["look_up"]
    labels = Labels(Parts(CPU))
    with labels.open:
        labelled = weights_after_training(prepared_folder, module, labels)
        assert vars(autoencoder_module)["look_up"] is not before
    assert all(torch.equal(a, b) for a, b in zip(plain, labelled, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(start, labelled, strict=True))
    assert labels.parts.take()["backward"] > 0
    assert vars(autoencoder_module)["look_up"] is before
