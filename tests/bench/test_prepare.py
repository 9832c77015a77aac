from dataclasses import replace
from pathlib import Path

import pytest

from rrnn_lit.bench import prepare
from rrnn_lit.bench.prepare import PrepareOptions, run
from rrnn_lit.bench.prepare_growth import Growth
from rrnn_lit.bench.recombined_text import Halves

GROWTH = Growth(1_000, 10.0, {"text": 8.0}, 100, 880, 150_000, 500, 300, 400, 200)


def test_a_size_that_was_measured_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured: list[int] = []

    def measure(size: int, options: PrepareOptions, halves: Halves, folder: Path) -> Growth:
        measured.append(size)
        folder.mkdir()
        growth = replace(GROWTH, sentences=size)
        prepare.keep_result(folder, options, growth)
        return growth

    monkeypatch.setattr(prepare, "measure", measure)
    options = PrepareOptions(sizes=[2_000, 1_000], work=str(tmp_path / "w"))
    rows = run(options)
    assert measured == [1_000, 2_000]
    assert len(rows) == 3
    assert "71,040,000 (projected)" in rows[-1].peer
    assert run(options) == rows
    assert measured == [1_000, 2_000]
    assert (tmp_path / "w" / prepare.PICTURE_FILE).is_file()
    other = PrepareOptions(sizes=[1_000], work=str(tmp_path / "w"), seed=3)
    with pytest.raises(ValueError, match=r"--work: .* was measured with"):
        run(other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": []}, "--sizes: wanted"),
        ({"sizes": [999]}, "--sizes: wanted"),
        ({"duplicates": 1.0}, "--duplicates: wanted"),
        ({"processes": 0}, "--processes: wanted"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PrepareOptions(**options)  # type: ignore[arg-type]  # wrong on purpose
