import sys

import pytest

from rrnn_lit.text.packages import check_packages


def test_missing_packages_are_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    check_packages()
    for name in ("anyascii", "py3langid"):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    wanted = r"extra `prep`, got no anyascii, py3langid; run pip install 'rrnn_lit\[prep\]'"
    with pytest.raises(ValueError, match=wanted):
        check_packages()
