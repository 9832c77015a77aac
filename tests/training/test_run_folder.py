from pathlib import Path

import pytest

from rrnn_lit.training import run_folder
from rrnn_lit.training.run_folder import RunSettings, choose_folder


def make_run(folder: Path, finished: bool, checkpoint: bool = True) -> None:
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.yaml").touch()
    if checkpoint:
        (folder / "checkpoints" / "last.ckpt").touch()
    if finished:
        (folder / "summary.json").touch()


@pytest.mark.parametrize(
    ("runs", "if_exists", "chosen"),
    [
        ([], "new", ("demo", False)),
        ([], "resume", ("demo", False)),
        ([], "error", ("demo", False)),
        (["finished"], "new", ("demo-2", False)),
        (["unfinished"], "new", ("demo-2", False)),
        (["finished", "finished"], "new", ("demo-3", False)),
        (["unfinished"], "resume", ("demo", True)),
        (["empty"], "resume", ("demo", False)),
        (["finished"], "resume", ("demo-2", False)),
        (["finished", "unfinished"], "resume", ("demo-2", True)),
        (["finished", "finished", "unfinished"], "resume", ("demo-3", True)),
    ],
)
def test_folder_table(
    tmp_path: Path, runs: list[str], if_exists: str, chosen: tuple[str, bool]
) -> None:
    for number, kind in enumerate(runs, start=1):
        name = "demo" if number == 1 else f"demo-{number}"
        make_run(tmp_path / name, kind == "finished", kind != "empty")
    settings = RunSettings(str(tmp_path / "demo"), if_exists)  # type: ignore[arg-type]
    folder, resumes = choose_folder(settings)
    assert (folder.name, resumes) == chosen
    assert folder.parent == tmp_path


def test_error_refuses_a_used_folder(tmp_path: Path) -> None:
    make_run(tmp_path / "demo", finished=True)
    with pytest.raises(ValueError, match="run.folder: wanted an unused folder, got one with"):
        choose_folder(RunSettings(str(tmp_path / "demo"), "error"))


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo").touch()
    with pytest.raises(ValueError, match="run.folder: wanted a folder, got the file"):
        choose_folder(RunSettings(str(tmp_path / "demo"), "new"))


def test_a_folder_without_a_run_is_free(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    folder, resumes = choose_folder(RunSettings(str(tmp_path / "demo"), "error"))
    assert (folder.name, resumes) == ("demo", False)


def test_an_extended_run_is_unfinished_again(tmp_path: Path) -> None:
    (tmp_path / run_folder.SUMMARY_FILE).write_text("{}")
    run_folder.reopen_run(tmp_path)
    assert not run_folder.is_finished(tmp_path)
    assert (tmp_path / "summary.1.json").read_text() == "{}"


@pytest.mark.parametrize("folder", ["", ".", "/"])
def test_a_folder_without_a_name_is_refused(folder: str) -> None:
    with pytest.raises(ValueError, match="run.folder: wanted a folder with a name of its own"):
        RunSettings(folder, "new")


def test_latest_never_leads_to_itself(tmp_path: Path) -> None:
    run = tmp_path / "demo"
    run.mkdir()
    run_folder.point_latest(run)
    latest = tmp_path / "latest"
    assert latest.resolve() == run
    run_folder.point_latest(latest)  # as `--resume runs/latest` does
    assert latest.resolve() == run
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo", "latest"]


@pytest.mark.parametrize("folder", ["", ".", "..", "../..", "a\0b"])
def test_a_folder_without_a_name_of_its_own_is_refused(folder: str) -> None:
    with pytest.raises(ValueError, match="run.folder: wanted a folder with a name of its own"):
        RunSettings(folder, "new")
