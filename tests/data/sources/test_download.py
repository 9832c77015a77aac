import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rrnn_lit.data.sources.download import download

BODY = bytes(range(256)) * 400


@dataclass
class Site:
    """What the server does and what it was asked."""

    address: str = ""
    ranges: bool = True  # honours Range
    cuts: list[int] = field(default_factory=list)  # bytes sent before each early end
    announced: int = len(BODY)
    status: int = 0  # answer with this error instead
    asked: list[str | None] = field(default_factory=list)


def handler(site: Site) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            site.asked.append(wanted)
            if site.status:
                self.send_error(site.status)
                return
            start = int(wanted[6:-1]) if wanted and site.ranges else 0
            if start >= len(BODY):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(BODY)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
            self.send_header("Content-Length", str(site.announced - start))
            self.end_headers()
            body = BODY[start:]
            self.wfile.write(body[: site.cuts.pop(0)] if site.cuts else body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(site))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_address[1]}/news.gz"
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_comes_whole_and_no_part_stays(site: Site, tmp_path: Path) -> None:
    seen: list[int] = []
    download(site.address, tmp_path / "news.gz", seen.append)
    assert (tmp_path / "news.gz").read_bytes() == BODY
    assert sum(seen) == len(BODY)
    assert [path.name for path in tmp_path.iterdir()] == ["news.gz"]


def test_a_cut_connection_is_continued_where_it_broke(site: Site, tmp_path: Path) -> None:
    site.cuts = [1000, 500]
    download(site.address, tmp_path / "news.gz", waits=[0.0])
    assert (tmp_path / "news.gz").read_bytes() == BODY
    assert site.asked == [None, "bytes=1000-", "bytes=1500-"]


def test_an_earlier_part_is_continued(site: Site, tmp_path: Path) -> None:
    (tmp_path / "news.gz.part").write_bytes(BODY[:7777])
    download(site.address, tmp_path / "news.gz")
    assert (tmp_path / "news.gz").read_bytes() == BODY
    assert site.asked == ["bytes=7777-"]


def test_without_ranges_it_starts_again(site: Site, tmp_path: Path) -> None:
    site.ranges = False
    site.cuts = [1000]
    download(site.address, tmp_path / "news.gz", waits=[0.0])
    assert (tmp_path / "news.gz").read_bytes() == BODY


def test_a_complete_part_is_only_renamed(site: Site, tmp_path: Path) -> None:
    (tmp_path / "news.gz.part").write_bytes(BODY)
    download(site.address, tmp_path / "news.gz")
    assert (tmp_path / "news.gz").read_bytes() == BODY
    assert len(site.asked) == 1


def test_a_part_longer_than_the_file_is_thrown_away(site: Site, tmp_path: Path) -> None:
    (tmp_path / "news.gz.part").write_bytes(BODY + b"more")
    download(site.address, tmp_path / "news.gz", waits=[0.0])
    assert (tmp_path / "news.gz").read_bytes() == BODY


def test_a_server_that_never_sends_what_it_announced_is_an_error(
    site: Site, tmp_path: Path
) -> None:
    site.announced = len(BODY) + 10
    site.ranges = False
    with pytest.raises(ConnectionError, match=rf"wanted {len(BODY) + 10} bytes, got {len(BODY)}"):
        download(site.address, tmp_path / "news.gz", waits=[0.0, 0.0])
    assert not (tmp_path / "news.gz").exists()


def test_a_missing_file_is_not_tried_again(site: Site, tmp_path: Path) -> None:
    site.status = 404
    with pytest.raises(ValueError, match="wanted the file, got HTTP 404"):
        download(site.address, tmp_path / "news.gz")
    assert len(site.asked) == 1


def test_a_failing_server_is_tried_as_often_as_there_are_waits(site: Site, tmp_path: Path) -> None:
    site.status = 503
    with pytest.raises(ConnectionError, match="3 failures in a row"):
        download(site.address, tmp_path / "news.gz", waits=[0.0, 0.0])
    assert len(site.asked) == 3


def test_no_server_at_all_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match=r"cannot download http://127.0.0.1:1/x.gz"):
        download("http://127.0.0.1:1/x.gz", tmp_path / "x.gz", waits=[])
