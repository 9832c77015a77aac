"""Downloads one large file over HTTP: continues after a break, checks the size, then renames.

Bytes go to `<name>.part`; the name itself appears only when as many bytes came as the server
announced. Digests are checked by the caller.
"""

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

_BLOCK = 1 << 20  # bytes
_TIMEOUT = 60.0  # seconds without any byte
WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before each try that follows a failure
_BROKEN = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


def download(
    address: str,
    path: Path,
    advance: Callable[[int], None] = lambda _: None,
    waits: Sequence[float] = WAITS,
) -> None:
    """Download a file; an unfinished `.part` beside `path` is continued.

    Args:
        address: http or https.
        path: where the file goes.
        advance: told the bytes as they come.
        waits: seconds before the next try, one for each failure in a row; a try that brought
            bytes starts the row again.

    Raises:
        ConnectionError: the server cannot be reached or keeps breaking off.
        ValueError: the server does not have the file, or does not say how large it is.
    """
    part = path.with_name(f"{path.name}.part")
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            total = _fetch(address, part, before, advance)
            got = part.stat().st_size if part.exists() else 0
            if got == total:
                part.replace(path)
                return
            reason = f"wanted {total} bytes, got {got}"
            if got > total >= 0:
                part.unlink()
        except urllib.error.HTTPError as error:
            if 400 <= error.code < 500:
                raise ValueError(f"{address}: wanted the file, got HTTP {error.code}") from error
            reason = str(error)
        except _BROKEN as error:
            reason = str(error)
        after = part.stat().st_size if part.exists() else 0
        failures = 1 if after > before else failures + 1
        if failures > len(waits):
            raise ConnectionError(
                f"cannot download {address}: {reason} ({failures} failures in a row); "
                f"{after} bytes are kept, start again to continue"
            )
        time.sleep(waits[failures - 1])


def _fetch(address: str, part: Path, offset: int, advance: Callable[[int], None]) -> int:
    """Append what is missing; return the size that the server announces for the whole file.

    No more bytes than announced are read: a server cannot fill the disk.
    """
    request = urllib.request.Request(address)
    if offset:
        request.add_header("Range", f"bytes={offset}-")
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        if _whole_size(error.headers.get("Content-Range")) == offset:
            return offset
        part.unlink()  # longer than the file, so not a beginning of it: the next try starts anew
        return -1
    with response, open(part, "ab") as file:
        length = response.headers.get("Content-Length")
        if length is None:
            raise ValueError(f"{address}: wanted the size of the file (Content-Length), got none")
        if response.status != http.client.PARTIAL_CONTENT:
            file.truncate(0)  # the server always sends the whole file
            offset = 0
        else:
            advance(offset)
        while block := response.read(_BLOCK):
            file.write(block)
            advance(len(block))
    return offset + int(length)


def _whole_size(content_range: str | None) -> int | None:
    found = re.search(r"/(\d+)$", content_range or "")
    return int(found[1]) if found else None
