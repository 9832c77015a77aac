"""Reconstructed sentences: a fixed random part of tune, as records and as a table.

Decision D-48; the terminal table is the paper's Table 1 with wrong words in red.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from rrnn_lit.words.nearest import NearestWords
from rrnn_lit.words.vectors import WordVectors

if TYPE_CHECKING:
    from rich.table import Table

    from rrnn_lit.training.reconstruction import EvaluationOutput


@dataclass(frozen=True)
class Reconstruction:
    """A sentence and what came back.

    Attributes:
        sentence_number: row of the split's store.
        words: the sentence, EOS included.
        decoded: the decoded words, one for each; empty where there is none.
        matched: whether each word is matched.
        cosines: cosine of each predicted vector with its target.
        decoded_cosines: cosine with the decoded word.
    """

    sentence_number: int
    words: list[str]
    decoded: list[str]
    matched: list[bool]
    cosines: list[float]
    decoded_cosines: list[float]


def reconstruct_row(
    output: "EvaluationOutput",
    row: int,
    sentence_number: int,
    nearest: NearestWords,
    dictionary: WordVectors,
) -> Reconstruction:
    """Return one sentence of an evaluated batch."""
    decoded = output["decoded"]
    length = int(decoded.lengths_B[row])
    predicted_TW = output["predicted_BTW"][row, :length]
    target_T, decoded_T = decoded.target_BT[row, :length], decoded.decoded_BT[row, :length]
    found = torch.where(decoded_T < 0, target_T, decoded_T)
    return Reconstruction(
        sentence_number=sentence_number,
        words=dictionary.decode(target_T.tolist()),
        decoded=[dictionary.words[i] if i >= 0 else "" for i in decoded_T.tolist()],
        matched=decoded.matched_BT[row, :length].tolist(),
        cosines=[round(c, 4) for c in nearest.cosine(predicted_TW, target_T).tolist()],
        decoded_cosines=[round(c, 4) for c in nearest.cosine(predicted_TW, found).tolist()],
    )


def marked_words(reconstruction: Reconstruction) -> list[tuple[str, bool]]:
    """Return (decoded word, is wrong) in reading order, without a right EOS at the end."""
    marked = [
        (word or "?", not matched)
        for word, matched in zip(reconstruction.decoded, reconstruction.matched, strict=True)
    ]
    return marked[:-1] if not marked[-1][1] else marked


def marked_text(reconstruction: Reconstruction) -> str:
    """Return the decoded sentence as plain text, each wrong word as `[wrong]`."""
    return " ".join(f"[{word}]" if wrong else word for word, wrong in marked_words(reconstruction))


def reconstruction_table(reconstructions: Sequence[Reconstruction], title: str) -> "Table":
    """Return a terminal table: the sentence, and what was decoded with wrong words in red."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, show_lines=True)
    table.add_column("sentence", ratio=1)
    table.add_column(r"decoded from its vector (\[wrong] in red)", ratio=1)
    for reconstruction in reconstructions:
        text = Text()
        for word, wrong in marked_words(reconstruction):
            text.append(f"[{word}]" if wrong else word, style="bold red" if wrong else "")
            text.append(" ")
        table.add_row(Text(" ".join(reconstruction.words[:-1])), text)
    return table


def write_reconstructions(path: Path, reconstructions: Sequence[Reconstruction]) -> None:
    """Write one JSON object a line."""
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(asdict(r))}\n" for r in reconstructions)
