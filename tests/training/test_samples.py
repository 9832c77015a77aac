import io
import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from rrnn_lit.training.reconstruction import EvaluationOutput
from rrnn_lit.training.samples import (
    Reconstruction,
    marked_text,
    reconstruct_row,
    reconstruction_table,
    write_reconstructions,
)
from rrnn_lit.words.counting import Decoded
from rrnn_lit.words.nearest import NearestWords
from rrnn_lit.words.special import SPECIAL_LABELS
from rrnn_lit.words.vectors import WordVectors

DICTIONARY = WordVectors(
    ["sun", "moon", *SPECIAL_LABELS], torch.eye(2 + len(SPECIAL_LABELS)).half().numpy()
)
SUN, MOON, EOS = 0, 1, DICTIONARY.eos_id


def make(decoded: list[str], matched: list[bool]) -> Reconstruction:
    cosines = [0.5] * len(matched)
    return Reconstruction(7, ["sun", "moon", "EOS"], decoded, matched, cosines, cosines)


def test_a_row_of_a_batch_without_its_padding() -> None:
    nearest = NearestWords(torch.tensor(DICTIONARY.vectors_VW))
    target_BT = torch.tensor([[SUN, EOS, 0, 0], [SUN, MOON, EOS, 0]])
    decoded_BT = torch.tensor([[SUN, EOS, -1, -1], [MOON, MOON, -1, -1]])
    predicted_BTW = torch.zeros(2, 4, DICTIONARY.word_dim)
    predicted_BTW[1, 0, SUN], predicted_BTW[1, 0, MOON] = 3.0, 4.0
    predicted_BTW[1, 1, MOON] = 2.0
    output = EvaluationOutput(
        decoded=Decoded(target_BT, decoded_BT, target_BT == decoded_BT, torch.tensor([2, 3])),
        predicted_BTW=predicted_BTW,
        sentence_vector_BS=torch.zeros(2, 1),
    )
    row = reconstruct_row(output, 1, 7, nearest, DICTIONARY)
    assert row.sentence_number == 7
    assert row.words == ["sun", "moon", "EOS"]
    assert row.decoded == ["moon", "moon", ""]  # a zero vector decodes to nothing
    assert row.matched == [False, True, False]
    assert row.cosines[:2] == [0.6, 1.0]
    assert row.decoded_cosines[:2] == [0.8, 1.0]


@pytest.mark.parametrize(
    ("decoded", "matched", "text"),
    [
        (["sun", "moon", "EOS"], [True, True, True], "sun moon"),
        (["sun", "sun", "EOS"], [True, False, True], "sun [sun]"),
        (["sun", "moon", "moon"], [True, True, False], "sun moon [moon]"),  # the end is missed
        (["EOS", "moon", "EOS"], [False, True, True], "[EOS] moon"),
        (["", "moon", "EOS"], [False, True, True], "[?] moon"),
    ],
)
def test_wrong_words_are_marked(decoded: list[str], matched: list[bool], text: str) -> None:
    assert marked_text(make(decoded, matched)) == text


def test_table_shows_wrong_words_in_red_and_brackets_as_they_are() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="standard", width=120)
    console.print(reconstruction_table([make(["sun", "sun", "EOS"], [True, False, True])], "T"))
    text = out.getvalue()
    assert "\x1b[1;31m[sun]\x1b[0m" in text
    assert "\x1b[1;31msun" not in text
    assert "([wrong] in red)" in text
    assert "sun moon" in text


def test_a_word_that_looks_like_markup_is_printed() -> None:
    out = io.StringIO()
    row = Reconstruction(0, ["[/red]", "EOS"], ["[bold]", "EOS"], [True, True], [1, 1], [1, 1])
    Console(file=out, width=80).print(reconstruction_table([row], "T"))
    assert "[/red]" in out.getvalue()
    assert "[bold]" in out.getvalue()


def test_file_holds_one_object_a_line(tmp_path: Path) -> None:
    rows = [make(["sun", "moon", "EOS"], [True, True, True]), make(["", "", ""], [False] * 3)]
    write_reconstructions(tmp_path / "r.jsonl", rows)
    lines = (tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines()
    assert [Reconstruction(**json.loads(line)) for line in lines] == rows
