import numpy as np
import pytest

from rrnn_lit.data.deduplicate import (
    DUPLICATE,
    HOLDOUT,
    LEFT_OUT,
    TEST,
    TRAIN,
    TUNE,
    Assignment,
    Digests,
    Shares,
    assign_splits,
    digest_lines,
    first_occurrences,
    look_at_range,
)

SHARES = Shares(0.1, 0.1, 0.1, 1000)


def shards(seed: int, num_shards: int = 4, size: int = 300) -> list[list[str]]:
    generator = np.random.default_rng(seed)
    return [[f"line {n}" for n in generator.integers(0, 500, size)] for _ in range(num_shards)]


def assign(digests: list[Digests], shares: Shares) -> Assignment:
    """Assign with all digests in one range."""
    together = np.concatenate(digests)
    result = look_at_range(together, np.arange(len(together)), shares)
    return assign_splits([result], [len(shard) for shard in digests], shares)


def split_of(lines: list[list[str]], shares: Shares) -> dict[str, int]:
    codes = assign([digest_lines(shard) for shard in lines], shares).codes
    pairs = zip(sum(lines, []), np.concatenate(codes).tolist(), strict=True)
    return {line: code for line, code in pairs if code != DUPLICATE}


def test_first_occurrences_are_those_of_a_set() -> None:
    lines = sum(shards(1), [])
    result = look_at_range(digest_lines(lines), np.arange(len(lines)), None)
    seen: set[str] = set()
    for line, first in zip(lines, first_occurrences([result], len(lines)), strict=True):
        assert first == (line not in seen)
        seen.add(line)


def test_each_distinct_line_is_in_exactly_one_split_of_about_its_share() -> None:
    lines = [[f"sentence {i}" for i in range(20_000)]]
    split = np.array(list(split_of(lines, Shares(0.1, 0.2, 0.05, 10_000)).values()))
    shares = np.bincount(split, minlength=4) / 20_000
    np.testing.assert_allclose(shares, [0.65, 0.1, 0.2, 0.05], atol=0.01)


def test_more_text_moves_no_line_to_another_split() -> None:
    few = split_of(shards(2, 2), SHARES)
    more = split_of([*shards(3, 3), *shards(2, 2)], SHARES)
    assert {line: more[line] for line in few} == few


def test_more_text_under_a_cap_only_leaves_lines_out() -> None:
    capped = Shares(0.1, 0.1, 0.1, 12)
    few, more = split_of(shards(2, 2), capped), split_of([*shards(3, 3), *shards(2, 2)], capped)
    moved = {(few[line], more[line]) for line in few if few[line] != more[line]}
    assert moved == {(TUNE, LEFT_OUT), (TEST, LEFT_OUT), (HOLDOUT, LEFT_OUT)}


def test_cap_keeps_the_smallest_digests_and_counts_the_rest() -> None:
    lines = [f"sentence {i}" for i in range(1000)]
    digests = digest_lines(lines)
    result = assign([digests], Shares(0.1, 0.1, 0.1, 20))
    wanted = sorted(digests[:, 0].tolist())[:20]  # tune is the lowest tenth
    assert sorted(digests[result.codes[0] == TUNE, 0].tolist()) == wanted
    below = int((digests[:, 0] < np.uint64(2**64 // 10)).sum())
    assert (
        result.num_left_out[TUNE]
        == below - 20
        == int((result.codes[0] == LEFT_OUT).sum())
        - (result.num_left_out[TEST] + result.num_left_out[HOLDOUT])
    )


@pytest.mark.parametrize("cap", [5, 1000])
def test_order_of_an_evaluation_split_is_by_digest(cap: int) -> None:
    lines = shards(5)
    digests = [digest_lines(shard) for shard in lines]
    result = assign(digests, Shares(0.1, 0.1, 0.1, cap))
    for split in (TUNE, TEST, HOLDOUT):
        highs = [int(digests[shard][line, 0]) for shard, line in result.order[split].tolist()]
        assert highs == sorted(highs)
        assert len(highs) == sum(int((codes == split).sum()) for codes in result.codes) > 0
        assert len(highs) <= cap


def test_train_is_what_is_left() -> None:
    codes = split_of(shards(6), SHARES)
    assert set(codes.values()) == {TRAIN, TUNE, TEST, HOLDOUT}
