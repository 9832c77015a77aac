from pathlib import Path

import pytest

from rrnn_lit.bench.options import check_device, is_chosen, open_prepared, open_training_text


@pytest.mark.parametrize(
    ("peer", "peers", "chosen"),
    [
        ("faiss IndexFlatIP", "", True),
        ("faiss IndexFlatIP", "naive, faiss", True),
        ("faiss IndexFlatIP", "naive,gensim", False),
        ("ours", "naive", True),
        ("ours fp32 scan", "naive", False),
    ],
)
def test_peers_are_chosen_by_parts_of_their_names(peer: str, peers: str, chosen: bool) -> None:
    assert is_chosen(peer, peers) is chosen


@pytest.mark.parametrize(
    ("name", "message"), [("tpu", "--device: wanted cpu or cuda, got 'tpu'"), ("cuda", "no CUDA")]
)
def test_a_device_that_is_not_there_is_refused(
    name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ValueError, match=message):
        check_device(name)


def test_a_missing_folder_is_refused_by_the_options_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--folder: .*missing.*got no such folder"):
        open_prepared(str(tmp_path / "missing"))


def test_a_folder_without_its_text_is_refused_by_the_options_name(
    prepared_folder: Path, tmp_path: Path
) -> None:
    for file in prepared_folder.iterdir():
        if not file.name.startswith("train"):
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ValueError, match="--folder: .*train"):
        open_training_text(str(tmp_path))
