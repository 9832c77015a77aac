"""What is installed is what was reviewed, and a package that was changed is found."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PathDistribution, distribution, distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

from rrnn_lit.data.sources.docstrings import dependency_names
from tests.audit import (
    BANNED,
    ROOT,
    admitted,
    changed_files,
    normal,
    pins,
    site_folder,
    strays,
    unpinned,
)

Got = Callable[[str], None]
SMALL = "jsonargparse"


def copied(tmp_path: Path) -> tuple[PathDistribution, Path]:
    """Return an installed package, copied, and one of its source files."""
    source = distribution(SMALL)
    for file in source.files or ():
        place = Path(str(source.locate_file(file)))
        target = tmp_path / str(file)
        if place.is_file() and ".." not in file.parts:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place, target)
    information = next(tmp_path.glob(f"{SMALL}-*.dist-info"))
    return PathDistribution(information), tmp_path / SMALL / "_common.py"


@pytest.mark.promise(28)
def test_every_dependency_is_pinned_and_has_the_files_it_came_with(
    tmp_path: Path, got: Got
) -> None:
    versions, open_lines = pins((ROOT / "constraints.txt").read_text())
    wanted = set(dependency_names())
    installed = [d for d in distributions(path=[str(site_folder())]) if normal(d.name) in wanted]
    free = unpinned([(d.name, d.version) for d in installed], versions)
    changed = [file for d in installed for file in changed_files(d)]
    package, source = copied(tmp_path)
    untouched = list(changed_files(package))
    source.write_bytes(source.read_bytes() + b"\n")
    found = [file for file in changed_files(package) if file == f"{source}: changed"]
    got(
        f"{len(installed)} packages, {len(free)} unpinned, {len(open_lines)} open ranges, "
        f"{len(changed)} changed files, a changed file found {len(found)} of 1"
    )
    assert len(installed) > 50
    assert (free, open_lines, changed) == ([], [], [])
    assert [file for file in untouched if "/bin/" not in file] == []
    assert len(found) == 1


def write_wheel(folder: Path) -> Path:
    """Write a wheel of one module."""
    path = folder / "reviewed-1.0-py3-none-any.whl"
    files = {
        "reviewed.py": "",
        "reviewed-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: reviewed\nVersion: 1.0\n",
        "reviewed-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = "reviewed-1.0.dist-info/RECORD"
    with ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(record, "".join(f"{name},,\n" for name in (*files, record)))
    return path


@pytest.mark.promise(28)
@pytest.mark.timeout(120)
def test_a_package_of_another_hash_is_not_installed(tmp_path: Path, got: Got) -> None:
    wheel = write_wheel(tmp_path)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    changed = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    installed = {}
    for name, wanted in {"right": digest, "changed": changed}.items():
        (tmp_path / f"{name}.txt").write_text(f"reviewed==1.0 --hash=sha256:{wanted}\n")
        target = tmp_path / name
        ended = subprocess.run(
            [sys.executable, "-m", "pip", "install", "--no-index", "--find-links", str(tmp_path)]
            + ["--require-hashes", "-r", str(tmp_path / f"{name}.txt"), "--target", str(target)],
            capture_output=True,
            check=False,
        )
        installed[name] = ended.returncode == 0 and (target / "reviewed.py").is_file()
    got(f"a changed hash is installed {int(installed['changed'])} of 1 times")
    assert installed == {"right": True, "changed": False}


@pytest.mark.promise(28)
def test_a_missing_file_and_a_stray_one_are_found(tmp_path: Path) -> None:
    package, source = copied(tmp_path)
    assert strays(tmp_path, [package]) == []
    (tmp_path / "evil.pth").write_text("import os\n")
    (tmp_path / "sitecustomize.py").touch()
    (tmp_path / "notes.txt").touch()
    names = [Path(path).name for path in strays(tmp_path, [package])]
    assert names == ["evil.pth", "sitecustomize.py"]
    source.unlink()
    assert f"{source}: gone" in list(changed_files(package))


@pytest.mark.promise(28)
def test_ranges_addresses_and_malicious_versions_are_no_pins() -> None:
    lines = "a==1.2\n# note\nb>=2\nc @ https://example.org/c.whl\n--index-url x\nd==1.*\n"
    versions, open_lines = pins(lines)
    assert versions == {"a": "1.2"}
    assert len(open_lines) == 4
    assert admitted(["lightning>=2.6"]) == ["lightning 2.6.2", "lightning 2.6.3"]
    assert unpinned([("lightning", "2.6.2")], {"lightning": "2.6.2"}) != []
    assert unpinned([("torch", "2.13.0+cpu")], {"torch": "2.13.0"}) == []


@pytest.mark.promise(28)
def test_the_project_keeps_malicious_versions_out() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert admitted(project["dependencies"]) == []
    assert any(normal(name) in BANNED for name in pins((ROOT / "constraints.txt").read_text())[0])
