import json
import os
from pathlib import Path

import pytest

from rrnn_lit.bench import cli
from rrnn_lit.bench.matching import MatchOptions
from rrnn_lit.bench.recurrent import RnnOptions
from rrnn_lit.bench.result import Peer, Row, make_rows

MATCH = "rrnn_lit.bench.matching.run"
RNN = "rrnn_lit.bench.recurrent.run"


def run_match(options: MatchOptions) -> list[Row]:
    peers = {"ours": Peer("right", "bf16"), "other": Peer("wrong", "fp32")}
    return make_rows("match", {"rows": options.rows}, {"ours": 1, "other": 3}, peers, "ours")


def run_rnn(options: RnnOptions) -> list[Row]:
    peers = {"ours": Peer("right", "bf16", floor_seconds=0.5)}
    sizes = {"hidden_size": options.hidden_size}
    return make_rows("rnn", sizes, {"ours": 1e-3 * options.hidden_size}, peers, "ours")


def interrupted(options: MatchOptions) -> list[Row]:
    raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def _cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MATCH, run_match)
    monkeypatch.setattr(RNN, run_rnn)


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (
            "jump",
            64,
            "CASE: wanted one of step, match, rnn, memory, data, codec, text, prepare, got 'jump'",
        ),
        ("match --rows 0", 64, "--rows: wanted a number of at least 1, got 0"),
        ("match --rows -3", 64, "--rows: wanted a number of at least 1, got -3"),
        ("match --rows many", 64, "--rows: wanted int, got many"),
        ("match --kind sad", 64, "--kind: wanted one of ['all', 'unmatched', 'mixed', 'matched']"),
        ("match --device tpu", 64, "--device: wanted cpu or cuda, got 'tpu'"),
        ("match --threads 0", 64, "--threads: wanted a number from 1 to 2, got 0"),
        ("match --threads 1000000", 64, "--threads: wanted a number from 1 to 2, got 1000000"),
        ("match --rows=", 64, "--rows: wanted int, got ''"),
        ("match --rows 99999999999999999999", 64, "--rows: wanted a number of at most 9223372036"),
        ("rnn --seed 9223372036854775808", 64, "--seed: wanted a number of at most 9223372036"),
        ("match --peers nosuchpeer", 64, "--peers: wanted parts of ours, "),
        ("rnn --peers ours,nosuch", 64, "nn.RNN fp32; got 'nosuch'"),
        ("step --peers nosuch", 64, "naive port, autograd loop, GRU of equal width"),
        ("step --margin 5", 64, "--margin: wanted a cosine's lead from 0 to 2, got 5.0"),
        ("step --precision 16-mixed", 64, "--precision: wanted bf16-mixed or 32-true"),
        ("step --graph_words 4", 64, "--graph_words: wanted 0 without a CUDA device"),
        ("step --graph_words -1", 64, "--graph_words: wanted a number of at least 0, got -1"),
        ("match --rwos 3", 64, "--rwos"),
        ("data --scale", 64, "--scale: wanted one of the cases step, match, rnn, got data"),
        ("match --json missing/x.json", 74, "--json: wanted a file in a writable folder"),
        ("match --json .", 74, "--json: wanted a regular file, got ."),
        ("match --json=", 64, "--json: wanted the path of a file, got ''"),
        ("match --json -", 64, "--json: wanted the path of a file, got '-'"),
    ],
)
def test_a_mistake_is_one_line_with_its_option_and_code(
    line: str,
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert cli.main(line.split()) == code
    output = capsys.readouterr()
    assert output.err.startswith("rrnn bench: ")
    assert message in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""


def test_a_missing_folder_is_bad_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("rrnn_lit.bench.matching.measure_ceilings", lambda device: None)
    assert cli.main(["match", "--folder", "nowhere"]) == 65
    assert "rrnn bench: --folder: nowhere: wanted a folder" in capsys.readouterr().err


def test_out_must_be_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    assert cli.main(["rnn", "--scale", "--out", str(file)]) == 74
    assert "--out: wanted a folder, got the file" in capsys.readouterr().err


@pytest.fixture
def _not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MATCH, never)
    monkeypatch.setattr(RNN, never_rnn)


def never(options: MatchOptions) -> list[Row]:
    raise AssertionError


def never_rnn(options: RnnOptions) -> list[Row]:
    raise AssertionError


