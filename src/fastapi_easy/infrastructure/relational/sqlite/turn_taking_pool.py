"""The connection pool of a SQLite file, which has one writer at a time, and which databases have it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi_easy.infrastructure.relational.driver.driver_exceptions import file_is_locked
from fastapi_easy.infrastructure.relational.driver.pool import ConnectionPool
from fastapi_easy.infrastructure.relational.driver.pooled_connection import PooledConnection
from fastapi_easy.infrastructure.relational.options import ConnectionOptions
from fastapi_easy.infrastructure.relational.server import ServerName
from fastapi_easy.infrastructure.resilience.turns import Turns


class TurnTakingPool(ConnectionPool):
    """Lends a connection to one writer at a time; those who wait for their turn leave the others to readers (ADR 93).

    Args:
        busy_timeout: Seconds that a writer waits for its turn. For writers of other processes SQLite waits as long.

        options: Those of `ConnectionPool`.
    """

    def __init__(self, *arguments: Any, busy_timeout: float, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._turns = Turns(busy_timeout)

    @property
    def waiting(self) -> int:
        """Callers who wait for a connection, or for their turn to write."""
        return super().waiting + len(self._turns.waiters)

    @property
    def shed(self) -> int:
        """Callers rejected so far because they would have waited for too long."""
        return super().shed + self._turns.waiters.shed

    @property
    def waits(self) -> tuple[int, float]:
        """The number of waits so far, with or without success, and their sum in seconds."""
        (count, seconds), turns = super().waits, self._turns.waiters
        return count + turns.waited, seconds + turns.wait_seconds

    async def check_out_to_write(self) -> PooledConnection:
        """Wait for a turn, and take a connection, whose return ends the turn.

        Raises: as `check_out`, and
            sqlalchemy.exc.OperationalError: It was not this writer's turn in time, as SQLite says it.
        """
        if self._turns.is_taken:
            # By somebody, perhaps, who has lost it.
            self.check_for_leaks()
        try:
            await self._turns.take()
        except TimeoutError:
            raise file_is_locked() from None
        try:
            pooled = await self.check_out()
        except BaseException:
            self._turns.give_back()
            raise
        pooled.is_writing = True
        return pooled

    def check_out_to_write_now(self) -> PooledConnection | None:
        """Take a connection as `check_out_to_write` does, without a wait; `None` when one would have to wait."""
        turns = self._turns
        if turns.is_taken:
            return None
        pooled = self.check_out_now()
        if pooled is not None:
            turns.is_taken = pooled.is_writing = True
        return pooled

    def check_in(self, pooled: PooledConnection, *, single: bool = False) -> None:
        """Give *pooled* back, and end the turn of a writer."""
        is_writing, pooled.is_writing = pooled.is_writing, False
        ConnectionPool.check_in(self, pooled, single=single)
        if is_writing:
            self._turns.give_back()

    def discard(self, pooled: PooledConnection, error: BaseException | None = None) -> None:
        """Drop *pooled*, and end the turn of a writer."""
        is_writing, pooled.is_writing = pooled.is_writing, False
        super().discard(pooled, error)
        if is_writing:
            self._turns.give_back()


def pool_of(server: ServerName, options: ConnectionOptions) -> Callable[..., ConnectionPool]:
    """Return what makes the connection pool of a database on *server*."""
    return (
        partial(TurnTakingPool, busy_timeout=options.busy_timeout) if server == "sqlite" else ConnectionPool
    )
