"""No line of the package runs what a file says: calls that could are named, one by one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "rrnn_lit"
FILES = sorted(PACKAGE.rglob("*.py"))
# call -> what has to stand in it
WANTED = {
    "torch.load": "weights_only=True",
    "np.load": "allow_pickle=False",
    "numpy.load": "allow_pickle=False",
    "yaml.load": "Loader=yaml.SafeLoader",
}
NEVER = (
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.unsafe_load"),
    *("yaml.full_load", "torch.hub.load", "torch.package.PackageImporter"),
    *("KeyedVectors.load", "Word2Vec.load", "joblib.load", "shutil.unpack_archive"),
)
METHODS = (
    *("extractall", "load_from_checkpoint", "read_pickle", "allow_unsafe"),
    *("all_gather_object", "gather_object", "broadcast_object_list", "scatter_object_list"),
    "broadcast",  # of a strategy of Lightning
)
# the same word, for tensors
FINE = ("distributed.broadcast", "torch.distributed.broadcast")
MODULES = ("pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "tarfile")


def breaches(source: str) -> Iterator[str]:
    """Yield what a source does that could run what a file says."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from _bad_call(node)
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield str(node.module)


def _bad_call(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    given = {ast.unparse(keyword) for keyword in call.keywords}
    is_bad = (
        (name in WANTED and WANTED[name] not in given)
        or name in NEVER
        or (name.rpartition(".")[2] in METHODS and name not in FINE)
        or "shell=True" in given
        or "allow_pickle=True" in given
    )
    if is_bad:
        yield ast.unparse(call)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_runs_what_a_file_says(path: Path) -> None:
    assert list(breaches(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "torch.load(p)",
        "torch.load(p, weights_only=False)",
        "np.load(p)",
        "np.load(p, allow_pickle=True)",
        "yaml.load(t, Loader=yaml.Loader)",
        "eval(t)",
        "subprocess.run(t, shell=True)",
        "archive.extractall(p)",
        "Module.load_from_checkpoint(p)",
        "torch.distributed.all_gather_object(parts, own)",
        "trainer.strategy.broadcast(numbers)",
        "import pickle",
        "from joblib import load",
        "KeyedVectors.load(p)",
    ],
)
def test_a_breach_is_noticed(source: str) -> None:
    assert list(breaches(source)) != []


def test_tensors_may_be_sent() -> None:
    assert list(breaches("distributed.broadcast(tensor, src=0)")) == []