def as_if_read_only(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere: what the system says of a place is replaced."""
    may = os.access
    monkeypatch.setattr("os.access", lambda p, mode: may(p, mode) and Path(p) != place)


@pytest.mark.usefixtures("_not_measured")
@pytest.mark.parametrize(
    "line", ["match --json {}", "rnn --scale --out {}"], ids=["json", "scale"]
)
def test_what_is_no_regular_file_is_refused_before_measuring(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "rnn_scale.png"
    os.mkfifo(pipe)
    place = pipe if "json" in line else tmp_path
    assert cli.main(line.format(place).split()) == 74
    assert f"wanted a regular file, got {pipe}" in capsys.readouterr().err
    assert pipe.is_fifo()


@pytest.mark.usefixtures("_not_measured")
def test_a_link_in_a_circle_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = tmp_path / "rows.json"
    link.symlink_to(link)
    assert cli.main(["match", "--json", str(link)]) == 74
    assert "--json: wanted a regular file" in capsys.readouterr().err


@pytest.mark.usefixtures("_not_measured")
def test_a_file_that_may_not_be_written_is_refused_before_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.json"
    path.touch()
    as_if_read_only(path, monkeypatch)
    assert cli.main(["match", "--json", str(path)]) == 74
    assert f"a regular file that may be written, got {path}" in capsys.readouterr().err


@pytest.mark.usefixtures("_not_measured")
@pytest.mark.parametrize("out", ["there", "there/new/below"])
def test_a_read_only_folder_is_refused_before_measuring(
    out: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    as_if_read_only(folder, monkeypatch)
    assert cli.main(["rnn", "--scale", "--out", str(tmp_path / out)]) == 74
    assert "--out: wanted a writable folder" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_an_interrupted_scale_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MATCH, interrupted)
    assert cli.main(["match", "--scale", "--out", str(tmp_path / "new")]) == 130
    assert list(tmp_path.iterdir()) == []


def allocates(options: MatchOptions) -> list[Row]:
    import torch

    torch.empty(options.rows, options.rows)
    return []


def mistaken(options: MatchOptions) -> list[Row]:
    raise RuntimeError("shapes do not fit")


@pytest.mark.parametrize("rows", [10**9, 10**10, 2**63 - 1], ids=str)
def test_lack_of_memory_is_one_line(
    rows: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(MATCH, allocates)
    assert cli.main(["match", "--rows", str(rows)]) == 65
    error = capsys.readouterr().err
    assert error.startswith("rrnn bench: out of memory; lower --rows, --vocab_size or --word_dim")
    assert error.count("\n") == 1


def test_a_programming_error_keeps_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MATCH, mistaken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        cli.main(["match"])


def test_a_link_stays_and_its_target_gets_the_rows(tmp_path: Path) -> None:
    link, target = tmp_path / "link.json", tmp_path / "target.json"
    target.touch()
    link.symlink_to(target)
    assert cli.main(["match", "--json", str(link)]) == 0
    assert link.is_symlink()
    assert len(json.loads(target.read_text(encoding="utf-8"))) == 2


def test_options_reach_the_case_and_rows_the_screen_and_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.json"
    assert cli.main(["match", "--rows", "5", "--json", str(path)]) == 0
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert [(row["peer"], row["times_ours"], row["sizes"]) for row in rows] == [
        ("ours", 1.0, {"rows": 5}),
        ("other", 3.0, {"rows": 5}),
    ]
    assert "match: rows 5" in capsys.readouterr().out
    assert [path] == list(tmp_path.iterdir())


def test_an_interruption_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(MATCH, interrupted)
    path = tmp_path / "rows.json"
    path.write_text("old", encoding="utf-8")
    assert cli.main(["match", "--json", str(path)]) == 130
    assert path.read_text(encoding="utf-8") == "old"
    assert "interrupted; nothing was written" in capsys.readouterr().err


def test_scale_writes_picture_and_rows_into_the_folder(tmp_path: Path) -> None:
    assert cli.main(["rnn", "--scale", "--out", str(tmp_path / "new")]) == 0
    names = [path.name for path in sorted((tmp_path / "new").iterdir())]
    assert names == ["rnn_scale.json", "rnn_scale.png"]


@pytest.mark.parametrize("line", ["", "--help"])
def test_help_names_every_case_and_common_option(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(line.split()) == 0
    text = capsys.readouterr().out
    words = ["step", "match", "rnn", "memory", "data", "--json", "--threads", "--scale", "--out"]
    assert [word for word in words if word not in text] == []


def test_help_says_what_is_not_compared_with_float64(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "every answer" not in text
    assert "a GRU or LSTM network is another model and is not" in text


def test_help_of_a_case_tells_meaning_unit_and_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["match", "--help"])
    assert end.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "words of the dictionary, at least 100" in text
    assert "default: 50000" in text
