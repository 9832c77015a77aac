"""Row 29: `rrnn prepare` dies before each of its file operations; the next start ends well."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from rrnn_lit.data.prepare import WORK_FOLDER, prepare
from rrnn_lit.data.prepare_config import PrepareConfig
from rrnn_lit.data.sources import raw
from tests.data.conftest import content, make_config, sentences, silent
from tests.training.tiny import in_child

Got = Callable[[str], None]
OPERATIONS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir")  # as Python's audit names them
DEAD = 9
EVERY = int(os.environ.get("RRNN_EVERY_OPERATION", "2"))


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A text of two shards."""
    monkeypatch.setattr(raw, "LINES_PER_SHARD", 100)
    path = tmp_path / "text.txt"
    path.write_text("\n".join(sentences(3, 200)), encoding="utf-8")
    return path


def start(config: PrepareConfig, dies_at: int = 0) -> int:
    """Prepare in another process and return its exit code.

    Args:
        config: of the command.
        dies_at: number of the file operation before which it dies; 0 for none.
    """

    def work() -> int:
        left = [dies_at]

        def count(event: str, _: object) -> None:
            if event in OPERATIONS:
                left[0] -= 1
                if left[0] == 0:
                    os._exit(DEAD)

        sys.addaudithook(count)
        prepare(config, silent())
        return 0

    return in_child(work)


def deaths(
    config: PrepareConfig, before: Callable[[], object], numbers: Iterable[int]
) -> tuple[int, int]:
    """Let it die before some operations and start it again; return deaths and bad folders.

    Args:
        config: of the command; `out` is deleted each time.
        before: makes what is in `out` at the start.
        numbers: of the operations, rising; those behind the last one are left out.
    """
    out = Path(config.out)
    straight = make_config(out.with_name("straight"), [Path(f) for f in config.source.files])
    if not Path(straight.out).exists():
        prepare(straight, silent())  # in this process: what it imports, all forks have
    wanted, died, bad = content(Path(straight.out)), 0, 0
    for number in numbers:
        shutil.rmtree(out, ignore_errors=True)
        before()
        code = start(config, number)
        if code == 0:
            break
        died += 1
        assert code == DEAD
        again = start(config)
        bad += again != 0 or content(out) != wanted or (out / WORK_FOLDER).exists()
    return died, bad


@pytest.mark.promise(29)
@pytest.mark.timeout(240)
def test_a_death_before_any_file_operation_costs_nothing(
    tmp_path: Path, text: Path, got: Got
) -> None:
    config = make_config(tmp_path / "out", [text])
    number, bad = deaths(config, lambda: None, range(1, 1_000, EVERY))
    got(f"{bad} of {number} deaths before file operations leave other bytes")
    assert bad == 0
    assert number > 50 // EVERY


@pytest.mark.promise(29)
@pytest.mark.timeout(240)
def test_nor_does_one_while_another_result_is_replaced(
    tmp_path: Path, text: Path, got: Got
) -> None:
    config = make_config(tmp_path / "out", [text], overwrite=True)
    assert start(make_config(tmp_path / "kept", [text], max_words=9)) == 0
    kept = tmp_path / "kept"
    number, bad = deaths(config, lambda: shutil.copytree(kept, config.out), range(1, 36, EVERY))
    got(f"{bad} of {number} while another result is replaced")
    assert bad == 0


@pytest.mark.promise(29)
@pytest.mark.timeout(240)
def test_nor_does_one_while_unfinished_work_of_another_configuration_is_cleared(
    tmp_path: Path, text: Path, got: Got
) -> None:
    config = make_config(tmp_path / "out", [text])
    other = make_config(tmp_path / "out", [text], max_words=9)
    counts = [0, 0]
    for dies_at in range(1, 30, EVERY):
        # ours is killed half way, another one while it clears that, and then it is ours again

        def before(dies_at: int = dies_at) -> None:
            assert start(config, 40) == DEAD
            assert start(other, dies_at) == DEAD

        number, bad = deaths(config, before, [1])
        counts[0] += number
        counts[1] += bad
    got(f"{counts[1]} of {counts[0]} while other work is cleared")
    assert counts == [len(range(1, 30, EVERY)), 0]
