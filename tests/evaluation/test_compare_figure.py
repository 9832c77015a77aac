from pathlib import Path

import pytest
from matplotlib.figure import Figure

from rrnn_lit.evaluation.compare_figure import styles, write_figure
from rrnn_lit.evaluation.compare_results import Point, Result
from tests.evaluation.comparing import make_result


def many() -> list[Result]:
    networks = [
        make_result(f"{cell} {size}", cell=cell)
        for cell in ("gru", "lstm", "tanh", "transformer")
        for size in ("width", "parameters")
    ]
    ablations = [make_result(f"no {thing}", group="ablation") for thing in "abcdefg"]
    return [make_result(), *networks, *ablations]


def test_no_two_curves_of_a_group_look_alike() -> None:
    first, *results = many()
    for group in ("baseline", "ablation"):
        looks = styles([first, *(r for r in results if r.group == group)])
        seen = [(look["color"], look["linestyle"]) for look in looks]
        assert len(set(seen)) == len(seen) >= 8


def test_networks_of_one_cell_share_a_colour() -> None:
    _, gru, gru_again, lstm = styles(many()[:4])
    assert gru["color"] == gru_again["color"] != lstm["color"]


@pytest.mark.parametrize("number", [1, 3, 16])
def test_picture_is_a_png_whatever_is_there(tmp_path: Path, number: int) -> None:
    path = tmp_path / "new" / "compare.png"
    write_figure(many()[:number], path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert content.endswith(b"IEND\xaeB`\x82")
    assert list(path.parent.iterdir()) == [path]


def test_a_picture_that_cannot_be_drawn_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "compare.png"
    path.write_bytes(b"old")

    def full(self: Figure, file: Path, **options: object) -> None:
        Path(file).write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(OSError, match="no space"):
        write_figure(many()[:1], path)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


def test_picture_shows_the_curve(tmp_path: Path) -> None:
    other = make_result(curve=(Point(200, 100.0, 0.1),))
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, result in zip(paths, (make_result(), other), strict=True):
        write_figure([result], path)
    assert paths[0].read_bytes() != paths[1].read_bytes()
