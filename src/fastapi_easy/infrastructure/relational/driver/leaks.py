"""Connections that were lent for too long, or to somebody who is gone.

Nothing is written down when one is lent but the moment, which is known anyway: who has it is found out when somebody
wants to know.
"""

import asyncio
import logging
import sys
import types
from collections.abc import Collection, Iterator
from typing import Any, Final, Protocol

_logger: Final = logging.getLogger("fastapi_easy.connections")

LONG: Final = 10.0
"""Seconds after which somebody is asked what they need a connection for."""

_NEAREST: Final = 4
"""Frames that say where somebody is."""

_OURS: Final = __name__.partition(".")[0] + "."


class Lent(Protocol):
    """A connection that somebody has.

    Attributes:
        connection: Itself.

        lent: When it was lent, on the clock of `time.monotonic`.

        told: For which time of lending this was told of.
    """

    connection: Any
    lent: float
    told: float


def tell_of_long(lent: Collection[Lent], database: str, now: float) -> None:
    """Log, once for each, which of *lent* somebody has had for too long, and where they are."""
    for each in lent:
        if now - each.lent >= LONG and each.told != each.lent:
            each.told = each.lent
            _logger.warning(
                "a connection of %s has been lent for %.0f s: %s", database, now - each.lent, _holder_of(each)
            )


def abandoned(lent: Collection[Any]) -> list[Any]:
    """Those of *lent*, all in one set, that nobody else knows of: they can never be given back."""
    return [each for each in lent if sys.getrefcount(each) <= _KNOWN_TO_A_SET]


_KNOWN_TO_A_SET: Final = next(iter([sys.getrefcount(each) for each in {object()}]))
"""What is counted, in this version of Python, for an object that is in a set and looked at just like that."""


def _holder_of(lent: Lent) -> str:
    """The task that has it, and where that is waiting."""
    for task in asyncio.all_tasks():
        frames = list(_frames_of(task))
        if any(_has(value, lent) for frame in frames for value in tuple(frame.f_locals.values())):
            places = " > ".join(
                f"{frame.f_code.co_qualname}, line {frame.f_lineno}" for frame in frames[-_NEAREST:]
            )
            return f"{task.get_name()}, in {places}"
    return "no task seems to have it"


def _frames_of(task: "asyncio.Task[Any]") -> Iterator[types.FrameType]:
    """Where *task* is, the outermost call first."""
    waiting: Any = task.get_coro()
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        if frame is None:
            return
        yield frame
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)


def _has(value: Any, lent: Lent) -> bool:
    """Whether *value*, which somebody has at hand, is what was lent, or a transaction or unit of work on it."""
    if value is lent or value is lent.connection:
        return True
    if not type(value).__module__.startswith(_OURS):
        # To ask it for an attribute could do anything.
        return False
    transaction = getattr(value, "_transaction", value)
    return getattr(transaction, "_channel", None) is lent
