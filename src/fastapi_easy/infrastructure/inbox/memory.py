"""The inbox of a database in memory."""

import asyncio
import time
import weakref
from collections.abc import Callable
from typing import Final, TypeAlias

from returns.result import Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.outbox.tables import INBOX
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, innermost
from fastapi_easy.infrastructure.inbox.message_ids import stored_text
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.memory.unit_of_work import MemoryUnitOfWork

_Place: TypeAlias = tuple[str, str]

_handled: Final[
    "weakref.WeakKeyDictionary[MemoryDatabase, dict[_Place, tuple[UnitOfWork, asyncio.Event]]]"
] = weakref.WeakKeyDictionary()
"""What is being handled in each database at the moment: by which unit of work, and what tells of its end."""


class MemoryInbox:
    """Implements `Inbox` in *database*.

    Args:
        database: The database.

        now: Returns the seconds since 1970.
    """

    def __init__(self, database: MemoryDatabase, now: Callable[[], float] = time.time) -> None:
        self._rows = database.system_table(INBOX)
        self._handled = _handled.setdefault(database, {})
        self._now = now

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Do nothing."""
        return Success(())

    async def accept_in(self, work: UnitOfWork, consumer: str, message_id: str, /) -> Outcome[bool]:
        """Return whether the message is handled for the first time; wait for whoever handles it at the moment."""
        place, inner = (stored_text(consumer), stored_text(message_id)), innermost(work)
        while (other := self._handled.get(place)) is not None:
            if other[0] is inner:
                return Success(False)
            _ = await other[1].wait()
        if any((row["consumer"], row["message_id"]) == place for row in self._rows):
            return Success(False)
        self._begin(inner, place)
        return Success(True)

    async def remove_older(self, seconds: float, limit: int, /) -> Outcome[int]:
        """Remove notes that are older than *seconds*."""
        until = self._now() - seconds
        # In the order in which they were written.
        old = [row for row in self._rows if row["seen_at"] < until][:limit]
        del self._rows[: len(old)]
        return Success(len(old))

    def _begin(self, work: UnitOfWork, place: _Place) -> None:
        if not isinstance(work, MemoryUnitOfWork):
            raise TypeError(f"{type(work).__name__} is not a unit of work of a database in memory")
        ended = asyncio.Event()
        self._handled[place] = work, ended
        row = {"consumer": place[0], "message_id": place[1], "seen_at": self._now()}

        def end() -> None:
            del self._handled[place]
            ended.set()

        work.after_commit(lambda: self._rows.append(row))
        work.at_end(end)
