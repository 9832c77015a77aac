import subprocess
import sys

import pytest

import rrnn_lit


def test_import_loads_nothing_heavy() -> None:
    code = (
        "import sys; import rrnn_lit, rrnn_lit.cli; dir(rrnn_lit);"
        "heavy = {'torch', 'lightning', 'wandb', 'gensim', 'numpy', 'jsonargparse', 'matplotlib'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.slow
def test_training_does_not_load_wandb_before_it_is_used() -> None:
    code = "import sys; import rrnn_lit.training.lightning_cli; print('wandb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize("name", rrnn_lit.__all__)
def test_every_public_name_loads(name: str) -> None:
    assert getattr(rrnn_lit, name) is not None
    assert name in dir(rrnn_lit)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = rrnn_lit.nothing
