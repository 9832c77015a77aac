import json
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
        ("jump", 64, "CASE: wanted one of step, match, rnn, memory, data, got 'jump'"),
        ("match --rows 0", 64, "--rows: wanted a number of at least 1, got 0"),
        ("match --rows -3", 64, "--rows: wanted a number of at least 1, got -3"),
        ("match --rows many", 64, "--rows: wanted int, got many"),
        ("match --kind sad", 64, "--kind: wanted one of ['all', 'unmatched', 'mixed', 'matched']"),
        ("match --device tpu", 64, "--device: wanted cpu or cuda, got 'tpu'"),
        ("match --threads 0", 64, "--threads: wanted a number of at least 1, got 0"),
        ("match --rwos 3", 64, "--rwos"),
        ("data --scale", 64, "--scale: wanted one of the cases step, match, rnn, got data"),
        ("match --json missing/x.json", 74, "--json: wanted a file in a writable folder"),
        ("match --json .", 74, "--json: wanted a file in a writable folder, got ."),
    ],
)
def test_a_mistake_is_one_line_with_its_option_and_code(
    line: str, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
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
