"""Locks of one machine where there is no `flock`: each is a file that SQLite locks, in the way of any system.

The system releases them when their holder ends, however it ends. The files are kept, and are empty.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.locks.lease import Acquired, Busy, LockCapability, LockInfo
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.infrastructure.locks.polling import PollingLeases
from fastapi_easy.infrastructure.locks.tokens import next_token

T = TypeVar("T")

_BUSY: Final = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED"})


@dataclass(frozen=True, slots=True)
class _Held:
    owner: str
    token: int
    connection: sqlite3.Connection


class ExclusiveFileLeases(PollingLeases):
    """Implements `LeaseStore` with files that SQLite locks. Not for network file systems.

    Args:
        file: The file of the lock; there is one lock, whatever its name.
    """

    name = "a lock in a file"
    pool = None
    capabilities: frozenset[LockCapability] = frozenset()

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self._held: _Held | None = None

    async def try_acquire(
        self, name: str, owner: str, ttl: float, ticket: int | None = None
    ) -> Outcome[Acquired | Busy]:
        """Give the lock to *owner* if it is free, or is its already."""
        if self._held is not None:
            return Success(
                Acquired(self._held.token) if self._held.owner == owner else Busy(self._held.owner)
            )
        return await self._call(lambda: self._lock(owner))

    async def renew(self, leases: Sequence[Renewal]) -> Outcome[Sequence[bool]]:
        """Return which of *leases* is the one that is held."""
        held = None if self._held is None else (self._held.owner, self._held.token)
        return Success([(each.owner, each.token) == held for each in leases])

    async def release(self, name: str, owner: str) -> Outcome[bool]:
        """Release the lock; return whether *owner* had it."""
        if self._held is None or self._held.owner != owner:
            return Success(False)
        await self.close()
        return Success(True)

    async def inspect(self, prefix: str = "") -> Outcome[Sequence[LockInfo]]:
        """Return nothing: who holds the lock is written nowhere."""
        return Success(())

    async def answers(self) -> Outcome[None]:
        """Succeed: files answer as long as the machine runs."""
        return Success(None)

    async def check(self) -> Outcome[Sequence[str]]:
        """Return no problems: nothing about it breaks a promise."""
        return Success(())

    async def close(self) -> None:
        """Release what this store holds."""
        held, self._held = self._held, None
        if held is not None:
            _ = await self._call(held.connection.close)

    def _lock(self, owner: str) -> Acquired | Busy:
        # Used by one thread at a time, though not always by the same.
        connection = sqlite3.connect(self._file, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            _ = connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorname in _BUSY:
                return Busy(None)
            raise
        except BaseException:
            connection.close()
            raise
        token = next_token(0)
        self._held = _Held(owner, token, connection)
        return Acquired(token)

    async def _call(self, work: Callable[[], T]) -> Outcome[T]:
        with contextlib.suppress(sqlite3.Error, OSError):
            return Success(await asyncio.to_thread(work))
        return Failure(Unavailable(self.name))
