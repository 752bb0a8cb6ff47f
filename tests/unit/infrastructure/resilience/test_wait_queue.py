"""Which waiters are queued, and which are rejected."""

import contextlib

import pytest

from fastapi_easy.domain import UnavailableReason
from fastapi_easy.domain.ports import CallNotPermitted
from fastapi_easy.infrastructure.resilience.wait_queue import FixedSupply, WaitQueue
from fastapi_easy.testing import FrozenClock


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
    clock = FrozenClock()
    queue = WaitQueue[int](0.1, now=clock.monotonic)
    queue.enqueue(0)
    for each in range(1, 60):
        queue.enqueue(each)
        clock.advance(0.002)
        _ = queue.pop()

    # Two milliseconds for each: fifty of them would take too long.
    fill(queue)
    assert len(queue) == 50


def test_more_connections_serve_a_longer_queue():
    clock = FrozenClock()
    queue = WaitQueue[int](0.3, FixedSupply(10), now=clock.monotonic)
    for each in range(110):
        queue.enqueue(each)
    for _ in range(10):
        # Ten connections, each held for twenty milliseconds, come back together.
        clock.advance(0.02)
        for _ in range(10):
            _ = queue.pop()

    fill(queue)

    # Fifteen rounds of ten.
    assert 140 <= len(queue) <= 170


def test_a_burst_is_not_rejected_before_anybody_could_be_served():
    clock = FrozenClock()
    queue = WaitQueue[int](0.5, FixedSupply(10), now=clock.monotonic)
    for each in range(900):
        queue.enqueue(each)
        clock.advance(0.0001)

    assert (len(queue), queue.shed) == (900, 0)


def test_a_queue_that_has_not_moved_yet_is_judged_by_how_long_it_has_stood():
    clock = FrozenClock()
    queue = WaitQueue[int](0.5, FixedSupply(10), now=clock.monotonic)
    for each in range(40):
        queue.enqueue(each)
    clock.advance(0.2)

    # Ten connections have been held for a tenth of a second at least, besides what the process may have needed: the
    # fortieth is served in 0.4 s at the soonest, and the fifty-first would wait for more than half a second.
    fill(queue)
    assert len(queue) == 50
    clock.advance(0.1)
    assert queue.refuses()
    assert queue.shed == 2


def test_what_an_earlier_queue_has_taught_counts_when_the_next_one_does_not_move():
    clock = FrozenClock()
    queue = WaitQueue[int](0.5, now=clock.monotonic)
    queue.enqueue(0)
    queue.enqueue(1)
    for _ in range(2):
        clock.advance(0.1)
        _ = queue.pop()

    # It may be for quicker calls.
    for each in range(60):
        queue.enqueue(each)
    assert queue.shed == 0
    clock.advance(0.03)
    assert queue.refuses()
    # It was.
    _ = queue.pop()
    clock.advance(0.001)
    for _ in range(30):
        _ = queue.pop()
        clock.advance(0.001)
    assert not queue.refuses()


def test_who_was_let_in_on_trust_is_rejected_when_it_would_wait_in_vain():
    clock = FrozenClock()
    queue = WaitQueue[int](0.5, now=clock.monotonic)
    for each in range(400):
        queue.enqueue(each)
    hopeless = []
    for _ in range(5):
        clock.advance(0.01)
        _ = queue.pop()
        while (last := queue.pop_hopeless(2.0)) is not None:
            hopeless.append(last)

    # Of a hundred turns a second there are as many as the last may still wait for.
    assert (len(queue), queue.shed) == (194, 201)
    assert hopeless == list(range(399, 198, -1))
    # Those who are left are served in time.
    for _ in range(194):
        clock.advance(0.01)
        _ = queue.pop()
        assert queue.pop_hopeless(2.0) is None


def test_a_process_that_did_not_run_for_a_while_rejects_nobody_when_it_goes_on():
    clock = FrozenClock()
    queue = WaitQueue[int](0.5, FixedSupply(10), now=clock.monotonic)
    for each in range(200):
        queue.enqueue(each)
    for each in range(200, 400):
        clock.advance(0.001)
        _ = queue.pop()
        queue.enqueue(each)

    # The first has waited for longer than half a second by then.
    clock.advance(0.6)
    _ = queue.pop()

    for each in range(400, 500):
        queue.enqueue(each)
        clock.advance(0.001)
        _ = queue.pop()
    assert (len(queue), queue.shed) == (199, 0)


def test_refusing_beforehand_counts_as_shedding_and_does_not_while_nobody_waits():
    told: list[int] = []
    clock = FrozenClock()
    queue = WaitQueue[int](0.01, on_shed=lambda: told.append(1), now=clock.monotonic)
    assert not queue.refuses()
    queue.enqueue(1)
    assert not queue.refuses()
    clock.advance(0.02)

    assert queue.refuses()
    assert (queue.shed, told, list(queue)) == (1, [1], [1])
    queue.cancel(1)
    assert not queue.refuses()


def test_waiters_are_rejected_when_the_first_has_waited_too_long():
    clock = FrozenClock()
    queue = WaitQueue[int](0.01, now=clock.monotonic)
    queue.enqueue(1)
    clock.advance(0.02)

    with pytest.raises(CallNotPermitted) as refused:
        queue.enqueue(2)

    assert refused.value.reason is UnavailableReason.OVERLOAD
    assert 1 <= refused.value.retry_after < 3
    assert (list(queue), queue.shed) == ([1], 1)
    queue.cancel(1)
    queue.enqueue(3)
    assert list(queue) == [3]


def test_a_waiter_put_first_is_not_rejected_and_causes_no_rejection():
    clock = FrozenClock()
    queue = WaitQueue[int](0.05, now=clock.monotonic)
    queue.enqueue(1)
    queue.enqueue_first(2)
    clock.advance(0.06)
    queue.enqueue_first(3)

    assert list(queue) == [3, 2, 1]
    assert queue.pop() == 3
    assert queue.pop() == 2
    clock.advance(0.05)
    with pytest.raises(CallNotPermitted):
        queue.enqueue(4)


def test_waits_are_counted_and_measured():
    clock = FrozenClock()
    queue = WaitQueue[int](60, now=clock.monotonic)
    for each in range(3):
        queue.enqueue(each)
    clock.advance(0.02)
    _ = queue.pop()
    queue.cancel(1)
    queue.cancel(1)

    assert queue.waited == 2
    assert queue.wait_seconds == pytest.approx(0.04)
