"""Who may wait, and who is sent away."""

import contextlib
import time

import pytest

from fastapi_easy.domain import UnavailableReason
from fastapi_easy.domain.ports import CallNotPermitted
from fastapi_easy.infrastructure.resilience.wait_queue import WaitQueue


def fill(line: WaitQueue[int]) -> None:
    """Let as many join as may."""
    with contextlib.suppress(CallNotPermitted):
        for each in range(1000, 2000):
            line.enqueue(each)


def test_they_leave_in_the_order_they_came():
    line = WaitQueue[int](60)
    for each in range(5):
        line.enqueue(each)
    line.cancel(1)
    line.cancel(9)

    assert (list(line), len(line), 1 in line, 2 in line) == ([0, 2, 3, 4], 4, False, True)
    assert [line.pop() for _ in range(4)] == [0, 2, 3, 4]


def test_it_grows_as_long_as_it_moves_fast_enough():
    line = WaitQueue[int](0.1)
    line.enqueue(0)
    for each in range(1, 60):
        line.enqueue(each)
        time.sleep(0.002)
        _ = line.pop()

    # Two milliseconds for each, at least: fifty of them would take too long.
    fill(line)
    assert 10 < len(line) <= 51


def test_while_what_is_waited_for_is_being_made_nobody_is_sent_away_and_nothing_is_learnt():
    is_warmed_up = False
    line = WaitQueue[int](0.02, lambda: is_warmed_up)
    line.enqueue(0)
    time.sleep(0.05)
    for each in range(1, 60):
        line.enqueue(each)
    for _ in range(59):
        _ = line.pop()

    is_warmed_up = True
    line.cancel(59)
    fill(line)

    # What went before would have said that each takes milliseconds.
    assert (len(line), line.shed) == (1000, 0)


def test_a_line_is_not_blamed_for_the_pace_of_an_earlier_one():
    line = WaitQueue[int](0.02)
    for each in range(3):
        line.enqueue(each)
    for _ in range(3):
        time.sleep(0.005)
        _ = line.pop()

    for each in range(60):
        line.enqueue(each)

    assert (len(line), line.shed) == (60, 0)


def test_nobody_joins_behind_one_who_has_waited_too_long():
    line = WaitQueue[int](0.01)
    line.enqueue(1)
    time.sleep(0.02)

    with pytest.raises(CallNotPermitted) as refused:
        line.enqueue(2)

    assert refused.value.reason is UnavailableReason.OVERLOAD
    assert 1 <= refused.value.retry_after < 3
    assert (list(line), line.shed) == ([1], 1)
    line.cancel(1)
    line.enqueue(3)
    assert list(line) == [3]


def test_who_stands_first_is_never_sent_away_and_sends_nobody_away():
    line = WaitQueue[int](0.05)
    line.enqueue(1)
    line.enqueue_first(2)
    time.sleep(0.06)
    line.enqueue_first(3)

    assert list(line) == [3, 2, 1]
    assert line.pop() == 3
    assert line.pop() == 2
    with pytest.raises(CallNotPermitted):
        line.enqueue(4)


def test_it_knows_how_long_they_stood():
    line = WaitQueue[int](60)
    for each in range(3):
        line.enqueue(each)
    time.sleep(0.02)
    _ = line.pop()
    line.cancel(1)
    line.cancel(1)

    assert line.waited == 2
    assert 0.04 <= line.wait_seconds < 1
