import pytest

from rrnn_lit.search.endings import Ending, judge


@pytest.mark.parametrize(
    ("code", "reason", "detail"),
    [
        (71, "oom", "exit code 71"),
        (79, "nan", "exit code 79"),
        (64, "config", "exit code 64"),
        (65, "data", "exit code 65"),
        (80, "refused", "exit code 80"),
    ],
)
def test_an_end_that_would_come_again_fails_at_once(code: int, reason: str, detail: str) -> None:
    assert judge(code, None, []) == Ending(reason, "fail", False, detail)


@pytest.mark.parametrize(
    ("code", "reason", "most"),
    [
        (-9, "killed", 3),
        (-11, "killed", 3),
        (76, "killed", 3),
        (1, "error", 1),
        (74, "error", 1),
        (130, "error", 1),
    ],
)
def test_an_end_by_bad_luck_is_retried_so_often(code: int, reason: str, most: int) -> None:
    others = ["preempted", "interrupted", "hung"]
    for number in range(most):
        ending = judge(code, None, [*others, *[reason] * number])
        assert (ending.reason, ending.verdict, ending.counted) == (reason, "retry", True)
    ending = judge(code, None, [*others, *[reason] * most])
    assert (ending.reason, ending.verdict) == (reason, "fail")


@pytest.mark.parametrize("code", [-15, -9, 75, 1, 71])
@pytest.mark.parametrize(
    ("asked", "verdict", "counted"),
    [
        ("pruned", "pruned", False),
        ("timeout", "fail", False),
        ("hung", "retry", True),
        ("interrupted", "retry", False),
        ("lost", "retry", False),
    ],
)
def test_a_stopped_child_ends_for_the_reason_it_was_stopped(
    asked: str, verdict: str, counted: bool, code: int
) -> None:
    ending = judge(code, asked, [])
    assert (ending.reason, ending.verdict, ending.counted) == (asked, verdict, counted)


def test_hanging_twice_is_a_failure() -> None:
    assert judge(-15, "hung", ["killed", "hung"]).verdict == "fail"


def test_preemption_is_retried_for_ever() -> None:
    assert judge(75, None, ["preempted"] * 50) == Ending(
        "preempted", "retry", False, "exit code 75"
    )


@pytest.mark.parametrize("asked", [None, "pruned", "timeout", "hung", "interrupted"])
def test_a_run_that_came_to_its_end_is_complete(asked: str | None) -> None:
    assert judge(0, asked, ["killed"]).verdict == "complete"


@pytest.mark.parametrize(
    ("code", "text"), [(3, "exit code 3"), (-9, "killed by SIGKILL"), (-40, "killed by signal 40")]
)
def test_the_detail_says_how_the_process_ended(code: int, text: str) -> None:
    assert judge(code, None, []).detail == text
