"""What an observer is told: how long each call took and how it ended."""

import asyncio
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.context import NOBODY, Context
from fastapi_easy.application.pipeline.compose import compose
from fastapi_easy.application.pipeline.observe import observe
from fastapi_easy.application.pipeline.standard import standard_steps
from fastapi_easy.domain.errors import NotFound, Outcome
from fastapi_easy.domain.ports.observer import Observation
from fastapi_easy.infrastructure.resilience.budgeted_retry import BudgetedRetry, RetryLimits
from fastapi_easy.testing.clock import FrozenClock
from tests.unit.application.fakes import ADA, RecordingObserver, target_of

GET = target_of("get")


class Timed:
    """A handler that takes a while by the clock, then does as told."""

    def __init__(self, clock: FrozenClock, seconds: float, ending: Outcome[Any] | BaseException) -> None:
        self._clock = clock
        self._seconds = seconds
        self._ending = ending

    async def __call__(self, command: Any, context: Context, /) -> Outcome[Any]:
        self._clock.advance(self._seconds)
        if isinstance(self._ending, BaseException):
            raise self._ending
        return self._ending


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        pytest.param(Success("row"), None, id="success"),
        pytest.param(Success(None), None, id="success with nothing to say"),
        pytest.param(Failure(NotFound("orders", 9)), NotFound("orders", 9), id="failure"),
    ],
)
async def test_reports_duration_and_outcome(outcome: Outcome[Any], error: Any) -> None:
    clock, observer = FrozenClock(), RecordingObserver()
    handler = observe(lambda: observer, clock)(GET, Timed(clock, 0.25, outcome))

    answered = await handler("command", ADA)

    assert answered is outcome
    assert observer.observations == [Observation("orders", "get", 0.25, error, "call-1")]


async def test_reports_every_call_separately() -> None:
    clock, observer = FrozenClock(), RecordingObserver()
    handler = observe(lambda: observer, clock)(GET, Timed(clock, 0.5, Success("row")))

    _ = await handler("command", ADA)
    _ = await handler("command", NOBODY)

    assert observer.observations == [
        Observation("orders", "get", 0.5, None, "call-1"),
        Observation("orders", "get", 0.5, None, ""),
    ]


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(ZeroDivisionError("a defect"), id="an exception"),
        pytest.param(asyncio.CancelledError(), id="a cancellation"),
    ],
)
async def test_an_exception_passes_unobserved(ending: BaseException) -> None:
    clock, observer = FrozenClock(), RecordingObserver()
    handler = observe(lambda: observer, clock)(GET, Timed(clock, 0.25, ending))

    with pytest.raises(type(ending)) as raised:
        _ = await handler("command", ADA)

    assert raised.value is ending
    assert observer.observations == []


async def test_a_cancelled_task_stays_cancelled() -> None:
    observer = RecordingObserver()
    begun = asyncio.Event()

    async def endless(command: Any, context: Context, /) -> Outcome[Any]:
        begun.set()
        await asyncio.Event().wait()
        return Success(None)

    task = asyncio.ensure_future(observe(observer, FrozenClock())(GET, endless)("command", ADA))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert task.cancelled()
    assert observer.observations == []


async def test_the_standard_steps_observe() -> None:
    clock, observer = FrozenClock(), RecordingObserver()
    retry = BudgetedRetry(RetryLimits())
    handler = compose(
        standard_steps(lambda: observer, clock, lambda: retry, 30.0), GET, Timed(clock, 1.0, Success("row"))
    )

    outcome = await handler("command", ADA)

    assert outcome == Success("row")
    assert observer.observations == [Observation("orders", "get", 1.0, None, "call-1")]
