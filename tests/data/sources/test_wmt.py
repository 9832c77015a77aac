import gzip
import hashlib
import http.server
import io
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from rrnn_lit.data.progress import StageProgress
from rrnn_lit.data.sources.wmt import ARCHIVES, RECORD_FILE, download_archives, read_digests

YEARS = {2007: b"Old news is no news.\n", 2008: b"New news is old soon.\n"}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def archives(tmp_path: Path) -> Iterator[dict[int, str]]:
    folder = tmp_path / "site"
    folder.mkdir()
    for year, text in YEARS.items():
        (folder / f"{year}.gz").write_bytes(gzip.compress(text, mtime=0))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield {year: f"http://127.0.0.1:{server.server_address[1]}/{year}.gz" for year in YEARS}
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(archives: dict[int, str], folder: Path, digests: Path | None = None) -> list[Path]:
    progress = StageProgress(Console(file=io.StringIO()))
    return download_archives([2008, 2007], folder, digests, progress, archives)


def test_the_table_names_all_years_of_the_paper() -> None:
    assert list(ARCHIVES) == list(range(2007, 2018))
    assert all(f"news.{year}.en" in address for year, address in ARCHIVES.items())


def test_archives_come_by_year_and_their_digests_are_recorded(
    archives: dict[int, str], tmp_path: Path
) -> None:
    paths = fetch(archives, tmp_path / "kept")
    assert [gzip.decompress(path.read_bytes()) for path in paths] == list(YEARS.values())
    record = json.loads((tmp_path / "kept" / RECORD_FILE).read_text())
    assert record["2007.gz"] == {
        "url": archives[2007],
        "bytes": paths[0].stat().st_size,
        "sha256": hashlib.sha256(paths[0].read_bytes()).hexdigest(),
    }


def test_what_is_there_is_not_downloaded_again(archives: dict[int, str], tmp_path: Path) -> None:
    paths = fetch(archives, tmp_path / "kept")
    (tmp_path / "site" / "2007.gz").unlink()
    assert fetch(archives, tmp_path / "kept") == paths


def test_a_changed_archive_is_refused(archives: dict[int, str], tmp_path: Path) -> None:
    paths = fetch(archives, tmp_path / "kept")
    paths[1].write_bytes(paths[1].read_bytes() + b"x")
    with pytest.raises(ValueError, match=r"2008.gz: wanted SHA-256 \w{64} \(.*downloads.json\)"):
        fetch(archives, tmp_path / "kept")


def test_digests_of_the_user_are_compared(archives: dict[int, str], tmp_path: Path) -> None:
    right = hashlib.sha256((tmp_path / "site" / "2007.gz").read_bytes()).hexdigest()
    digests = tmp_path / "SHA256SUMS"
    digests.write_text(f"{right}  2007.gz\n{'0' * 64} *2008.gz\n")
    with pytest.raises(ValueError, match=rf"2008.gz: wanted SHA-256 {'0' * 64} \(source.digests"):
        fetch(archives, tmp_path / "kept", digests)


def test_a_bad_file_of_digests_is_an_error(tmp_path: Path) -> None:
    digests = tmp_path / "SHA256SUMS"
    digests.write_text("abc  2007.gz\n")
    with pytest.raises(ValueError, match="line 1: wanted 64 hexadecimal digits"):
        read_digests(digests)
    with pytest.raises(ValueError, match="no such file"):
        read_digests(tmp_path / "none")
