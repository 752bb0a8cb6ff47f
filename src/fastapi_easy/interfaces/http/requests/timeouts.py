"""A limit on a wait that is mostly none."""

import asyncio
import types
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


async def with_timeout(seconds: float, work: Awaitable[T]) -> T:
    """Await *work* as inside of `asyncio.timeout`, whose 5 µs are saved when it need not wait.

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
        pending = coroutine.send(None)
    except StopIteration as done:
        answer: T = done.value
        return answer
    async with asyncio.timeout(seconds):
        return await _resume(coroutine, pending)


@types.coroutine
def _resume(coroutine: Coroutine[Any, Any, T], pending: object) -> Generator[Any, Any, T]:
    """Go on with *coroutine*, which was begun and *pending* something."""
    try:
        while True:
            try:
                received = yield pending
            except BaseException as error:  # noqa: BLE001 - it is for the coroutine, a cancellation above all
                pending = coroutine.throw(error)
            else:
                pending = coroutine.send(received)
    except StopIteration as done:
        answer: T = done.value
        return answer
