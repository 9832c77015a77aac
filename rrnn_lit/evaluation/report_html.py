"""Pieces of an HTML page that needs nothing else: no script, no other file, no network.

Everything that comes from outside is escaped here: `Html` is text that may stand in a page as it
is, a plain `str` never does.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape as _escape
from string import Template

_PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
$body
</main>
</body>
</html>
""")
_STYLE = """
:root{--ink:#1b1f24;--soft:#57606a;--paper:#fff;--line:#d0d7de;--stripe:#f6f8fa;--wrong:#b3121d}
@media (prefers-color-scheme:dark){
:root{--ink:#e6edf3;--soft:#9da7b3;--paper:#0d1117;--line:#3d444d;--stripe:#161b22;--wrong:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.2rem 0 .5rem;padding-top:.6rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.2rem 0 .3rem;overflow-wrap:anywhere}
p,li,dd{overflow-wrap:anywhere}
.soft,figcaption,small{color:var(--soft)}
.soft,figcaption{font-size:.875rem}
figcaption{margin-top:.3rem}p.about{margin:.9rem 0 .2rem}
.scroll{overflow-x:auto;margin:.3rem 0 .9rem;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th{border-top:0;vertical-align:bottom}
tbody tr:nth-child(odd){background:var(--stripe)}
td.number{white-space:nowrap}
.number{text-align:right;font-variant-numeric:tabular-nums}
.number small{display:block}
figure{margin:1rem 0}
img{display:block;width:100%;max-width:38rem;height:auto;background:#fff;border-radius:6px;
border:1px solid var(--line)}
.wrong{color:var(--wrong);font-weight:600;text-decoration:underline;text-underline-offset:.15em}
article{border:1px solid var(--line);border-radius:6px;padding:.1rem .8rem .6rem;margin:.8rem 0}
dl{margin:.4rem 0}dt{color:var(--soft);font-size:.875rem;margin-top:.4rem}dd{margin:0}
summary{cursor:pointer;padding:.3rem 0}
code{font-family:ui-monospace,"Liberation Mono",Menlo,monospace;font-size:.875em;
overflow-wrap:anywhere}
"""


@dataclass(frozen=True)
class Html:
    """Text that is HTML already."""

    text: str


Content = Html | str


@dataclass(frozen=True)
class Cell:
    """A table cell whose content stands on the right: a number.

    Attributes:
        text: the number.
        below: smaller, in a line of its own; empty for none.
    """

    text: str
    below: str = ""


def escape(text: Content) -> str:
    """Return text as it stands in a page, in quotation marks as well."""
    return text.text if isinstance(text, Html) else _escape(text, quote=True)


def join(*parts: Content) -> Html:
    """Return pieces one after the other."""
    return Html("\n".join(escape(part) for part in parts))


def tag(name: str, content: Content, **attributes: str) -> Html:
    """Return an element; `class_` gives the attribute `class`."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    return Html(f"<{name}{given}>{escape(content)}</{name}>")


def table(headings: Sequence[str], rows: Sequence[Sequence[Cell | Content]], caption: str) -> Html:
    """Return a table that scrolls inside its own box.

    Args:
        headings: one a column; those of columns of numbers stand on the right.
        rows: the first cell of each is its heading.
        caption: what the rows are.
    """
    numeric = [
        bool(rows) and all(isinstance(row[i], Cell) for row in rows) for i in range(len(headings))
    ]
    head = "".join(
        tag("th", text, scope="col", **({"class_": "number"} if right else {})).text
        for text, right in zip(headings, numeric, strict=True)
    )
    body = "\n".join(
        f"<tr>{''.join(_cell(c, not i) for i, c in enumerate(row))}</tr>" for row in rows
    )
    whole = Html(f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>")
    # a box that scrolls must be reached by the keyboard; its caption must not scroll with it
    box = tag("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)
    return join(tag("p", caption, class_="soft about"), box)


def _cell(cell: Cell | Content, is_heading: bool) -> str:
    if isinstance(cell, Cell):
        below = f"<small>{escape(cell.below)}</small>" if cell.below else ""
        return f'<td class="number">{escape(cell.text)}{below}</td>'
    return tag("th", cell, scope="row").text if is_heading else tag("td", cell).text


def picture(png: bytes, title: str, caption: str) -> Html:
    """Return a picture inside the page, with what it shows below it.

    Args:
        png: the file.
        title: for those who do not see it.
        caption: what is shown, of which sentences.
    """
    data = base64.b64encode(png).decode("ascii")
    image = f'<img src="data:image/png;base64,{data}" alt="{escape(title)}">'
    return tag("figure", Html(f"{image}\n{tag('figcaption', caption).text}"))


def definitions(pairs: Sequence[tuple[str, Content]]) -> Html:
    """Return terms with what belongs to them."""
    inside = "\n".join(f"{tag('dt', term).text}{tag('dd', text).text}" for term, text in pairs)
    return tag("dl", Html(inside))


def details(summary: str, content: Html) -> Html:
    """Return what opens on a click."""
    return tag("details", join(tag("summary", summary), content))


def page(title: str, body: Html) -> str:
    """Return the whole document."""
    return _PAGE.substitute(title=escape(title), style=_STYLE, body=body.text)
