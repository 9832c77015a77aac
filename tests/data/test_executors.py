from collections.abc import Iterator

import pytest

from rrnn_lit.data.executors import PlainLoop, in_order, run_tasks


class Given:
    def __init__(self, value: int) -> None:
        self.value = value

    def result(self) -> int:
        return self.value


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_tasks_are_taken_than_may_wait(most: int) -> None:
    taken = []

    def tasks() -> Iterator[int]:
        for number in range(10):
            taken.append(number)
            yield number

    results = in_order(Given, tasks(), lambda: most)
    assert next(results) == 0
    assert len(taken) == most
    assert list(results) == list(range(1, 10))


def test_a_plain_loop_takes_a_task_when_its_result_is_wanted() -> None:
    taken: list[int] = []
    results = run_tasks(taken.append, iter(range(5)), PlainLoop())
    next(results)
    assert taken == [0]
