import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml

from rrnn_lit.search.cli import main
from rrnn_lit.search.storage import open_storage
from tests.search.toy_studies import BASE, Sweep, write_study

SECRET = "sehr-geheim-17"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == main(["--help"]) == 0
    text = capsys.readouterr().out
    for name in ("run", "extend", "promote", "show", "export", "plots", "dashboard", "reap"):
        assert f"\n  {name} " in text
        assert main([name, "--help"]) == 0
        assert f"usage: rrnn sweep {name}" in capsys.readouterr().out


def test_help_needs_neither_torch_nor_optuna() -> None:
    code = (
        "import sys; from rrnn_lit.search.cli import main; main(['run', '--help']);"
        "assert not {'torch', 'lightning', 'optuna', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("jump", 64, "COMMAND: wanted one of run, extend, promote, show, export, plots"),
        ("run", 64, "the following arguments are required: STUDY.yaml"),
        ("run no.yaml", 64, "no.yaml"),
        ("run s.yaml --trials 0", 64, "--trials: wanted a whole number of at least 1, got '0'"),
        ("run s.yaml --workers two", 64, "--workers: wanted a whole number of at least 1"),
        ("run s.yaml --grace -1", 64, "--grace: wanted seconds above 0, got '-1'"),
        ("run s.yaml --beat nan", 64, "--beat: wanted seconds above 0, got 'nan'"),
        ("run s.yaml --stop-grace 0", 64, "--stop-grace: wanted seconds above 0, got '0'"),
        ("run s.yaml --grace 39", 64, "--grace: wanted at least 4 times the 10 s of --beat, got"),
        (
            "extend toys --best 1 --steps 9 --beat 20",
            64,
            "--grace: wanted at least 4 times the 20 s of --beat, got 60 s",
        ),
        ("run s.yaml --set model.decay", 64, "--set: wanted option=value, got 'model.decay'"),
        ("run s.yaml --wrokers 2", 64, "unrecognized arguments: --wrokers 2"),
        ("extend toys --best 2", 64, "the following arguments are required: --steps"),
        ("show", 65, "storage: wanted an existing SQLite file"),
        ("show toys --storage mysql://host/db", 65, "storage: wanted sqlite:///FILE or"),
        ("reap toys --storage sqlite://", 65, "storage: wanted a file that outlives the process"),
    ],
)
def test_a_mistake_is_one_line_with_its_code(
    sweep: Sweep, line: str, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep(line) == code
    output = capsys.readouterr()
    assert output.err.startswith("rrnn sweep: ")
    assert message in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"seed": "x"}, [], "seed: wanted"),
        ({"overrides": {"model.decya": 0.5}}, [], "did you mean model.decay?"),
        ({}, ["--set", "model.decya=0.5"], "overrides.model.decya: wanted an option of the run"),
        ({}, ["--set", "trainer.max_steps=9"], "overrides.trainer.max_steps: wanted an option"),
        ({}, ["--set", "model.learning_rate=1"], "overrides.model.learning_rate: wanted"),
        (
            {"objective": {"metric": "tune/matched_word", "direction": "maximize"}},
            [],
            "toys.yaml: objective.metric: wanted a figure that a run logs, got 'tune/",
        ),
        (
            {"pruner": {"kind": "asha", "min_steps": 2}},
            ["--set", "trainer.val_check_interval=4"],
            "toys.yaml: pruner: wanted a value of tune/matched_words between step 2",
        ),
        ({}, ["--name", "a/b"], "--name: wanted at most 100 letters"),
    ],
)
def test_a_study_that_cannot_run_is_refused_before_the_first_trial(
    sweep: Sweep,
    tmp_path: Path,
    changes: dict[str, Any],
    options: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert sweep("run", write_study(tmp_path, **changes), *options) == 64
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "studies.db").exists()


