"""Waiting for work that cancellation must not interrupt."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def run_to_completion(work: Coroutine[Any, Any, T]) -> T:
    """Return what *work* answers. A task that is cancelled meanwhile is cancelled after its end."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            _ = await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        # Looked at, so that nobody is told it went unseen.
        _ = task.cancelled() or task.exception()
        raise asyncio.CancelledError
    return task.result()


async def propagate_cancellation(work: Coroutine[Any, Any, T]) -> T:
    """Return what *work* answers; raise a cancellation that was swallowed inside at its end.

    For drivers that wait with `asyncio.wait_for`, which up to Python 3.11 forgets a cancellation that comes in the same
    moment as what it waits for.
    """
    task = asyncio.current_task()
    known = 0 if task is None else task.cancelling()
    try:
        return await work
    finally:
        if (
            task is not None
            and task.cancelling() > known
            and not isinstance(sys.exception(), asyncio.CancelledError)
        ):
            raise asyncio.CancelledError
