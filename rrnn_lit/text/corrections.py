"""An optional spelling table: wrong words replaced by right ones (D-46).

The author's table is not published; ours comes from the user, one correction a line.
"""

import re
from pathlib import Path

_TOKENS = re.compile("[!-~]+(?: [!-~]+)*")


def read_corrections(path: str | None) -> dict[str, list[str]]:
    """Wrong token -> the tokens that replace it; empty without a file.

    Args:
        path: lines of `wrong<TAB>right` in printable ASCII, where right may be several tokens
            separated by spaces; empty lines are skipped. None: no table.

    Raises:
        ValueError: the file cannot be read, or a line has another form or repeats a word.
    """
    if path is None:
        return {}
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"text.corrections: cannot read {path}: {error}") from error
    corrections: dict[str, list[str]] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            wrong, right = _parse_line(line, f"text.corrections: {path}, line {number}")
            if wrong in corrections:
                raise ValueError(f"text.corrections: {path}, line {number}: {wrong!r} again")
            corrections[wrong] = right
    return corrections


def _parse_line(line: str, place: str) -> tuple[str, list[str]]:
    wrong, _, right = line.partition("\t")
    if " " in wrong or not _TOKENS.fullmatch(wrong) or not _TOKENS.fullmatch(right):
        raise ValueError(f"{place}: wanted wrong<TAB>right in printable ASCII, got {line!r}")
    return wrong, right.split(" ")


def correct_spelling(tokens: list[str], corrections: dict[str, list[str]]) -> list[str]:
    """Tokens with each wrong one replaced; a replacement is not looked up again."""
    if not corrections:
        return tokens
    return [right for token in tokens for right in corrections.get(token, (token,))]
