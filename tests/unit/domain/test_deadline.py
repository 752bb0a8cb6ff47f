"""How long there is, for whom."""

import asyncio

import pytest

from fastapi_easy.domain import deadline
from fastapi_easy.domain.deadline import Deadline


@pytest.fixture
def noted():
    five = Deadline(5)
    yield
    five.end()


def left() -> float:
    seconds = deadline.remaining_seconds()
    assert seconds is not None
    return seconds


def test_without_one_there_is_all_the_time():
    assert deadline.remaining_seconds() is None
    assert deadline.within(3) == 3


@pytest.mark.usefixtures("noted")
def test_a_wait_is_bounded_by_what_is_left():
    assert 4.5 < left() <= 5
    assert deadline.within(3) == 3
    assert 4.5 < deadline.within(30) <= 5


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize(("inner", "most"), [(1, 1), (60, 5)])
def test_the_sooner_of_two_counts_and_the_outer_one_comes_back(inner, most):
    nested = Deadline(inner)
    assert most - 0.5 < left() <= most

    nested.end()
    assert 4.5 < left() <= 5


def test_it_may_be_too_late():
    late = Deadline(-1)
    assert left() < 0
    assert deadline.within(3) == 0
    late.end()
    assert deadline.remaining_seconds() is None


async def test_a_task_that_outlives_the_call_is_freed_of_its_deadline():
    async def look() -> tuple[float | None, float | None]:
        before = deadline.remaining_seconds()
        await asyncio.sleep(0.01)
        return before, deadline.remaining_seconds()

    five = Deadline(5)
    task = asyncio.ensure_future(look())
    await asyncio.sleep(0)
    five.end()
    during, after = await task

    assert during is not None
    assert after is None
