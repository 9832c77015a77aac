from pathlib import Path

import pytest

from rrnn_lit.codec.given_lengths import GivenLengths


def written(folder: Path, text: str) -> str:
    (folder / "lengths").write_text(text)
    return str(folder / "lengths")


def test_one_number_is_for_all() -> None:
    lengths = GivenLengths("7")
    assert lengths.take(3) == [7, 7, 7]
    lengths.check_end()


def test_a_file_has_a_number_a_line(tmp_path: Path) -> None:
    lengths = GivenLengths(written(tmp_path, "3\n 1 \n12"))
    assert lengths.take(2) == [3, 1]
    assert lengths.take(1) == [12]
    lengths.check_end()


def test_too_few_numbers_are_told(tmp_path: Path) -> None:
    lengths = GivenLengths(written(tmp_path, "3\n1\n"))
    with pytest.raises(ValueError, match="--num-words: wanted a number for each vector, got 2"):
        lengths.take(3)


def test_too_many_numbers_are_told(tmp_path: Path) -> None:
    lengths = GivenLengths(written(tmp_path, "3\n1\n"))
    lengths.take(1)
    with pytest.raises(ValueError, match="--num-words: wanted 1 numbers.*got more"):
        lengths.check_end()


@pytest.mark.parametrize("text", ["0", "-3", "2.5", "", "x"])
def test_what_is_no_number_of_words_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="lengths, line 2: wanted a whole number of at least 1"):
        GivenLengths(written(tmp_path, f"3\n{text}\n")).take(2)


def test_zero_for_all_is_refused() -> None:
    with pytest.raises(ValueError, match="--num-words: wanted a whole number of at least 1"):
        GivenLengths("0")
