"""Waiting for work that must not be left half done."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """What *work* answers. A task that is cancelled meanwhile is cancelled after its end."""
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
