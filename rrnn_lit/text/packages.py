"""The optional packages behind raw text; training, evaluation and decoding do without them."""

from collections.abc import Sequence
from importlib.util import find_spec

_PACKAGES = ("anyascii", "nltk", "py3langid")  # the extra `prep` of pyproject.toml
KEEPING_PACKAGES = ("anyascii", "nltk")  # where no sentence is dropped for its language


def check_packages(packages: Sequence[str] = _PACKAGES) -> None:
    """Return if everything that text is processed with is installed.

    Raises:
        ValueError: names the missing packages and the command that installs them.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise ValueError(
            f"wanted the packages of the extra `prep`, got no {', '.join(missing)}; "
            "run pip install 'rrnn_lit[prep]'"
        )
