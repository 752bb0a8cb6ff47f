"""Connections that are lent for too long, or whose borrower is gone.

A checkout records nothing but its time, because it happens for every statement: who holds a connection is found out
afterwards, by searching the running tasks.
"""

import asyncio
import logging
import sys
import types
from collections.abc import Collection, Iterator
from typing import Any, Final

from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection

_logger: Final = logging.getLogger("fastapi_easy.connections")

LONG_CHECKOUT: Final = 10.0
"""Seconds after which the holder of a connection is logged."""

_FRAMES_SHOWN: Final = 4
"""Innermost frames of the holder that are logged."""

_OURS: Final = __name__.partition(".")[0] + "."


def log_long_checkouts(lent: Collection[PooledConnection], database: str, now: float) -> None:
    """Log each of *lent* that is held for too long, with its holder; each checkout is logged once."""
    for each in lent:
        if now - each.lent_at >= LONG_CHECKOUT and each.reported_at != each.lent_at:
            each.reported_at = each.lent_at
            _logger.warning(
                "a connection of %s has been checked out for %.0f s: %s",
                database,
                now - each.lent_at,
                _describe_holder(each),
            )


def find_abandoned(lent: set[PooledConnection]) -> list[PooledConnection]:
    """Return those of *lent* that nothing but this set refers to: they can never be given back."""
    return [each for each in lent if sys.getrefcount(each) <= _REFCOUNT_IN_SET]


_REFCOUNT_IN_SET: Final = next(iter([sys.getrefcount(each) for each in {object()}]))
"""The count for an object that only a set holds, taken in the same way as above: it differs between Pythons."""


def _describe_holder(lent: PooledConnection) -> str:
    """Return the name of the task that holds *lent*, and the functions in which it waits."""
    for task in asyncio.all_tasks():
        frames = list(_frames_of(task))
        if any(_refers_to(value, lent) for frame in frames for value in tuple(frame.f_locals.values())):
            places = " > ".join(
                f"{frame.f_code.co_qualname}, line {frame.f_lineno}" for frame in frames[-_FRAMES_SHOWN:]
            )
            return f"{task.get_name()}, in {places}"
    return "no task holds it"


def _frames_of(task: "asyncio.Task[Any]") -> Iterator[types.FrameType]:
    """Yield the frames of the suspended *task*, the outermost call first."""
    # Coroutines and generator-based coroutines (`types.coroutine`) have attributes of different names.
    waiting: Any = task.get_coro()
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        if frame is None:
            return
        yield frame
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)


def _refers_to(value: object, lent: PooledConnection) -> bool:
    """Return whether the local variable *value* is *lent* itself, or a transaction or unit of work on it."""
    if value is lent or value is lent.connection:
        return True
    if not type(value).__module__.startswith(_OURS):
        # Reading an attribute of a foreign object may run any code.
        return False
    transaction = getattr(value, "_transaction", value)
    return getattr(transaction, "_pooled", None) is lent
