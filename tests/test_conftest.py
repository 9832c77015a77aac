import pytest
import torch

from tests.conftest import pytest_runtest_setup


@pytest.mark.parametrize("available", [False, True])
def test_gpu_tests_skip_without_cuda(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, available: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    pytest_runtest_setup(request.node)  # not marked
    request.node.add_marker("gpu")
    if available:
        pytest_runtest_setup(request.node)
        return
    with pytest.raises(pytest.skip.Exception, match="needs CUDA"):
        pytest_runtest_setup(request.node)
