"""Wake-ups through PostgreSQL's NOTIFY and LISTEN."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import Any, Final

from returns.result import Failure, Success
from sqlalchemy import String, bindparam, text

from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.relational.driver.driver_exceptions import to_sqlalchemy_error
from fastapi_easy.infrastructure.relational.driver.pool import ConnectionPool
from fastapi_easy.infrastructure.relational.engine import make_engine
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS
from fastapi_easy.infrastructure.relational.options import CLIENT_TIMEOUT_MARGIN, ConnectionOptions
from fastapi_easy.infrastructure.relational.sessions.sessions import Sessions, sessions_of

CHANNEL: Final = "fe_outbox"

_logger: Final = logging.getLogger("fastapi_easy.connections")

_POOLED: Final = (
    "hints of other processes cannot be heard behind a connection pooler in transaction mode: messages are looked for "
    "at intervals. Connect to the server directly, or leave events.notify off"
)

_LIMITS: Final = ConnectionOptions(pool_size=1)
_NOTIFY: Final = text(f"SELECT pg_notify('{CHANNEL}', :sender)").bindparams(
    bindparam("sender", type_=String())
)
_NOBODY: Final = ""


class PostgresChannel:
    """Implements `WakeUpChannel` in *database*.

    Hints are sent on a connection of the pool, in a transaction of their own: one that notifies holds a lock of the
    whole cluster until it has ended. Behind a pooler in transaction mode nobody listens: another client of the pooler
    would hear what this one has asked for.
    """

    def __init__(self, database: SqlAlchemyDatabase) -> None:
        self._database = database
        # Whoever sends hears it too, and need not look again.
        self._sender = secrets.token_hex(8)

    async def send(self) -> Outcome[None]:
        """Notify those who listen, in one round trip."""
        try:
            _ = await self._database.executor.read(_NOTIFY, {"sender": self._sender})
        except DATABASE_ERRORS:
            return Failure(Unavailable(self._database.name))
        return Success(None)

    async def listen(self, wake: Callable[[], None], /) -> Outcome[None]:
        """Listen on a connection of its own until that is lost."""

        def heard(sender: str) -> None:
            if sender != self._sender:
                wake()

        engine = make_engine(self._database.url, _LIMITS)
        pool = ConnectionPool(
            engine.sync_engine,
            size=_LIMITS.pool_size,
            checkout_timeout=_LIMITS.connect_timeout + CLIENT_TIMEOUT_MARGIN,
            connect_timeout=_LIMITS.connect_timeout + CLIENT_TIMEOUT_MARGIN,
            recycle=_LIMITS.recycle,
        )
        try:
            await _hear(pool, heard, sessions_of(engine.sync_engine))
        except DATABASE_ERRORS:
            return Failure(Unavailable(f"{self._database.name}: LISTEN {CHANNEL}"))
        finally:
            await pool.close()
            await engine.dispose()
        return Failure(Unavailable(f"{self._database.name}: LISTEN {CHANNEL}"))


async def _hear(pool: ConnectionPool, heard: Callable[[str], None], sessions: Sessions) -> None:
    """Call *heard* with the sender of each hint, and with nobody once it listens.

    Returns when the server has gone, and never where *sessions* are shared: no later try would hear more.

    Raises:
        SQLAlchemyError, OSError: It cannot listen.
    """
    pooled = await pool.check_out()
    if sessions.are_shared:
        pool.check_in(pooled)
        await pool.close()
        _logger.warning(_POOLED)
        _ = await asyncio.Event().wait()
    hear = _hear_with_asyncpg if pooled.connection.dialect.driver == "asyncpg" else _hear_with_psycopg
    try:
        await hear(pooled.driver, heard)
    except asyncio.CancelledError:
        pool.check_in(pooled)
        raise
    except BaseException as error:
        pool.discard(pooled, error)
        raise to_sqlalchemy_error(pooled.connection, error) from error
    pool.discard(pooled)


async def _hear_with_asyncpg(driver: Any, heard: Callable[[str], None]) -> None:
    def on_notification(_connection: object, _process: int, _channel: str, sender: str) -> None:
        heard(sender)

    def on_end(_connection: object) -> None:
        ended.set()

    ended = asyncio.Event()
    driver.add_termination_listener(on_end)
    await driver.add_listener(CHANNEL, on_notification)
    heard(_NOBODY)
    _ = await ended.wait()


async def _hear_with_psycopg(driver: Any, heard: Callable[[str], None]) -> None:
    _ = await driver.execute(f"LISTEN {CHANNEL}")
    heard(_NOBODY)
    async for notification in driver.notifies():
        heard(notification.payload)
