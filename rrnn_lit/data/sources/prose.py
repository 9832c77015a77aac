"""English sentences out of one docstring: markup taken away, code and tables left out.

Rules of thumb for reStructuredText, Google and NumPy docstrings. What does not read as an English
sentence is dropped rather than repaired: there is enough text, and wrong "sentences" would teach
the network code.
"""

import inspect
import re
from collections.abc import Iterator

_SHORTEST = 3  # words
_LONGEST = 500  # characters; longer ones are lists or tables that lost their shape
_WORD_SHARE = 0.85  # of the tokens that must be plain words

# directives whose indented text is prose
_PROSE_DIRECTIVE = re.compile(
    r"^\.\. (note|warning|tip|important|caution|attention|hint|seealso|admonition|deprecated|"
    r"versionadded|versionchanged)::"
)
_LIST_MARK = re.compile(r"^([-*+•]|\(?[0-9]{1,2}[.)]|\(?[a-z][.)])\s+")
_LABEL = re.compile(r"^(Note|Notes|Warning|Important|Tip|Hint|Caution):\s+(?=[A-Z])")
# one parameter, with the text indented below it: ":param x:", "name (int): Text", "name : int"
_PARAMETER = re.compile(
    r"^:[a-z]+[^:`]{0,60}:(\s|$)|^@\w+"
    r"|^[`*]*\w+[`*]*\s*(\([^)]*\))?\s*(:|--)\s+(?=[A-Z])|^[`*\w, ]+ ?: ?[^\s:]+[^.]*$"
    r"|^(Args|Arguments|Keyword Args|Kwargs|Params|Parameters|Attributes) ?:$|^[a-z_]\w*:$"
)
_HEAD = re.compile(r"^\w+( \w+)?:$")  # "Returns:", "Usage note:"
_RULE = re.compile(r"^([=\-~^\"'`#*+_.:])\1{2,}\s*$")
_TABLE = re.compile(r"^[+|].*[+|]\s*$|^[=-]{2,}(\s+[=-]{2,})+\s*$|\S {3,}\S")

_INLINE = (
    (re.compile(r":[\w:+.-]+:`~[\w.]*?(\w+)(?:\(\))?`"), r"\1"),  # :class:`~path.to.Name`
    (re.compile(r":[\w:+.-]+:`([^`<]*?)\s*(?:<[^`>]*>)?`"), r"\1"),  # :class:`text <target>`
    (re.compile(r"`([^`<]+?)\s*<[^`>]*>`__?"), r"\1"),  # `text <url>`_
    (re.compile(r"\[([^\]]+)\]\([^)\s]*\)"), r"\1"),  # [text](url)
    (re.compile(r"``([^`]*)``"), r"\1"),
    (re.compile(r"`([^`]*)`_{0,2}"), r"\1"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"\1"),
    (re.compile(r"(?<!\w)\*([^*\s][^*]*)\*(?!\w)"), r"\1"),
    (re.compile(r"\s*\[[\w# ]{1,12}\]_"), ""),  # footnote mark
    (re.compile(r"\|(\w[\w ]*)\|"), r"\1"),
    (re.compile(r"(?<!\w)[~!](?=\w)"), ""),
    (re.compile(r"\s+"), " "),
)

_END = re.compile(r"""(?<=[.?!])(["')\]]*)\s+(?=["'(]?[A-Z0-9])""")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|al|Fig|Figs|Eq|Eqs|Sec|Ch|No|Vol|pp|approx|resp|Mr|Mrs|Ms|Dr"
    r"|Prof|St|Jr|Sr|Inc|Ltd|Co|U\.S|[A-Z]))\.[\"')\]]*$"
)
_START = re.compile(r"""^["'(]?[A-Z]""")
_STOP = re.compile(r"""[.?!]["')]?$""")
_CODE = re.compile(
    r"[=_<>{}\[\]|\\`@#*^~$%&+\u2500-\u259f]|::|://|www\.|\.\.|--|\(\)"
    r"|[a-z][A-Z]|[A-Za-z]\.[A-Za-z]{3}|\w\.\w+\.\w|\b[a-z]+[0-9]|[a-z]\(|/\w+/|!\w|\.(py|js|txt)\b"
)
_WORD = re.compile(r"""^["'(]*[A-Za-z]+(?:['’-][A-Za-z]+)*["')]*[,;:.?!]*["')]*$""")
# fmt: off
_ENGLISH = frozenset((
    "a", "an", "and", "any", "are", "as", "at", "be", "by", "can", "does", "for", "from",
    "has", "have", "if", "in", "is", "it", "may", "must", "no", "not", "of", "on", "or",
    "should", "that", "the", "their", "then", "there", "these", "this", "to", "was", "we",
    "when", "which", "will", "with", "you", "your",
))
# fmt: on


