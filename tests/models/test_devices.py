import pytest
import torch

from rrnn_lit.models.devices import device_of


@pytest.mark.parametrize("name", ["cpu", torch.device("cpu")])
def test_a_device_that_is_here_is_given(name: str | torch.device) -> None:
    assert device_of(name) == torch.device("cpu")


@pytest.mark.parametrize(("num_devices", "wanted"), [(0, "cpu"), (2, "cuda")])
def test_auto_is_cuda_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, num_devices: int, wanted: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: num_devices > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: num_devices)
    assert device_of("auto") == torch.device(wanted)


@pytest.mark.parametrize("name", ["meta", "gpu", "", "cuda:x", "xpu"])
def test_another_name_is_refused_with_the_option(name: str) -> None:
    with pytest.raises(ValueError, match=f"--device: wanted cpu, cuda or cuda:N, got '{name}'"):
        device_of(name, option="--device")


@pytest.mark.parametrize("name", ["cuda:2", "cuda:7"])
def test_a_device_that_is_not_here_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match=f"wanted one of the 2 CUDA devices here, got {name}"):
        device_of(name)
    assert device_of("cuda:1") == torch.device("cuda:1")
