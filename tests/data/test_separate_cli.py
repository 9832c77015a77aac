import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.data.manifest import read_manifest, write_json
from rrnn_lit.data.prepare import prepare
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.separate_cli import main
from rrnn_lit.words.special import SPECIAL_LABELS
from tests.data.conftest import content, make_config, silent


@pytest.fixture
def plain(tmp_path: Path, text_file: Path) -> Path:
    prepare(make_config(tmp_path / "plain", [text_file], word_dim=24), silent())
    return tmp_path / "plain"


@pytest.mark.parametrize(("mode", "threshold"), [("groups", 0.05), ("all", 0.6)])
def test_a_folder_becomes_what_prepare_writes_with_the_option(
    plain: Path, tmp_path: Path, text_file: Path, mode: str, threshold: float
) -> None:
    out = tmp_path / "prepared"
    config = make_config(
        out, [text_file], word_dim=24, separation=mode, separation_threshold=threshold
    )
    prepare(config, silent())
    before = content(plain)
    out = tmp_path / "new" / "separated"
    command = [str(plain), "--out", str(out), "--mode", mode, "--threshold", str(threshold)]
    assert main(command) == 0
    assert content(out) == content(tmp_path / "prepared")
    assert content(plain) == before
    assert sorted(path.name for path in out.parent.iterdir()) == ["separated"]


def test_the_working_folder_can_be_written_to(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    command = [str(plain), "--out", ".", "--mode", "groups", "--threshold", "0.05"]
    assert main(command) == 0
    assert PreparedData(tmp_path / "here").word_vectors.vocab_size > 0
    assert sorted(path.name for path in tmp_path.iterdir() if "part" in path.name) == []


def test_prepare_separates_number_words_and_says_so(tmp_path: Path, text_file: Path) -> None:
    config = make_config(
        tmp_path / "out", [text_file], word_dim=24, separation="groups", separation_threshold=0.05
    )
    prepare(config, silent())
    stats = json.loads((tmp_path / "out" / "stats.json").read_text())
    figures = stats["dictionary"]["separation"]
    assert figures["words_of_groups"]["number words"] > 2
    assert figures["pairs_above_threshold"]["before"] > 0
    assert figures["pairs_above_threshold"]["after"] == 0
    data = PreparedData(tmp_path / "out")
    digits = [data.word_vectors.word_ids[word] for word in ("one", "two", "five")]
    rows = np.asarray(data.word_vectors.vectors_VW)[digits].astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert (rows @ rows.T)[np.triu_indices(3, 1)].max() <= 0.05 + 1e-5
    assert prepare(config, silent()) == data.manifest  # finished, with this configuration


def test_without_separation_the_threshold_changes_no_byte(
    plain: Path, tmp_path: Path, text_file: Path
) -> None:
    config = make_config(tmp_path / "b", [text_file], word_dim=24, separation_threshold=0.1)
    prepare(config, silent())
    assert content(tmp_path / "b") == content(plain)
    assert "separation" not in (plain / "stats.json").read_text()
    assert "separation" not in (plain / "manifest.json").read_text()


def test_words_of_no_group_and_labels_keep_their_vectors(plain: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main([str(plain), "--out", str(out), "--mode", "groups", "--threshold", "0.2"]) == 0
    before, after = PreparedData(plain).word_vectors, PreparedData(out).word_vectors
    kept = [before.word_ids[word] for word in ("river", "dog", *SPECIAL_LABELS)]
    np.testing.assert_array_equal(before.vectors_VW[kept], after.vectors_VW[kept])


def test_an_empty_folder_may_be_there_already(plain: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert main([str(plain), "--out", str(out), "--mode", "all", "--threshold", "0.9"]) == 0
    PreparedData(out)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--mode", "groups", "--threshold", "1"],
            "--threshold: wanted a cosine in [0, 1), got 1",
        ),
        (["--mode", "groups", "--threshold", "half"], "--threshold: invalid float value: 'half'"),
        (["--mode", "some", "--threshold", "0.5"], "--mode: invalid choice"),
        (["--mode", "all"], "--threshold"),
    ],
)
def test_bad_commands_are_one_line_and_exit_64(
    prepared_folder: Path,
    tmp_path: Path,
    options: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([str(prepared_folder), "--out", str(tmp_path / "out"), *options]) == 64
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


GOOD = ["--mode", "groups", "--threshold", "0.5"]


def test_a_folder_with_something_in_it_is_not_replaced(
    prepared_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "note.txt").write_text("keep")
    assert main([str(prepared_folder), "--out", str(tmp_path), *GOOD]) == 64
    assert "--out: wanted a new or empty folder" in capsys.readouterr().err


def test_a_separated_or_damaged_folder_is_65(
    plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once, twice = tmp_path / "once", tmp_path / "twice"
    assert main([str(plain), "--out", str(once), *GOOD]) == 0
    assert main([str(once), "--out", str(twice), *GOOD]) == 65
    assert "wanted a folder without separation, got words.separation groups" in (
        capsys.readouterr().err
    )
    (plain / "words.txt").write_bytes(b"other")
    assert main([str(plain), "--out", str(twice), *GOOD]) == 65
    assert "words.txt: wanted" in capsys.readouterr().err
    assert main([str(tmp_path / "nowhere"), "--out", str(twice), *GOOD]) == 65
    assert not twice.exists()


def test_no_room_is_65_and_leaves_nothing(
    tmp_path: Path, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(make_config(tmp_path / "flat", [text_file], word_dim=2), silent())
    out = tmp_path / "new" / "out"
    assert (
        main([str(tmp_path / "flat"), "--out", str(out), "--mode", "all"] + ["--threshold=0.1"])
        == 65
    )
    assert "words.separation_threshold: wanted a cosine that" in capsys.readouterr().err
    assert not out.parent.exists()


def test_a_place_that_cannot_be_written_is_74(
    prepared_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main([str(prepared_folder), "--out", str(tmp_path / "file" / "out"), *GOOD]) == 74
    assert "cannot write" in capsys.readouterr().err


def test_the_manifest_lists_the_new_bytes_and_keeps_the_rest(
    prepared_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert main([str(prepared_folder), "--out", str(out), "--mode", "all", "--threshold=0.4"]) == 0
    old, new = read_manifest(prepared_folder), read_manifest(out)
    changed = {name for name in old["files"] if old["files"][name] != new["files"][name]}
    assert changed == {"word_vectors.npy", "stats.json"}
    digest = hashlib.sha256((out / "word_vectors.npy").read_bytes()).hexdigest()
    assert new["files"]["word_vectors.npy"]["sha256"] == digest
    assert new["counts"] == old["counts"]
    assert new["config"]["words"] == {
        **old["config"]["words"],
        "separation": "all",
        "separation_threshold": 0.4,
    }


def test_a_file_system_without_links_gets_copies(
    prepared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert main([str(prepared_folder), "--out", str(tmp_path / "out"), *GOOD]) == 0
    PreparedData(tmp_path / "out")


def test_a_manifest_without_words_is_refused(
    plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = read_manifest(plain)
    del manifest["files"]["stats.json"]
    write_json(plain / "manifest.json", manifest)
    assert main([str(plain), "--out", str(tmp_path / "out"), *GOOD]) == 65
    assert "wanted a manifest with stats.json, got none" in capsys.readouterr().err
