import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from rrnn_lit import cli as command
from rrnn_lit.bench.faults.saves import die
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.sentence_vectors import SentenceVectors
from rrnn_lit.models.compressor import compressor_of
from rrnn_lit.models.quantisation import dequantise
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from rrnn_lit.training.compressor_module import CompressorModule
from tests.training.compressing import fit_compressor
from tests.training.tiny import in_child, load, read_json

SHARDS = ["--data.shard_sentences", "50", "--data.eval_batch_size", "7"]
TRAIN = ["--data.predict_split", "train", *SHARDS]


@pytest.fixture
def run(straight_run: Path, tmp_path: Path) -> Path:
    """A finished run that may be written into."""
    folder: Path = shutil.copytree(straight_run, tmp_path / "copy")
    return folder


def predict(run: Path, *options: str) -> int:
    return command.main(["predict", "--run", str(run), *options])


def all_rows(folder: Path, kind: str = "sentence_vectors") -> npt.NDArray[Any]:
    vectors = SentenceVectors(folder, kind)
    return vectors.rows(np.arange(len(vectors)))


@pytest.mark.parametrize("split", ["tune", "train"])
def test_row_i_is_sentence_i(run: Path, prepared_folder: Path, split: str) -> None:
    assert predict(run, "--data.predict_split", split, *SHARDS) == 0
    folder = run / "predictions" / split
    vectors_NS = all_rows(folder)
    lines = (folder / "reconstructions.jsonl").read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    data = PreparedData(prepared_folder)
    store = data.store(split)
    assert vectors_NS.shape == (store.num_sentences, 16)
    assert vectors_NS.dtype == np.float16
    sentences = [data.word_vectors.decode(store.sentence(i)) for i in range(len(rows))]
    assert [row["words"] for row in rows] == sentences
    assert read_json(folder / "manifest.json")["num_sentences"] == len(rows)

    checkpoint = load(run / "checkpoints" / "best.ckpt")
    model = AutoencoderModule(**checkpoint["hyper_parameters"])
    model.load_state_dict(checkpoint["state_dict"])
    model.eval()
    for number in (0, len(rows) - 1):
        words_1TW = torch.tensor(data.word_vectors.vectors_VW[store.sentence(number)])[None]
        length_1 = torch.tensor([words_1TW.shape[1]])
        wanted_1S = model.autoencoder.encoder(words_1TW.float(), length_1)
        got_1S = torch.tensor(vectors_NS[number : number + 1]).float()
        torch.testing.assert_close(got_1S, wanted_1S.detach(), rtol=1e-2, atol=1e-3)


def test_a_killed_prediction_goes_on_to_the_same_bytes(run: Path, tmp_path: Path) -> None:
    straight: Path = shutil.copytree(run, tmp_path / "straight")
    assert predict(straight, *TRAIN) == 0

    def killed() -> int:
        replace = os.replace

        def kill(source: Any, target: Any) -> None:
            if str(target).endswith("sentence_vectors-00001.npy"):
                die()
            replace(source, target)

        os.replace = kill  # type: ignore[assignment]
        return predict(run, *TRAIN)

    assert in_child(killed) == -9
    first = run / "predictions/train/sentence_vectors-00000.npy"
    written = first.stat().st_mtime_ns
    assert predict(run, *TRAIN) == 0
    assert first.stat().st_mtime_ns == written, "a whole shard was written again"
    for path in (straight / "predictions/train").iterdir():
        assert (run / "predictions/train" / path.name).read_bytes() == path.read_bytes()


def test_a_sigterm_ends_a_prediction_that_goes_on_later(run: Path) -> None:
    def terminated() -> int:
        predict_step = AutoencoderModule.predict_step

        def step(self: AutoencoderModule, batch: Any, batch_idx: int) -> Any:
            if batch_idx == 9:  # of 8 batches a shard
                os.kill(os.getpid(), signal.SIGTERM)
            return predict_step(self, batch, batch_idx)

        AutoencoderModule.predict_step = step  # type: ignore[method-assign]
        return predict(run, *TRAIN)

    assert in_child(terminated) == command.EXIT_INTERRUPTED
    folder = run / "predictions/train"
    [first] = folder.glob("*.npy")
    written = first.stat().st_mtime_ns
    assert predict(run, *TRAIN) == 0
    assert len(SentenceVectors(folder)) > 100
    assert first.stat().st_mtime_ns == written


