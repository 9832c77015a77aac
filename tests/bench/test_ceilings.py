import torch

from rrnn_lit.bench.ceilings import measure_ceilings


def test_ceilings_are_rates_of_each_number_format_and_of_copies() -> None:
    ceilings = measure_ceilings(torch.device("cpu"), gemm_size=64, copy_bytes=1 << 16, seconds=0)
    assert ceilings.flop_per_second.keys() == {"fp32", "bf16", "fp16", "int8"}
    # between a pocket calculator and a hundred thousand large GPUs
    rates = [*ceilings.flop_per_second.values(), ceilings.bytes_per_second]
    assert all(1e4 < rate < 1e21 for rate in rates)
    assert ceilings.cache_bytes >= 1 << 15


def test_measuring_puts_the_setting_of_products_back() -> None:
    before = torch.get_float32_matmul_precision()
    measure_ceilings(torch.device("cpu"), gemm_size=32, copy_bytes=1 << 12, seconds=0)
    assert torch.get_float32_matmul_precision() == before


def test_a_process_measures_once() -> None:
    first = measure_ceilings(torch.device("cpu"), 16, 1 << 10, 0)
    assert measure_ceilings(torch.device("cpu"), 16, 1 << 10, 0) is first
