"""A strict look at a page: every element is closed in order, nothing is fetched or run."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_EMPTY = {"meta", "img", "br", "link", "hr", "input"}
_FETCHING = {"src", "href", "srcset", "action", "data", "poster", "background"}


@dataclass
class Page:
    """What a document consists of."""

    tags: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def text(self) -> str:
        """All text, with single blanks."""
        return " ".join(" ".join(self.texts).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.append(tag)
        self.page.attributes += [(name, value or "") for name, value in attrs]
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> is in the wrong place"

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.page.texts.append(data)


def read_page(text: str) -> Page:
    """Return what a well-formed document holds; fail for one that needs anything else."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [], f"not closed: {reader.open}"
    page = reader.page
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    for name, value in page.attributes:
        assert not name.startswith("on"), f"a handler: {name}"
        if name in _FETCHING:
            assert value.startswith("data:image/png;base64,")
    style = text.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert "http:" not in text
    assert "https:" not in text
    return page
