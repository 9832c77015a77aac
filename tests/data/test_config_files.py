from pathlib import Path

import pytest

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


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ValueError, match="--config: wanted a file, got 'nowhere.yaml'"):
        check_config_files(["--config", "nowhere.yaml"])


def test_good_files_pass(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("a:\n  x: 1\nb:\n  x: 1\n")  # the same key in two groups
    assert check_config_files(["--config", str(path), "-c", str(path)])
    assert not check_config_files(["fit", "--data.seed", "1"])
    assert not check_config_files(["fit", "--config"])  # the parser complains
