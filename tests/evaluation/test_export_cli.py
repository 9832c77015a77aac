import os
from pathlib import Path

import pytest

from rrnn_lit.cli import main as rrnn
from rrnn_lit.codec.bundle import read_bundle
from rrnn_lit.evaluation.export_cli import main
from rrnn_lit.models.building import weights_digest
from tests.codec.damage import contents
from tests.codec.parts import tiny_parts
from tests.training.made_runs import make_compressor_run, make_run
from tests.training.test_prepared_text import with_word_list

PARTS = tiny_parts(compressor=True)
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def run(tmp_path: Path, prepared_folder: Path) -> Path:
    return make_run(tmp_path / "runs" / "tiny", prepared_folder, PARTS)


def test_a_run_becomes_a_bundle(run: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "new" / "bundle"
    assert main([str(run), "--out", str(out)]) == 0
    parts = read_bundle(out)
    assert weights_digest(parts.autoencoder) == weights_digest(PARTS.autoencoder)
    assert parts.facts["name"] == "tiny"
    assert parts.facts["weights"] == "best"
    assert "license" not in parts.facts
    shown = capsys.readouterr()
    assert "tiny: best weights, step 10; 71 words, 48 bytes per vector" in shown.out
    for text in ("autoencoder.safetensors", "14,776", "30.00%", "5.00%", f"written to {out}"):
        assert text in shown.out
    total = sum(map(len, contents(out).values()))
    assert f"{total:,}" in shown.out
    assert shown.err == ""


def test_options_choose_weights_name_and_license(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    options = ["--weights", "last", "--name", "Ours: 1", "--license", "cc-by-4.0"]
    assert main([str(run), "--out", str(out), *options]) == 0
    facts = read_bundle(out).facts
    assert {"weights": "last", "name": "Ours: 1", "license": "cc-by-4.0"}.items() <= facts.items()
    assert 'license: "cc-by-4.0"' in (out / "README.md").read_text()


def test_the_same_run_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        assert main([str(run), "--out", str(tmp_path / name)]) == 0
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_no_path_of_this_machine_gets_into_a_bundle(run: Path, tmp_path: Path) -> None:
    assert main([str(run), "--out", str(tmp_path / "bundle")]) == 0
    assert not any(
        str(tmp_path.parent).encode() in content
        for content in contents(tmp_path / "bundle").values()
    )


def test_a_compressor_is_exported_with_its_autoencoder(
    run: Path, tmp_path: Path, capsys: Capture
) -> None:
    small = make_compressor_run(tmp_path / "runs" / "small", run, PARTS)
    assert main([str(small), "--out", str(tmp_path / "bundle")]) == 0
    assert "16 bytes per vector" in capsys.readouterr().out
    assert read_bundle(tmp_path / "bundle").compressor is not None


def test_an_unfinished_run_says_so(tmp_path: Path, prepared_folder: Path, capsys: Capture) -> None:
    run = make_run(tmp_path / "run", prepared_folder, PARTS, finished=False)
    assert main([str(run), "--out", str(tmp_path / "bundle")]) == 0
    assert "of an unfinished run" in capsys.readouterr().out
    assert "was not finished" in (tmp_path / "bundle" / "README.md").read_text()


def test_a_bundle_is_replaced_only_when_asked(run: Path, tmp_path: Path, capsys: Capture) -> None:
    command = [str(run), "--out", str(tmp_path / "bundle")]
    assert main(command) == 0
    capsys.readouterr()
    assert main([*command, "--name", "other"]) == 64
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "--overwrite replaces it" in shown
    assert read_bundle(tmp_path / "bundle").facts["name"] == "tiny"
    assert main([*command, "--name", "other", "--overwrite"]) == 0
    assert read_bundle(tmp_path / "bundle").facts["name"] == "other"


def test_other_files_are_never_replaced(run: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("Dear")
    assert main([str(run), "--out", str(tmp_path / "mine"), "--overwrite"]) == 64
    assert "got one with other files" in capsys.readouterr().err
    assert os.listdir(tmp_path / "mine") == ["letter.txt"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ([], "RUN"),
        (["run"], "--out"),
        (["run", "--out", "x", "--weights", "first"], "--weights"),
        (["run", "--out", "x", "--name", "two\nlines"], "--name: wanted one line of text"),
        (["run", "--out", "x", "--name", " "], "--name: wanted one line of text"),
        (["run", "--out", "x", "--unknown"], "--unknown"),
        (["run", "--out", "x", "--over"], "--over"),
    ],
)
def test_a_bad_command_line_is_one_line(options: list[str], text: str, capsys: Capture) -> None:
    assert main(options) == 64
    shown = capsys.readouterr().err
    assert shown.startswith("rrnn export: ")
    assert text in shown
    assert shown.count("\n") == 1


def test_a_folder_without_a_run_is_bad_input(tmp_path: Path, capsys: Capture) -> None:
    assert main([str(tmp_path), "--out", str(tmp_path / "bundle")]) == 65
    assert f"{tmp_path}: wanted the folder of a run with config.yaml" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["file/bundle", "x" * 300])
def test_a_place_that_cannot_be_written_is_74(
    run: Path, tmp_path: Path, name: str, capsys: Capture
) -> None:
    (tmp_path / "file").write_text("")
    assert main([str(run), "--out", str(tmp_path / name)]) == 74
    assert "rrnn export: " in capsys.readouterr().err


def test_text_files_of_preparation_are_asked_for(
    tmp_path: Path, prepared_folder: Path, capsys: Capture
) -> None:
    data, word_list = with_word_list(tmp_path, prepared_folder)
    run = make_run(tmp_path / "run", data, PARTS)
    command = [str(run), "--out", str(tmp_path / "bundle")]
    assert main(command) == 65
    shown = capsys.readouterr().err
    assert "--word-list: wanted what `rrnn prepare` was given" in shown
    assert "--approximate-text accepts that" in shown
    assert not (tmp_path / "bundle").exists()
    assert main([*command, "--word-list", str(word_list)]) == 0
    exact = read_bundle(tmp_path / "bundle")
    assert exact.known_words == "ice_cream\nword1\n"
    assert exact.facts["text_is_exact"] is True
    assert main([*command, "--approximate-text", "--overwrite"]) == 0
    loose = read_bundle(tmp_path / "bundle")
    assert "word49\n" in str(loose.known_words)
    assert loose.facts["text_is_exact"] is False
    assert "were not at hand" in (tmp_path / "bundle" / "README.md").read_text()
    assert "were not at hand" in capsys.readouterr().err


def test_rrnn_finds_the_command(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as end:
        rrnn(["export", "--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: rrnn export")
    assert "--license" in shown
