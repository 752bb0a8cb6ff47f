"""What is made again, how often, and who pays."""

import asyncio
from collections.abc import Callable

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain import (
    Deadlock,
    LockWaitTimeout,
    NotFound,
    Outcome,
    OutcomeUnknown,
    SerializationConflict,
    Unavailable,
    UnavailableReason,
)
from fastapi_easy.domain.deadline import Deadline
from fastapi_easy.domain.ports import Retry
from fastapi_easy.domain.ports.retry import CountsFailures
from fastapi_easy.infrastructure.resilience.budgeted_retry import BudgetedRetry, RetryLimits
from fastapi_easy.testing import FrozenClock

QUICK = RetryLimits(pause=0.0001, longest_pause=0.0005)
SILENT = Failure(Unavailable("main"))


class Line:
    """Answers as told, one call after the other, and then the last for ever."""

    def __init__(self, *outcomes: Outcome[int]) -> None:
        self._outcomes = list(outcomes)
        self.asked = 0

    async def __call__(self) -> Outcome[int]:
        self.asked += 1
        return self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]


async def made(retry: Retry, call: Callable[[], object]) -> Outcome[int]:
    """What a call comes to, as the step makes it."""
    return await retry.repeat("main", call, await call(), 1)


async def test_a_transient_failure_is_retried_until_it_succeeds():
    line = Line(SILENT, Failure(Unavailable("main", reason=UnavailableReason.CONFLICT)), Success(1))

    assert await made(BudgetedRetry(QUICK), line) == Success(1)
    assert line.asked == 3


async def test_retries_no_more_often_than_the_limit():
    line = Line(SILENT)

    assert await made(BudgetedRetry(QUICK), line) == SILENT
    assert line.asked == 3


async def test_failed_attempts_are_counted_by_why_and_by_whether_another_followed():
    retry = BudgetedRetry(QUICK)

    _ = await made(retry, Line(Failure(Deadlock("main")), Failure(SerializationConflict("main")), Success(1)))
    _ = await made(retry, Line(Failure(Deadlock("main"))))
    _ = await made(retry, Line(Failure(LockWaitTimeout("main"))))
    _ = await made(retry, Line(Failure(Unavailable("main", reason=UnavailableReason.ACCESS_DENIED))))

    assert isinstance(retry, CountsFailures)
    assert retry.failures == {
        ("main", "deadlock", True): 3,
        ("main", "serialization_conflict", True): 1,
        ("main", "deadlock", False): 1,
        ("main", "lock_wait_timeout", False): 1,
        ("main", "access_denied", False): 1,
    }


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(Success(1), id="success"),
        pytest.param(Failure(NotFound("books", 1)), id="an answer"),
        pytest.param(Failure(OutcomeUnknown("main")), id="nobody knows"),
        *(
            pytest.param(Failure(Unavailable("main", reason=each)), id=each.name.lower())
            for each in (
                UnavailableReason.TIMEOUT,
                UnavailableReason.OVERLOAD,
                UnavailableReason.CIRCUIT_OPEN,
            )
        ),
    ],
)
async def test_other_failures_are_not_retried(outcome):
    line = Line(outcome)

    assert await made(BudgetedRetry(QUICK), line) == outcome
    assert line.asked == 1


async def test_one_attempt_means_no_retry():
    line = Line(SILENT)

    assert await made(BudgetedRetry(RetryLimits(attempts=1)), line) == SILENT
    assert line.asked == 1


async def test_retries_do_not_multiply_an_outage():
    line = Line(SILENT)
    retry = BudgetedRetry(QUICK, FrozenClock().monotonic)

    _ = await asyncio.gather(*(made(retry, line) for _ in range(2000)))

    print(f"2,000 calls in an outage reach the dependency {line.asked} times (6,000 without a budget)")
    # Those that were saved up, and one for ten calls.
    assert line.asked <= 2000 + 20 + 200


async def test_a_few_failures_are_all_retried():
    clock = FrozenClock()
    retry = BudgetedRetry(QUICK, clock.monotonic)
    asked = 0

    async def call() -> Outcome[int]:
        nonlocal asked
        asked += 1
        return SILENT if asked % 20 == 0 else Success(1)

    outcomes = [await made(retry, call) for _ in range(2000)]

    print(f"2,000 calls of which one in twenty fails: {asked} attempts")
    assert outcomes == [Success(1)] * 2000
    assert asked <= 2000 * 1.06


async def test_each_dependency_has_a_budget_of_its_own():
    retry = BudgetedRetry(
        RetryLimits(burst=1, retry_ratio=0, min_retries_per_second=0, pause=0.0001), FrozenClock().monotonic
    )
    one, other = Line(SILENT), Line(SILENT)

    _ = await made(retry, one), await made(retry, one)
    _ = await retry.repeat("other", other, await other(), 1)

    assert (one.asked, other.asked) == (3, 2)
    assert retry.retries == {"main": 1, "other": 1}


async def test_time_refills_the_budget():
    clock = FrozenClock()
    retry = BudgetedRetry(
        RetryLimits(burst=2, retry_ratio=0, min_retries_per_second=1, pause=0.0001), clock.monotonic
    )
    line = Line(SILENT)
    for _ in range(3):
        _ = await made(retry, line)
    spent = line.asked

    clock.advance(1)
    _ = await made(retry, line)

    assert (spent, line.asked) == (5, 7)


async def test_no_retry_waits_beyond_the_deadline():
    line = Line(SILENT)
    retry = BudgetedRetry(RetryLimits(pause=5, longest_pause=5))
    limit = Deadline(0.05)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        assert await made(retry, line) == SILENT
    finally:
        limit.end()

    assert loop.time() - begun < 0.2


async def test_a_cancellation_passes():
    retry = BudgetedRetry(RetryLimits(pause=5_000, longest_pause=5_000))
    line = Line(SILENT)
    task = asyncio.ensure_future(made(retry, line))
    await asyncio.sleep(0.01)
    _ = task.cancel()

    with pytest.raises(asyncio.CancelledError):
        _ = await task
    assert line.asked == 1