def sentences(docstring: str) -> Iterator[str]:
    """Yield the English sentences of a docstring in order."""
    for paragraph in _paragraphs(inspect.cleandoc(docstring)):
        for sentence in _split(_plain(paragraph)):
            if reads_as_english(sentence):
                yield sentence


def reads_as_english(sentence: str) -> bool:
    """Tell whether a line is an English sentence and nothing else."""
    if len(sentence) > _LONGEST or not (_START.match(sentence) and _STOP.search(sentence)):
        return False
    if _CODE.search(sentence) or not _balanced(sentence):
        return False
    tokens = sentence.split()
    words = sum(1 for token in tokens if _WORD.match(token))
    capitals = sum(1 for token in tokens if len(token) > 1 and token.isupper())
    return (
        len(tokens) >= _SHORTEST
        and words >= _WORD_SHARE * len(tokens)
        and capitals <= 0.3 * len(tokens)
        and not _ENGLISH.isdisjoint(token.strip("\"'(),.;:?!").lower() for token in tokens)
    )


def _balanced(sentence: str) -> bool:
    brackets = sentence.count("(") == sentence.count(")") <= 2
    return brackets and sentence.count('"') % 2 == 0


def _plain(paragraph: str) -> str:
    for pattern, replacement in _INLINE:
        paragraph = pattern.sub(replacement, paragraph)
    return paragraph.strip()


def _split(paragraph: str) -> Iterator[str]:
    """Cut after a full stop, question or exclamation mark that a new sentence follows."""
    start = 0
    for match in _END.finditer(paragraph):
        end = match.end(1)
        if not _ABBREVIATION.search(paragraph[start:end]):
            yield paragraph[start:end]
            start = match.end()
    yield paragraph[start:]


def _paragraphs(text: str) -> Iterator[str]:
    """Yield paragraphs as single lines, without code, tables, headings and parameters."""
    joined: list[str] = []
    indent, hanging = 0, False
    for line in _prose_lines(text.split("\n")):
        content = line.lstrip()
        depth = len(line) - len(content)
        fresh = _LIST_MARK.match(content)
        moved = depth < indent or (depth > indent and not hanging)
        if joined and (not content or fresh or moved):
            yield " ".join(joined)
            joined = []
        if not content:
            continue
        for pattern in (_LIST_MARK, _LABEL):
            content = pattern.sub("", content, count=1)
        hanging = bool(fresh) or (hanging and bool(joined))
        joined.append(content.strip())
        indent = depth
    if joined:
        yield " ".join(joined)


def _prose_lines(lines: list[str]) -> Iterator[str]:
    """Yield lines of prose and an empty line for each thing left out."""
    skip_deeper: int | None = None  # inside a literal block: lines indented more than this
    fenced = in_doctest = False
    for number, line in enumerate(lines):
        content = line.strip()
        depth = len(line) - len(line.lstrip())
        if content.startswith(("```", "~~~")):
            fenced = not fenced
            yield ""
        elif fenced or (skip_deeper is not None and (not content or depth > skip_deeper)):
            yield ""
        else:
            skip_deeper = None
            in_doctest = bool(content) and (in_doctest or content.startswith((">>>", "In [")))
            if _opens_literal(content):
                skip_deeper = depth
            if in_doctest or _is_decoration(content, lines[number + 1 : number + 2]):
                yield ""
            else:
                yield line if not content.endswith("::") else line.rstrip()[:-1]


def _opens_literal(content: str) -> bool:
    """Tell whether the lines indented below this one are code or about one parameter."""
    if content.startswith(".."):
        return not _PROSE_DIRECTIVE.match(content)
    return content.endswith("::") or _is_parameter(content)


def _is_parameter(content: str) -> bool:
    return bool(_PARAMETER.match(content)) and not _LABEL.match(content)


def _is_decoration(content: str, following: list[str]) -> bool:
    """Tell a heading, a rule, a directive's first line or a table row from prose."""
    underlined = bool(following) and bool(_RULE.match(following[0].strip()))
    return (
        underlined
        or content.startswith("..")
        or bool(_HEAD.match(content))
        or _is_parameter(content)
        or bool(_RULE.match(content))
        or bool(_TABLE.search(content))
    )
