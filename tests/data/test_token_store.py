from pathlib import Path

import numpy as np

from rrnn_lit.data.token_store import TokenStore, store_files, write_blocks

LENGTHS = [[3, 1], [], [12, 2, 7]]


def test_blocks_become_the_files_that_numpy_would_write(tmp_path: Path) -> None:
    lengths = [np.array(block, dtype=np.int64) for block in LENGTHS]
    generator = np.random.default_rng(0)
    words = [generator.integers(0, 90, n.sum()).astype(np.uint32) for n in lengths]
    assert write_blocks(tmp_path, "train", zip(words, lengths, strict=True)) == 5
    names = store_files("train")
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    np.save(tmp_path / "a.npy", np.concatenate(words).astype("<u4"))
    ends = np.cumsum(np.concatenate(lengths))
    np.save(tmp_path / "b.npy", np.concatenate([[0], ends]).astype("<i8"))
    for name, wanted in zip(names, ("a.npy", "b.npy"), strict=True):
        assert (tmp_path / name).read_bytes() == (tmp_path / wanted).read_bytes()
    assert TokenStore(tmp_path, "train", 90, 12).lengths.tolist() == [3, 1, 12, 2, 7]
