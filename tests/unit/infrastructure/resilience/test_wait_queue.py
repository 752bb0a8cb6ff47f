"""Which waiters are queued, and which are rejected."""

import contextlib
import time

import pytest

from fastapi_easy.domain import UnavailableReason
from fastapi_easy.domain.ports import CallNotPermitted
from fastapi_easy.infrastructure.resilience.wait_queue import WaitQueue


def fill(queue: WaitQueue[int]) -> None:
    """Enqueue until a waiter is rejected."""
    with contextlib.suppress(CallNotPermitted):
        for each in range(1000, 2000):
            queue.enqueue(each)


def test_waiters_are_served_in_order():
    queue = WaitQueue[int](60)
    for each in range(5):
        queue.enqueue(each)
    queue.cancel(1)
    queue.cancel(9)

    assert (list(queue), len(queue), 1 in queue, 2 in queue) == ([0, 2, 3, 4], 4, False, True)
    assert [queue.pop() for _ in range(4)] == [0, 2, 3, 4]


def test_the_queue_grows_as_long_as_it_moves_fast_enough():
    queue = WaitQueue[int](0.1)
    queue.enqueue(0)
    for each in range(1, 60):
        queue.enqueue(each)
        time.sleep(0.002)
        _ = queue.pop()

    # Two milliseconds for each, at least: fifty of them would take too long.
    fill(queue)
    assert 10 < len(queue) <= 51


def test_during_warm_up_no_waiter_is_rejected_and_no_pace_is_learnt():
    is_warmed_up = False
    queue = WaitQueue[int](0.02, lambda: is_warmed_up)
    queue.enqueue(0)
    time.sleep(0.05)
    for each in range(1, 60):
        queue.enqueue(each)
    for _ in range(59):
        _ = queue.pop()

    is_warmed_up = True
    queue.cancel(59)
    fill(queue)

    # What went before would have said that each takes milliseconds.
    assert (len(queue), queue.shed) == (1000, 0)


def test_an_empty_queue_forgets_the_pace_of_the_earlier_one():
    queue = WaitQueue[int](0.02)
    for each in range(3):
        queue.enqueue(each)
    for _ in range(3):
        time.sleep(0.005)
        _ = queue.pop()

    for each in range(60):
        queue.enqueue(each)

    assert (len(queue), queue.shed) == (60, 0)


def test_waiters_are_rejected_when_the_first_has_waited_too_long():
    queue = WaitQueue[int](0.01)
    queue.enqueue(1)
    time.sleep(0.02)

    with pytest.raises(CallNotPermitted) as refused:
        queue.enqueue(2)

    assert refused.value.reason is UnavailableReason.OVERLOAD
    assert 1 <= refused.value.retry_after < 3
    assert (list(queue), queue.shed) == ([1], 1)
    queue.cancel(1)
    queue.enqueue(3)
    assert list(queue) == [3]


def test_a_waiter_put_first_is_not_rejected_and_causes_no_rejection():
    queue = WaitQueue[int](0.05)
    queue.enqueue(1)
    queue.enqueue_first(2)
    time.sleep(0.06)
    queue.enqueue_first(3)

    assert list(queue) == [3, 2, 1]
    assert queue.pop() == 3
    assert queue.pop() == 2
    with pytest.raises(CallNotPermitted):
        queue.enqueue(4)


def test_waits_are_counted_and_measured():
    queue = WaitQueue[int](60)
    for each in range(3):
        queue.enqueue(each)
    time.sleep(0.02)
    _ = queue.pop()
    queue.cancel(1)
    queue.cancel(1)

    assert queue.waited == 2
    assert 0.04 <= queue.wait_seconds < 1
