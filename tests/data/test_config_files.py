from pathlib import Path

import pytest

from rrnn_lit.complaints import UnsafeError
from rrnn_lit.data.config_files import check_config_files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", "line 5: wanted every option once, got c again"),
        (b"a: 1\nb: 2\na: 3\n", "line 3: wanted every option once, got a again"),
        (b"a: [1, 2\nb: 3\n", "line 2: wanted YAML, got: "),
        (b"a:\n\tb: 1\n", "line 2: wanted YAML, got: "),
        (b"a: 1\n b: 2\n", "line 2: wanted YAML, got: "),
        (b"", "wanted a YAML file of options, got something else"),
        (b"- a\n", "wanted a YAML file of options, got something else"),
        (b"a: \xff\n", "wanted UTF-8 text, got "),
        (b"a: \0\n", "wanted YAML, got: "),
        (b"a: 1\nb:\n  ? [c]\n  : 1\n", "line 3: wanted the name of an option, got a group or a"),
        (b"a: 1\n5: 2\n", "line 2: wanted the name of an option, got 5"),
        (b"a: 1\nb:\n  ~: 2\n", "line 3: wanted the name of an option, got ~"),
        (b"a: 1\nb: !!timestamp abc\n", "line 2: wanted a value of type timestamp, got 'abc'"),
        (b"a: !!int abc\n", "line 1: wanted a value of type int, got 'abc'"),
        (b"a: 1\nb: " + b"9" * 400, "line 2: wanted a number of at most 300 digits, got 400"),
    ],
)
@pytest.mark.parametrize("form", ["--config={}", "--config {}", "-c {}"])
def test_a_bad_file_is_named_with_its_line(
    tmp_path: Path, content: bytes, message: str, form: str
) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    arguments = ["fit", *form.format(path).split(" "), "--data.seed", "1"]
    with pytest.raises(ValueError, match=f"--config {path}.*{message}"):
        check_config_files(arguments)


@pytest.mark.parametrize("arguments", [["--a.b", "9" * 400], [f"--a.b={'9' * 400}"]])
def test_a_number_without_end_is_named_by_its_option(arguments: list[str]) -> None:
    with pytest.raises(ValueError, match=r"--a\.b: wanted a number of at most 300 digits"):
        check_config_files(["fit", *arguments])


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ValueError, match="--config: wanted a file, got 'nowhere.yaml'"):
        check_config_files(["--config", "nowhere.yaml"])


def test_good_files_pass(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("a:\n  x: 1\nb:\n  x: 1\n")  # the same key in two groups
    assert check_config_files(["--config", str(path), "-c", str(path)])
    assert not check_config_files(["fit", "--data.seed", "1"])
    assert not check_config_files(["fit", "--config"])  # the parser complains


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a:\n  class_path: os.system\n", "line 2: a config may import only .*; got 'os.system'"),
        ("a.class_path: my.Own\n", "got 'my.Own'"),
        ("a: [{_instantiator: x.y}]\n", "got '_instantiator: x.y'"),
        ("x: &x {class_path: my.Own}\na: [{<<: *x}]\n", "line 1: .* got 'my.Own'"),
        ("a: !!python/name:os.system\n", "line 1: a config holds plain values only"),
        ("a: !mine 1\n", "line 1: a config holds plain values only, got the tag !mine"),
    ],
)
def test_what_would_import_or_make_objects_is_refused(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(content)
    with pytest.raises(UnsafeError, match=f"refused: --config {path}.*{message}"):
        check_config_files(["--config", str(path)])


def test_classes_on_the_list_of_the_project_or_of_the_environment_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        "a: {class_path: lightning.pytorch.callbacks.ModelSummary}\nb: {class_path: Short}\n"
        "c: {class_path: mine.inner.Own}\n"
    )
    monkeypatch.setenv("RRNN_ALLOW_IMPORTS", "other,mine.inner")
    assert check_config_files(["--config", str(path)])
    monkeypatch.setenv("RRNN_ALLOW_IMPORTS", "min")  # whole names only
    with pytest.raises(UnsafeError, match=r"mine\.inner\.Own"):
        check_config_files(["--config", str(path)])


@pytest.mark.parametrize(
    "content",
    [
        "a: &a [1]\n"
        + "".join(
            f"{x}: &{x} [{', '.join([f'*{y}'] * 9)}]\n"
            for x, y in zip("bcdefgh", "abcdefg", strict=True)
        ),
        "a: &a {b: *a}\n",
        "a: " + "[" * 3_000,
    ],
    ids=["aliases of aliases", "an alias of itself", "depth"],
)
def test_a_few_lines_that_stand_for_very_many_values_are_refused(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"wanted (at most 100000 values|options|YAML)"):
        check_config_files(["--config", str(path)])
