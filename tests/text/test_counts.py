from rrnn_lit.text.counts import StepCounts, merge_count_tables


def test_tables_are_summed_step_by_step() -> None:
    first = {"ascii": StepCounts(5, 2, 1).as_dict(), "length": StepCounts(4, 0, 3).as_dict()}
    second = {"ascii": StepCounts(10, 0, 0).as_dict(), "length": StepCounts(10, 0, 1).as_dict()}
    merged = merge_count_tables([first, second])
    assert merged == {
        "ascii": {"in": 15, "changed": 2, "dropped": 1},
        "length": {"in": 14, "changed": 0, "dropped": 4},
    }
    assert list(merged) == ["ascii", "length"]
    assert first["ascii"]["in"] == 5


def test_no_tables_give_an_empty_one() -> None:
    assert merge_count_tables([]) == {}
