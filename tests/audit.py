"""Whether what is installed is what was reviewed: `make audit`; needs no network.

- constraints.txt names one version of each package, and no addresses;
- pyproject.toml keeps the malicious versions out;
- every installed package has the version that constraints.txt says;
- every file of every package has the digest in the list that came with the package (RECORD);
- nothing that Python runs or imports by itself lies beside the packages.

Whoever can change a file can change the list as well: this finds damage, edits and partly
replaced packages, and not somebody who covers his tracks. Digests of the downloaded packages are
no part of the repository: torch comes as another file for every kind of device.
"""

import base64
import hashlib
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
OWN = "rrnn-lit"
# not for this project: what makes environments
TOOLS = {"pip", "setuptools", "wheel"}
BANNED = {"lightning": ("2.6.2", "2.6.3"), "pytorch-lightning": ("2.6.2", "2.6.3")}
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.!]*)")
_RUNS = (".py", ".pth", ".so", ".pyd", ".egg-link")


def normal(name: str) -> str:
    """Return a package's name in the form in which names compare."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> tuple[dict[str, str], list[str]]:
    """Return name -> version of a file of constraints, and its lines that are no exact version."""
    versions, open_lines = {}, []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        found = _PIN.fullmatch(line.strip())
        if found is None:
            open_lines.append(line)
        else:
            versions[normal(found[1])] = found[2]
    return versions, open_lines


def admitted(requirements: Iterable[str]) -> list[str]:
    """Return the banned versions that requirements let in."""
    let_in = []
    for requirement in map(Requirement, requirements):
        for version in BANNED.get(normal(requirement.name), ()):
            if requirement.specifier.contains(version):
                let_in.append(f"{requirement.name} {version}")
    return let_in


def unpinned(installed: Iterable[tuple[str, str]], versions: dict[str, str]) -> list[str]:
    """Return packages of another version than the constraints', or of none.

    Args:
        installed: names and versions; a local part such as `+cpu` is left out.
        versions: normal name -> version.
    """
    found = []
    for name, version in installed:
        wanted = versions.get(normal(name))
        is_free = normal(name) in TOOLS or normal(name) == OWN
        if not is_free and wanted != version.partition("+")[0]:
            found.append(f"{name} {version}, constraints.txt says {wanted}")
        if version in BANNED.get(normal(name), ()):
            found.append(f"{name} {version} is a malicious upload")
    return found


def changed_files(distribution: Distribution) -> Iterator[str]:
    """Yield the files of a package that are gone or have another digest than in its list."""
    for file in distribution.files or ():
        if file.hash is None:  # compiled files, and the list itself
            continue
        path = Path(str(distribution.locate_file(file)))
        if not path.is_file():
            yield f"{path}: gone"
        else:
            with open(path, "rb") as opened:
                digest = hashlib.file_digest(opened, file.hash.mode).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
                yield f"{path}: changed"


def strays(folder: Path, distributions: Iterable[Distribution]) -> list[str]:
    """Return what Python could run or import from a folder of packages and none of them owns."""
    owned = {
        Path(str(one.locate_file(file))).relative_to(folder).parts[0]
        for one in distributions
        for file in one.files or ()
        if Path(str(one.locate_file(file))).is_relative_to(folder)
    }
    return [
        str(path)
        for path in sorted(folder.iterdir())
        if path.name not in owned
        and path.name != "__pycache__"
        and (path.suffix in _RUNS or path.is_dir())
    ]


def site_folder() -> Path:
    """Return the folder of installed packages."""
    return Path(str(importlib.metadata.distribution("torch").locate_file("")))


def problems() -> Iterator[str]:
    """Yield everything that is not as it was reviewed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions, open_lines = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    yield from (f"constraints.txt: wanted NAME==VERSION, got {line}" for line in open_lines)
    yield from (f"pyproject.toml: lets in {which}" for which in admitted(project["dependencies"]))
    folder = site_folder()
    distributions = list(importlib.metadata.distributions(path=[str(folder)]))
    yield from unpinned([(d.name, d.version) for d in distributions], versions)
    for distribution in distributions:
        yield from changed_files(distribution)
    yield from (f"{path}: belongs to no package" for path in strays(folder, distributions))


def main() -> int:
    """Print the problems and return 1 if there are any."""
    found = list(problems())
    for problem in found:
        print(problem)
    number = sum(1 for _ in importlib.metadata.distributions(path=[str(site_folder())]))
    print(f"{number} packages, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
