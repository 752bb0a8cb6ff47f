"""Who may wait, and who is sent away."""

import contextlib
import time

import pytest

from fastapi_easy.domain import Obstacle
from fastapi_easy.domain.ports import NotAdmitted
from fastapi_easy.infrastructure.resilience.wait_queue import WaitingLine


def fill(line: WaitingLine[int]) -> None:
    """Let as many join as may."""
    with contextlib.suppress(NotAdmitted):
        for each in range(1000, 2000):
            line.join(each)


def test_they_leave_in_the_order_they_came():
    line = WaitingLine[int](60)
    for each in range(5):
        line.join(each)
    line.leave(1)
    line.leave(9)

    assert (list(line), len(line), 1 in line, 2 in line) == ([0, 2, 3, 4], 4, False, True)
    assert [line.pop() for _ in range(4)] == [0, 2, 3, 4]


def test_it_grows_as_long_as_it_moves_fast_enough():
    line = WaitingLine[int](0.1)
    line.join(0)
    for each in range(1, 60):
        line.join(each)
        time.sleep(0.002)
        _ = line.pop()

    # Two milliseconds for each, at least: fifty of them would take too long.
    fill(line)
    assert 10 < len(line) <= 51


def test_while_what_is_waited_for_is_being_made_nobody_is_sent_away_and_nothing_is_learnt():
    is_steady = False
    line = WaitingLine[int](0.02, lambda: is_steady)
    line.join(0)
    time.sleep(0.05)
    for each in range(1, 60):
        line.join(each)
    for _ in range(59):
        _ = line.pop()

    is_steady = True
    line.leave(59)
    fill(line)

    # What went before would have said that each takes milliseconds.
    assert (len(line), line.shed) == (1000, 0)


def test_a_line_is_not_blamed_for_the_pace_of_an_earlier_one():
    line = WaitingLine[int](0.02)
    for each in range(3):
        line.join(each)
    for _ in range(3):
        time.sleep(0.005)
        _ = line.pop()

    for each in range(60):
        line.join(each)

    assert (len(line), line.shed) == (60, 0)


def test_nobody_joins_behind_one_who_has_waited_too_long():
    line = WaitingLine[int](0.01)
    line.join(1)
    time.sleep(0.02)

    with pytest.raises(NotAdmitted) as refused:
        line.join(2)

    assert refused.value.obstacle is Obstacle.OVERLOAD
    assert 1 <= refused.value.retry_after < 3
    assert (list(line), line.shed) == ([1], 1)
    line.leave(1)
    line.join(3)
    assert list(line) == [3]


def test_who_stands_first_is_never_sent_away_and_sends_nobody_away():
    line = WaitingLine[int](0.05)
    line.join(1)
    line.join_first(2)
    time.sleep(0.06)
    line.join_first(3)

    assert list(line) == [3, 2, 1]
    assert line.pop() == 3
    assert line.pop() == 2
    with pytest.raises(NotAdmitted):
        line.join(4)


def test_it_knows_how_long_they_stood():
    line = WaitingLine[int](60)
    for each in range(3):
        line.join(each)
    time.sleep(0.02)
    _ = line.pop()
    line.leave(1)
    line.leave(1)

    assert line.stood == 2
    assert 0.04 <= line.seconds < 1
