"""A limit on a wait that is mostly none."""

import asyncio
import types
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float, work: Awaitable[T]) -> T:
    """What *work* answers, as inside of `asyncio.timeout`, whose 5 µs are saved when it need not wait.

    Args:
        seconds: How long it may take.

        work: A body that has come already, say.

    Raises:
        TimeoutError: It took longer.
    """
    if not isinstance(work, types.CoroutineType):
        async with asyncio.timeout(seconds):
            return await work
    coroutine: Coroutine[Any, Any, T] = work
    try:
        waits_for = coroutine.send(None)
    except StopIteration as done:
        answer: T = done.value
        return answer
    async with asyncio.timeout(seconds):
        return await _rest_of(coroutine, waits_for)


@types.coroutine
def _rest_of(coroutine: Coroutine[Any, Any, T], waits_for: Any) -> Generator[Any, Any, T]:
    """Go on with *coroutine*, which was begun and *waits_for* something."""
    try:
        while True:
            try:
                heard = yield waits_for
            except BaseException as error:  # noqa: BLE001 - it is for the coroutine, a cancellation above all
                waits_for = coroutine.throw(error)
            else:
                waits_for = coroutine.send(heard)
    except StopIteration as done:
        answer: T = done.value
        return answer
