"""Archives and packed files from strangers: nothing is put outside, no flood comes out."""

import bz2
import gzip
import io
import lzma
import resource
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from rrnn_lit.codec.text_lines import read_lines as read_codec_lines
from rrnn_lit.complaints import UnsafeError
from rrnn_lit.data.sources.download import download
from rrnn_lit.data.sources.files import read_lines
from rrnn_lit.packed_files import MOST_GROWTH
from rrnn_lit.words.word2vec import read_vectors
from tests.faults.canaries import EXIT_BAD_INPUT, EXIT_REFUSED, ended
from tests.training.tiny import in_child

Got = Callable[[str], None]
MB = 1 << 20
FLOOD = 200 * MB
LINE = b"a word " * 585 + b"\n"


def tar_of(member: tarfile.TarInfo, content: bytes = b"sung\n") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member.size = len(content) if member.isreg() else 0
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, 0o666
    return info


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("../sung.txt", "w") as file,
    ):
        for _ in range(FLOOD // MB):
            file.write(LINE * (MB // len(LINE)))
    return buffer.getvalue()


def flood(size: int = FLOOD) -> bytes:
    """Return so many bytes of lines as a thousandth of that of gzip."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        for _ in range(size // MB):
            file.write(LINE * (MB // len(LINE)))
    return buffer.getvalue()


@pytest.mark.promise(25)
def test_no_archive_puts_a_file_outside_and_no_bomb_fills_the_disk(
    tmp_path: Path, got: Got, capfd: pytest.CaptureFixture[str]
) -> None:
    # a temporary folder of the system is no less outside than the one above
    outside = tmp_path / "outside"
    outside.mkdir()
    archives = {
        "text.tar.gz": tar_of(member("../outside/sung")),
        "news.txt.gz": tar_of(member(str(outside / "sung"))),
        "link.tar.gz": tar_of(member("link", tarfile.SYMTYPE, str(outside / "sung"))),
        "device.tar.gz": tar_of(member("device", tarfile.CHRTYPE)),
        "bomb.zip": zip_bomb(),
        "bomb.txt.gz": flood(),
    }
    work = tmp_path / "work"
    work.mkdir()
    escapes, codes = 0, {}
    for name, content in archives.items():
        (work / name).write_bytes(content)
        before = set(tmp_path.rglob("*"))
        codes[name] = ended(
            *("prepare", "--source", "files", "--files", work / name, "--out", work / "out"),
            *("--processes", "1", "--text.language_threshold", "0"),
        )
        new = [p for p in set(tmp_path.rglob("*")) - before if work / "out" not in p.parents]
        written = sum(p.stat().st_size for p in (work / "out").rglob("*") if p.is_file())
        is_link = any(p.is_symlink() or p.is_char_device() for p in work.rglob("*"))
        most = max(16 * MB, MOST_GROWTH * len(content))
        capfd.readouterr()
        escapes += bool(set(new) - {work / "out"}) or is_link or written > most
    got(f"{escapes} escapes of {len(archives)}")
    assert escapes == 0
    assert set(codes.values()) <= {EXIT_BAD_INPUT, EXIT_REFUSED}, codes
    assert codes["bomb.txt.gz"] == EXIT_REFUSED
    assert not list(outside.iterdir())


def test_the_archives_would_escape(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    content = tar_of(member("../sung"))
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(inner, filter="fully_trusted")
    assert (tmp_path / "sung").is_file()
    bomb = flood()
    assert len(gzip.decompress(bomb)) > 0.99 * FLOOD
    assert len(bomb) < MB


@contextmanager
def little_memory(extra: int) -> Iterator[None]:
    """Let this process take so many bytes more than it has and no more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + extra
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
    yield


def read_text(path: Path) -> None:
    for _ in read_lines(path):
        pass


def read_input(path: Path) -> None:
    for _ in read_codec_lines(str(path)):
        pass


def read_words(path: Path) -> None:
    read_vectors(path, None, None)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda content: gzip.compress(content, 1, mtime=0),
    "xz": lambda content: lzma.compress(content, preset=0),
    "bz2": lambda content: bz2.compress(content, 9),
}


@pytest.mark.promise(25)
@pytest.mark.parametrize("read", [read_text, read_input, read_words])
@pytest.mark.parametrize("kind", PACKERS)
def test_every_reader_of_packed_files_stops_a_flood_within_little_memory(
    tmp_path: Path, kind: str, read: Callable[[Path], None]
) -> None:
    header = b"9000000 2\n" if read is read_words else b""
    path = tmp_path / f"bomb.txt.{kind}"
    path.write_bytes(PACKERS[kind](header + LINE * (18 * MB // len(LINE))))

    def work() -> int:
        with little_memory(150 * MB):
            try:
                read(path)
            except UnsafeError:
                return EXIT_REFUSED
        return 0

    assert in_child(work) == EXIT_REFUSED


class _Endless(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        if self.path == "/short":
            self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"x" * 1000)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.promise(25)
def test_a_download_takes_no_more_bytes_than_were_announced(tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Endless)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        download(f"{address}/short", tmp_path / "short")
        with pytest.raises(ValueError, match="wanted the size of the file"):
            download(f"{address}/endless", tmp_path / "endless")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 10