def test_a_finished_prediction_is_not_made_again(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(run) == 0
    before = {p: p.stat().st_mtime_ns for p in (run / "predictions/tune").iterdir()}
    capsys.readouterr()
    assert predict(run) == 0
    assert "predictions/tune is complete: the same weights" in capsys.readouterr().out
    assert {p: p.stat().st_mtime_ns for p in (run / "predictions/tune").iterdir()} == before
    last = ["--ckpt_path", str(run / "checkpoints/last.ckpt")]
    assert predict(run, *last) == 0
    assert {p: p.stat().st_mtime_ns for p in (run / "predictions/tune").iterdir()} != before


def test_a_full_disk_is_one_line(
    run: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    assert predict(run) == command.EXIT_CANNOT_WRITE
    line = capfd.readouterr().err.splitlines()[-1]
    assert line.startswith("rrnn predict: cannot read or write:")
    assert "sentence_vectors-00000.npy: the shard could not be written: [Errno 28]" in line


@pytest.mark.parametrize("bits", [4, 16])
def test_compressed_vectors_are_stored_as_they_are(
    prepared_folder: Path, straight_run: Path, straight_compressor: Path, tmp_path: Path, bits: int
) -> None:
    run = tmp_path / "compressor"
    if bits == 4:
        shutil.copytree(straight_compressor, run)
    else:
        fit_compressor(prepared_folder, straight_run, run, {"model.bits": bits})
    plain: Path = shutil.copytree(straight_run, tmp_path / "plain")
    assert predict(run) == predict(plain) == 0
    stored = all_rows(run / "predictions/tune", "compressed_vectors")
    assert stored.nbytes == len(stored) * (3 if bits == 4 else 12)
    rows = torch.tensor(stored)
    values_BC = dequantise(rows, 4) if bits == 4 else rows.float()
    checkpoint = load(run / "checkpoints" / "best.ckpt")
    compressor = compressor_of(checkpoint["hyper_parameters"])
    model = CompressorModule(**checkpoint["hyper_parameters"])
    model.load_state_dict(checkpoint["state_dict"])
    compressor.load_state_dict(model.compressor.state_dict())
    vectors_BS = torch.tensor(all_rows(plain / "predictions/tune")).float()
    with torch.no_grad():
        wanted_BC = compressor.compress(vectors_BS)
    # a value at the edge of a cell may fall into the next one: the vectors were rounded to fp16
    off = (values_BC - wanted_BC).abs()
    assert off.max() <= (0.125 if bits == 4 else 2e-3) + 1e-6
    assert off.mean() < 2e-3


def test_stored_vectors_train_the_compressor(
    prepared_folder: Path, straight_run: Path, run: Path, tmp_path: Path
) -> None:
    assert predict(run, *TRAIN) == 0
    options = {"data.vectors": str(run / "predictions/train"), "trainer.max_steps": 4}
    cli = fit_compressor(prepared_folder, straight_run, tmp_path / "compressor", options)
    assert cli.trainer.global_step == 4
    last = ["--ckpt_path", str(run / "checkpoints/last.ckpt")]
    assert predict(run, *TRAIN, *last) == 0
    with pytest.raises(ValueError, match="data.vectors: wanted the autoencoder with digest"):
        fit_compressor(prepared_folder, straight_run, tmp_path / "other", options)


def test_predictions_work_without_a_progress_bar(run: Path) -> None:
    assert predict(run, "--trainer.enable_progress_bar", "false") == 0
    assert (run / "predictions" / "tune" / "manifest.json").is_file()
