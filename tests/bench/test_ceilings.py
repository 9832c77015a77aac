from collections.abc import Callable, Iterator

import pytest
import torch

from rrnn_lit.bench.ceilings import matmul_precision, measure_ceilings

BEST = "rrnn_lit.bench.ceilings.best_seconds"
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _measure_anew() -> Iterator[None]:
    measure_ceilings.cache_clear()
    yield
    measure_ceilings.cache_clear()


def test_rates_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BEST, lambda call, device, seconds: 0.25)
    ceilings = measure_ceilings(CPU, gemm_size=10, copy_bytes=600, seconds=0)
    # 2 * 10^3 operations, 600 bytes read and 600 written, in a quarter of a second each
    assert ceilings.flop_per_second == dict.fromkeys(("fp32", "bf16", "fp16", "int8"), 8_000)
    assert ceilings.bytes_per_second == 4_800
    assert ceilings.cache_bytes >= 1 << 15


@pytest.mark.parametrize(("amx", "rate"), [(False, 16_000), (True, 8_000)])
def test_float32_has_the_rate_of_the_faster_library_that_keeps_float32(
    amx: bool, rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def best(call: Callable[[], object], device: torch.device, seconds: float) -> float:
        return 0.125 if torch.get_float32_matmul_precision() == "medium" else 0.25

    monkeypatch.setattr(BEST, best)
    # there oneDNN would compute in bfloat16
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    ceilings = measure_ceilings(CPU, gemm_size=10, copy_bytes=600, seconds=0)
    assert ceilings.flop_per_second["fp32"] == rate
    assert ceilings.flop_per_second["bf16"] == 8_000


def test_each_ceiling_can_be_measured() -> None:
    ceilings = measure_ceilings(CPU, gemm_size=64, copy_bytes=1 << 16, seconds=0)
    assert min(*ceilings.flop_per_second.values(), ceilings.bytes_per_second) > 0


def test_another_setting_of_products_is_put_back_after_an_error() -> None:
    before, seen = torch.get_float32_matmul_precision(), []

    @matmul_precision("medium")
    def fail() -> None:
        seen.append(torch.get_float32_matmul_precision())
        raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == ["medium"]
    assert torch.get_float32_matmul_precision() == before


def test_measuring_puts_the_setting_of_products_back() -> None:
    before = torch.get_float32_matmul_precision()
    measure_ceilings(CPU, gemm_size=32, copy_bytes=1 << 12, seconds=0)
    assert torch.get_float32_matmul_precision() == before


def test_a_process_measures_once() -> None:
    first = measure_ceilings(CPU, 16, 1 << 10, 0)
    assert measure_ceilings(CPU, 16, 1 << 10, 0) is first
