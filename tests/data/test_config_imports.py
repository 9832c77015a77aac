from pathlib import Path

import pytest

from rrnn_lit.data.config_imports import ALLOWED, is_allowed

SECURITY = Path(__file__).parents[2] / "SECURITY.md"


def test_the_page_on_security_has_the_list() -> None:
    text = SECURITY.read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith("| config, study")]
    packages = ("lightning.pytorch", "lightning.fabric")
    parts = {a for a in ALLOWED if not a.startswith(packages)}
    for package in packages:
        (said,) = [s for s in row.split(";") if f"of `{package}`" in s]
        own = [a.removeprefix(f"{package}.") for a in ALLOWED if a.startswith(package)]
        assert sorted(own) == sorted(name for name in said.split("`")[1::2] if "." not in name)
    assert [name for name in parts if f"`{name}`" not in row] == []


@pytest.mark.parametrize(
    "name",
    [
        "rrnn_lit.bench.faults.signals.SignalAt",  # it makes files and stops the run
        "rrnn_lit.cli.main",
        "lightning.fabric.utilities.cloud_io.get_filesystem",
        "torch.load",
    ],
)
def test_what_acts_beyond_a_training_is_not_on_the_list(name: str) -> None:
    assert not is_allowed(name)
