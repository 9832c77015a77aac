"""The WMT News Crawl archives, English, 2007 to 2017: the text of the paper (section 2.7).

No digest of these files is published, so none is written here: the first download records size
and SHA-256 in `downloads.json` beside the files and later runs compare with it. Whoever has
digests from elsewhere gives them as a file (`source.digests`). The texts are free for research;
their terms are on the page of the WMT shared tasks.
"""

import json
from pathlib import Path

from rrnn_lit.data.manifest import file_digest, write_json
from rrnn_lit.data.progress import StageProgress
from rrnn_lit.data.sources.download import download

ARCHIVES: dict[int, str] = {
    2007: "https://data.statmt.org/news-crawl/en/news.2007.en.shuffled.deduped.gz",
    2008: "https://data.statmt.org/news-crawl/en/news.2008.en.shuffled.deduped.gz",
    2009: "https://data.statmt.org/news-crawl/en/news.2009.en.shuffled.deduped.gz",
    2010: "https://data.statmt.org/news-crawl/en/news.2010.en.shuffled.deduped.gz",
    2011: "https://data.statmt.org/news-crawl/en/news.2011.en.shuffled.deduped.gz",
    2012: "https://data.statmt.org/news-crawl/en/news.2012.en.shuffled.deduped.gz",
    2013: "https://data.statmt.org/news-crawl/en/news.2013.en.shuffled.deduped.gz",
    2014: "https://data.statmt.org/news-crawl/en/news.2014.en.shuffled.deduped.gz",
    2015: "https://data.statmt.org/news-crawl/en/news.2015.en.shuffled.deduped.gz",
    2016: "https://data.statmt.org/news-crawl/en/news.2016.en.shuffled.deduped.gz",
    2017: "https://data.statmt.org/news-crawl/en/news.2017.en.shuffled.deduped.gz",
}
RECORD_FILE = "downloads.json"


def download_archives(
    years: list[int],
    folder: Path,
    digests: Path | None,
    progress: StageProgress,
    archives: dict[int, str] | None = None,
) -> list[Path]:
    """Return the archives of the given years, in order of year, each downloaded and checked.

    Args:
        years: keys of `archives`.
        folder: where the archives are kept, created if missing.
        digests: file of lines `<sha256>  <name>`, as `sha256sum` prints them; None for none.
        progress: shows one stage per download.
        archives: year -> address, another server's for example; None is `ARCHIVES`.

    Raises:
        ValueError: a file's digest is not the expected or recorded one.
        ConnectionError: the server cannot be reached or keeps breaking off.
    """
    addresses = ARCHIVES if archives is None else archives
    folder.mkdir(parents=True, exist_ok=True)
    expected = {} if digests is None else read_digests(digests)
    return [_archive(addresses[year], folder, expected, progress) for year in sorted(set(years))]


def _archive(
    address: str, folder: Path, expected: dict[str, str], progress: StageProgress
) -> Path:
    path = folder / address.rsplit("/", 1)[-1]
    record_path = folder / RECORD_FILE
    record = json.loads(record_path.read_text()) if record_path.is_file() else {}
    if not path.is_file():
        with progress.stage(f"download {path.name}", None, "bytes"):
            download(address, path, progress.advance)
    got = {"url": address, "bytes": path.stat().st_size, "sha256": file_digest(path)}
    for source, digest in (
        ("source.digests", expected.get(path.name)),
        (str(record_path), record.get(path.name, {}).get("sha256")),
    ):
        if digest is not None and digest != got["sha256"]:
            raise ValueError(
                f"{path}: wanted SHA-256 {digest} ({source}), got {got['sha256']} of "
                f"{got['bytes']} bytes; delete the file to download it again"
            )
    if path.name not in record:
        write_json(record_path, {**record, path.name: got})
    return path


def read_digests(path: Path) -> dict[str, str]:
    """Return name -> SHA-256 of a file in the form of `sha256sum`.

    Raises:
        ValueError: the file is missing or a line has another form.
    """
    if not path.is_file():
        raise ValueError(f"source.digests: wanted a file, got no such file: {path}")
    digests = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        if (
            len(fields) != 2
            or len(fields[0]) != 64
            or set(fields[0].lower()) - set("0123456789abcdef")
        ):
            raise ValueError(
                f"source.digests: {path}, line {number}: wanted 64 hexadecimal digits and a file "
                f"name, got {line[:80]!r}"
            )
        digests[fields[1].lstrip("*")] = fields[0].lower()
    return digests
