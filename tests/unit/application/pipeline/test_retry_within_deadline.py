"""What gets an end, and what is made again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.application import NOBODY, Context
from fastapi_easy.application.pipeline.retry_within_deadline import retry_within_deadline
from fastapi_easy.domain import (
    DeadlineExceeded,
    NotFound,
    Operation,
    Outcome,
    OutcomeUnknown,
    Unavailable,
    deadline,
)
from fastapi_easy.testing import FrozenClock
from tests.unit.application.fakes import target_of

SILENT = Failure(Unavailable("default"))


class Once:
    """Makes a call again, once, and remembers for whom."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    async def repeat(
        self, dependency: str, call: Callable[[], Awaitable[Outcome[Any]]], failed: Outcome[Any], calls: int
    ) -> Outcome[Any]:
        self.asked.append((dependency, calls))
        return await call()


class Handling:
    """A handler that answers as told, and notes how much time it had."""

    def __init__(self, *outcomes: Outcome[Any]) -> None:
        self._outcomes = list(outcomes)
        self.left: list[float | None] = []

    async def __call__(self, command: Any, context: Context, /) -> Outcome[Any]:
        self.left.append(deadline.remaining_seconds())
        return self._outcomes.pop(0)


def wrapped(handling: Handling, action: str, retry: Once | None = None, clock: Any = None) -> Any:
    retries = retry or Once()
    step = retry_within_deadline(lambda: retries, clock or FrozenClock(), 30.0)
    return step(target_of(action), handling)


@pytest.mark.parametrize(
    "action", [each for each in Operation if each not in {"export", "import", "changes"}]
)
async def test_an_unavailable_call_is_retried(action):
    handling, retry = Handling(Success(0), SILENT, Success(1), SILENT, Success(2)), Once()
    call = wrapped(handling, action, retry)

    assert [await call(None, NOBODY) for _ in range(3)] == [Success(0), Success(1), Success(2)]
    assert retry.asked == [("default", 2), ("default", 1)]


@pytest.mark.parametrize("action", ["export", "import", "changes", "cancel"])
async def test_streams_and_actions_are_not_retried(action):
    handling, retry = Handling(SILENT), Once()

    assert await wrapped(handling, action, retry)(None, NOBODY) == SILENT
    assert retry.asked == []


async def test_other_errors_are_returned_unchanged():
    handling = Handling(Failure(NotFound("books", 1)))

    assert await wrapped(handling, "get")(None, NOBODY) == Failure(NotFound("books", 1))


@pytest.mark.parametrize(
    ("action", "given", "most"),
    [
        pytest.param("get", None, 30, id="the usual"),
        pytest.param("cancel", None, 30, id="the usual of an action"),
        pytest.param("get", 4.0, 4, id="the caller's"),
        pytest.param("export", 4.0, 4, id="the caller's of a stream"),
        pytest.param("export", None, None, id="none of a stream"),
    ],
)
async def test_every_call_has_a_deadline(action, given, most):
    handling, clock = Handling(Success(1)), FrozenClock()
    clock.advance(100)
    context = Context(deadline=None if given is None else 100 + given)

    _ = await wrapped(handling, action, clock=clock)(None, context)

    (left,) = handling.left
    assert (left is None) == (most is None)
    assert most is None or most - 1 < left <= most
    assert deadline.remaining_seconds() is None


async def test_a_call_past_its_deadline_is_not_started():
    handling, clock = Handling(), FrozenClock()
    clock.advance(100)

    outcome = await wrapped(handling, "create", clock=clock)(None, Context(deadline=100.0))

    assert outcome == Failure(DeadlineExceeded("default"))
    assert handling.left == []


@pytest.mark.parametrize("action", ["create", "cancel"])
@pytest.mark.parametrize(
    ("came_to", "answered"),
    [
        pytest.param(SILENT, Failure(DeadlineExceeded("default")), id="what came to nothing"),
        pytest.param(Success(1), Success(1), id="what was done"),
        pytest.param(Failure(NotFound("books", 1)), Failure(NotFound("books", 1)), id="what was refused"),
        pytest.param(
            Failure(OutcomeUnknown("default")), Failure(OutcomeUnknown("default")), id="what nobody knows"
        ),
    ],
)
async def test_past_the_deadline_only_unavailable_becomes_deadline_exceeded(action, came_to, answered):
    clock = FrozenClock()
    retry = Once()

    async def slow(command: Any, context: Context, /) -> Outcome[Any]:
        await asyncio.sleep(0.03)
        return came_to

    step = retry_within_deadline(lambda: retry, clock, 30.0)
    context = Context(deadline=clock.monotonic() + 0.02)

    assert await step(target_of(action), slow)(None, context) == answered


async def test_unavailable_before_the_deadline_stays_unavailable():
    assert await wrapped(Handling(SILENT), "cancel")(None, NOBODY) == SILENT