def test_sqlite_with_two_workers_is_refused(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep("run", write_study(tmp_path), "--workers", "2") == 64
    assert "wanted one worker with an SQLite file, got 2" in capsys.readouterr().err


def test_a_database_that_is_away_is_one_line_without_its_password(
    sweep: Sweep, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("psycopg")
    assert sweep(f"show toys --storage postgresql://me:{SECRET}@127.0.0.1:1/db") == 65
    error = capsys.readouterr().err
    assert "postgresql+psycopg://me:***@127.0.0.1:1/db" in error or "me:***@" in error
    assert SECRET not in error
    assert error.count("\n") == 1


def test_a_study_from_its_file_to_the_promoted_config(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_study(tmp_path)
    assert sweep("run", study, "--trials", "2", "--set", "model.decay=0.25") == 0
    output = capsys.readouterr().out
    assert "trial 0 complete: tune/matched_words" in output
    assert "[2 of 2]" in output
    assert "study toys ended: 2 results" in output
    out = tmp_path / "out" / "toys"
    options = yaml.safe_load((out / "trial-0001" / "options.yaml").read_text(encoding="utf-8"))
    assert options["model"]["decay"] == 0.25
    assert (out / "plots" / "history.png").is_file()

    # the same study goes on to more results, another one is refused
    assert sweep("run", study, "--set", "model.decay=0.25") == 0
    assert "study toys ended: 3 results" in capsys.readouterr().out
    assert sweep("run", study) == 65
    assert "model.decay" in capsys.readouterr().err

    assert sweep("show toys") == 0
    assert "toys: 3 complete" in capsys.readouterr().out
    assert sweep("extend toys --best 2 --steps 6") == 0
    assert "study toys-6 ended: 2 results" in capsys.readouterr().out
    # the trials went on in their own folders
    assert not (tmp_path / "out" / "toys-6" / "trial-0000").exists()
    assert sweep("show") == 0
    listed = capsys.readouterr().out
    assert "│ toys " in listed
    assert "│ toys-6 " in listed

    full = tmp_path / "full.yaml"
    full.write_text(yaml.safe_dump(BASE), encoding="utf-8")
    made = tmp_path / "made.yaml"
    line = f"promote toys-6 --base {full} --out {made} --set model.hidden_size=64"
    assert sweep(line) == 0
    assert "8 became 64 with model.scaling none" in capsys.readouterr().out
    assert yaml.safe_load(made.read_text(encoding="utf-8"))["model"]["hidden_size"] == 64
    assert sweep(line) == 74
    assert "--force" in capsys.readouterr().err

    assert sweep(f"export toys --out {tmp_path / 'files'}") == 0
    content = json.loads((tmp_path / "files" / "trials.json").read_text(encoding="utf-8"))
    assert len(content["trials"]) == 3
    assert sweep(f"plots toys --out {tmp_path / 'pictures'}") == 0
    assert (tmp_path / "pictures" / "slices.png").is_file()


def test_commands_without_a_complete_trial_say_so(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    modes = {f"trial-{number:04d}": "config" if number else "nan" for number in range(9)}
    study = write_study(tmp_path, {"modes": modes})
    assert sweep("run", study) == 65
    error = capsys.readouterr().err
    assert "study toys: gave up: 3 trials in a row were refused" in error
    assert "`rrnn sweep show toys --all`" in error
    assert error.count("\n") == 1
    assert sweep("show toys --all") == 0
    assert "trial 1 failed: config" in capsys.readouterr().out
    assert sweep(f"export toys --out {tmp_path / 'files'}") == 0
    assert "best.yaml: left out, no trial is complete" in capsys.readouterr().out
    assert sweep(f"plots toys --out {tmp_path / 'pictures'}") == 0
    assert "slices: left out, no trial is complete" in capsys.readouterr().out
    assert sweep("show other") == 65
    assert "got 'other'; the storage has: toys" in capsys.readouterr().err


def test_reap_puts_back_at_once_where_nobody_else_can_be_alive(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep("run", write_study(tmp_path), "--trials", "1") == 0
    storage = open_storage(f"sqlite:///{tmp_path}/studies.db", num_workers=1)
    study = optuna.load_study(study_name="toys", storage=storage)
    study.ask()
    assert sweep("reap toys") == 65  # whoever holds the file may be alive
    assert "is in use by process" in capsys.readouterr().err
    storage.close()
    assert sweep("reap toys --grace 1e9") == 0
    assert capsys.readouterr().out == "trials of dead workers: 1\n"
    assert sweep("reap toys --grace 1e9") == 0
    assert capsys.readouterr().out == "trials of dead workers: none\n"
    assert sweep("show toys") == 0
    assert "toys: 1 complete, 1 waiting" in capsys.readouterr().out


def test_reap_watches_where_workers_may_be_alive(
    sweep: Sweep, tmp_path: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--storage", postgres_url]
    assert sweep("run", write_study(tmp_path), "--trials", "1", *place) == 0
    storage = open_storage(postgres_url, num_workers=1)
    optuna.load_study(study_name="toys", storage=storage).ask()
    storage.close()
    capsys.readouterr()
    assert sweep("reap toys --grace 0.5", *place) == 0
    assert capsys.readouterr().out == "trials of dead workers: 1\n"


def test_a_trial_that_does_not_listen_has_its_time_to_save_and_no_more(
    sweep: Sweep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_study(tmp_path, {"modes": {"trial-0000": "deaf"}}, limits={"seconds": 0.5})
    # with the default of 120 s it would outlast the time of a test
    assert sweep("run", study, "--trials", "1", "--stop-grace", "0.1") == 0
    assert "(failed: 1 timeout)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        "extend toys --best 1 --steps 9",
        "reap toys",
        "promote toys --base base.yaml --out made.yaml",
        "show toys",
        "export toys --out files",
    ],
)
def test_a_slip_in_the_name_of_a_file_makes_no_database(
    sweep: Sweep, tmp_path: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep(line, "--storage", f"sqlite:///{tmp_path}/stuides.db") == 65
    assert "storage: wanted an existing SQLite file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


_CODE = """
import sys
from functools import partial
from rrnn_lit.search import trial_process
from rrnn_lit.search.cli import main
if __name__ == "__main__":
    entry = "tests.search.toy_trial:main"
    trial_process.TrialServer = partial(trial_process.TrialServer, entry, ())
    sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [
        (signal.SIGTERM, 75, "stopped"),
        (signal.SIGUSR1, 75, "stopped"),
        (signal.SIGINT, 130, "interrupted"),
    ],
)
def test_a_signal_keeps_the_running_trial(
    sweep: Sweep,
    tmp_path: Path,
    number: signal.Signals,
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    study = write_study(tmp_path, {"seconds": 0.05}, budget={"steps": 2000})
    command = [sys.executable, "-c", _CODE, "run", str(study), "--out", str(tmp_path / "out")]
    checkpoint = tmp_path / "out" / "toys" / "trial-0000" / "checkpoints" / "last.ckpt"
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as host:
        try:
            while not checkpoint.exists() and host.poll() is None:
                time.sleep(0.05)
            host.send_signal(number)
            _, errors = host.communicate(timeout=30)
        finally:
            host.kill()
    assert host.returncode == code, errors
    kept = "trials that were running are kept, the same command goes on"
    assert errors == f"rrnn sweep: {message}; {kept}\n"
    assert sweep("show toys") == 0
    assert "toys: 1 waiting" in capsys.readouterr().out
