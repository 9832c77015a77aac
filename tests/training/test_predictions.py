import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rrnn_lit import cli as command
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.training.autoencoder_module import AutoencoderModule
from tests.training.conftest import Fit
from tests.training.tiny import load, read_json


@pytest.mark.parametrize("split", ["tune", "train"])
def test_row_i_is_sentence_i(
    fit: Fit, run_folder: Path, prepared_folder: Path, split: str
) -> None:
    fit()
    options = ["--data.predict_split", split, "--data.eval_batch_size", "7"]
    assert command.main(["predict", "--run", str(run_folder), *options]) == 0
    folder = run_folder / "predictions" / split
    vectors_NS = np.load(folder / "sentence_vectors.npy")
    lines = (folder / "reconstructions.jsonl").read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    data = PreparedData(prepared_folder)
    store = data.store(split)
    assert vectors_NS.shape == (store.num_sentences, 16)
    assert vectors_NS.dtype == np.float16
    sentences = [data.word_vectors.decode(store.sentence(i)) for i in range(len(rows))]
    assert [row["words"] for row in rows] == sentences
    assert read_json(folder / "manifest.json")["num_sentences"] == len(rows)

    checkpoint = load(run_folder / "checkpoints" / "best.ckpt")
    model = AutoencoderModule(**checkpoint["hyper_parameters"])
    model.load_state_dict(checkpoint["state_dict"])
    model.eval()
    for number in (0, len(rows) - 1):
        words_1TW = torch.tensor(data.word_vectors.vectors_VW[store.sentence(number)])[None]
        length_1 = torch.tensor([words_1TW.shape[1]])
        wanted_1S = model.autoencoder.encoder(words_1TW.float(), length_1)
        got_1S = torch.tensor(vectors_NS[number : number + 1]).float()
        torch.testing.assert_close(got_1S, wanted_1S.detach(), rtol=1e-2, atol=1e-3)


def test_predictions_work_without_a_progress_bar(fit: Fit, run_folder: Path) -> None:
    fit({"trainer.max_steps": 4})
    options = ["--trainer.enable_progress_bar", "false"]
    assert command.main(["predict", f"--run={run_folder}", *options]) == 0
    assert (run_folder / "predictions" / "tune" / "manifest.json").is_file()
