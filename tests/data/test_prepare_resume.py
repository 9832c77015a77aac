"""Killed, interrupted or out of disk: the next start gives the bytes of an undisturbed run."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rrnn_lit.bench.faults.limits import file_size_limit
from rrnn_lit.data.prepare import RefusedFolderError, prepare
from rrnn_lit.data.progress import StageProgress
from tests.data.conftest import content, make_config, sentences, silent


class Interrupted(StageProgress):
    """Ctrl-C at the given call of `advance`."""

    def __init__(self, at: int) -> None:
        self.__dict__.update(silent().__dict__)
        self.calls_left = at

    def advance(self, amount: int, reused: bool = False) -> None:
        self.calls_left -= 1
        if self.calls_left == 0:
            raise KeyboardInterrupt
        super().advance(amount, reused)


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("at", [1, 6, 8, 9, 14, 16, 19, 22, 24, 30, 33])
def test_interrupted_anywhere_the_second_start_gives_the_same_bytes(
    tmp_path: Path, text_file: Path, at: int
) -> None:
    prepare(make_config(tmp_path / "straight", [text_file]), silent())
    config = make_config(tmp_path / "broken", [text_file])
    with pytest.raises(KeyboardInterrupt):
        prepare(config, Interrupted(at))
    assert not (tmp_path / "broken" / "manifest.json").exists()
    prepare(config, silent())
    assert content(tmp_path / "straight") == content(tmp_path / "broken")


@pytest.mark.usefixtures("small_shards")
def test_second_start_reuses_finished_shards(tmp_path: Path, text_file: Path) -> None:
    config = make_config(tmp_path / "out", [text_file])
    with pytest.raises(KeyboardInterrupt):
        prepare(config, Interrupted(10))
    (shard,) = tmp_path.glob("out/.work/*/text/00000.txt")
    before = shard.stat().st_mtime_ns
    with pytest.raises(KeyboardInterrupt):
        prepare(config, Interrupted(2))  # reading is over, so this is the second shard of tokens
    assert shard.stat().st_mtime_ns == before


@pytest.mark.usefixtures("small_shards")
def test_unfinished_work_of_another_input_is_not_reused(tmp_path: Path, text_file: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("\n".join(sentences(5, 600)))
    with pytest.raises(KeyboardInterrupt):
        prepare(make_config(tmp_path / "out", [other]), Interrupted(10))
    prepare(make_config(tmp_path / "out", [text_file]), silent())
    prepare(make_config(tmp_path / "fresh", [text_file]), silent())
    assert content(tmp_path / "out") == content(tmp_path / "fresh")


DRIVER = """
import sys
from rrnn_lit.data.sources import raw
raw.LINES_PER_SHARD = 100
from rrnn_lit.data.prepare import prepare
from tests.data.conftest import make_config, silent
from pathlib import Path
if __name__ == "__main__":
    prepare(make_config(Path(sys.argv[1]), [Path(sys.argv[2])], processes=2), silent())
"""


@pytest.mark.usefixtures("small_shards")
def test_killed_with_its_workers_at_work_it_continues(tmp_path: Path, text_file: Path) -> None:
    many = tmp_path / "many.txt"
    many.write_text("\n".join(sentences(1, 1000)))
    child = subprocess.Popen([sys.executable, "-c", DRIVER, tmp_path / "out", many])
    while not list(tmp_path.glob("out/.work/*/text/00001.json")) and child.poll() is None:
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    prepare(make_config(tmp_path / "out", [many]), silent())
    prepare(make_config(tmp_path / "straight", [many]), silent())
    assert content(tmp_path / "straight") == content(tmp_path / "out")


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("num_bytes", [1_000, 5_500, 8_000])
def test_full_disk_leaves_no_manifest_and_can_be_continued(
    tmp_path: Path, text_file: Path, num_bytes: int
) -> None:
    config = make_config(tmp_path / "out", [text_file])
    with pytest.raises(OSError, match="large|written"), file_size_limit(num_bytes):
        prepare(config, silent())
    assert not (tmp_path / "out" / "manifest.json").exists()
    prepare(config, silent())
    prepare(make_config(tmp_path / "fresh", [text_file]), silent())
    assert content(tmp_path / "out") == content(tmp_path / "fresh")


@pytest.mark.usefixtures("small_shards")
def test_nothing_of_others_is_deleted(tmp_path: Path, text_file: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    config = make_config(out, [text_file])
    with pytest.raises(KeyboardInterrupt):
        prepare(config, Interrupted(10))
    (out / ".work" / "mine").mkdir()
    (out / "movie.part").touch()
    prepare(config, silent())
    assert (out / ".work" / "mine").is_dir()
    assert (out / "movie.part").is_file()
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / ".work").symlink_to(elsewhere)
    with pytest.raises(RefusedFolderError, match="wanted a folder, got a link"):
        prepare(make_config(foreign, [text_file]), silent())
    assert (elsewhere / "kept").is_file()


def test_a_folder_named_as_ours_with_other_files_is_refused(
    tmp_path: Path, text_file: Path
) -> None:
    notes = tmp_path / "out" / ".work" / "notes.txt"
    notes.parent.mkdir(parents=True)
    notes.touch()
    with pytest.raises(RefusedFolderError, match="with other files in it"):
        prepare(make_config(tmp_path / "out", [text_file]), silent())
    assert notes.is_file()
