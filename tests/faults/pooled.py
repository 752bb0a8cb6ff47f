"""What can be seen from outside of an application behind a pooler: what it leaves in sessions, and its round trips."""

import contextlib
from collections.abc import AsyncIterator

import psycopg
from sqlalchemy import text

from fastapi_easy.infrastructure.persistence.sqlalchemy import SqlAlchemyDatabase
from tests.services.pgbouncer import POOL_SIZE
from tests.wire import wired

STRAY_SETTINGS = """
SELECT name || ' = ' || setting FROM pg_settings WHERE source = 'session'
   AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'standard_conforming_strings', 'TimeZone')
UNION ALL SELECT 'LISTEN ' || channel FROM pg_listening_channels() AS channel
UNION ALL SELECT 'PREPARE ' || name FROM pg_prepared_statements
UNION ALL SELECT 'lock ' || objid FROM pg_locks WHERE locktype = 'advisory'
"""
"""What is in a session that its next client has not put there; the names are those of what PgBouncer keeps apart."""


def found_in_sessions(url: str) -> list[str]:
    """What other clients find in all the sessions that the pooler has."""
    plain = url.replace("+asyncpg", "").replace("+psycopg", "")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(psycopg.connect(plain)) for _ in range(POOL_SIZE)]
        # Each is in a transaction, so that it keeps the session that it has got.
        return [str(name) for client in clients for (name,) in client.execute(STRAY_SETTINGS).fetchall()]


async def trips(url: str, word: str) -> tuple[int, int]:
    """Count the round trips of one read, and of one transaction with one statement.

    Args:
        url: Of a PostgreSQL server, with a driver.

        word: What the database is told of a pooler.
    """
    statement = text("SELECT 1")
    async with _counted(url, word) as (database, counted):
        # Twice, so that a connection is open, and statements are prepared where they are.
        _ = [await database.executor.read(statement, {}) for _ in range(2)]
        counted.clear()
        _ = await database.executor.read(statement, {})
        read = len(counted)
        counted.clear()
        transaction = database.begin()
        _ = await transaction.execute(statement, {})
        await transaction.commit()
        await transaction.close()
        return read, len(counted)


@contextlib.asynccontextmanager
async def _counted(url: str, word: str) -> AsyncIterator[tuple[SqlAlchemyDatabase, list[int]]]:
    """A database at the end of a wire on which the times are counted that the server was waited for."""
    counted: list[int] = []
    asked: list[bytes] = []
    async with wired(url) as (address, wire):

        def tell(data: bytes) -> bytes:
            # The first answer to what was asked since the last one.
            counted.extend([1] * bool(asked))
            asked.clear()
            return data

        wire.hear = lambda: asked.append
        wire.retell = tell
        database = SqlAlchemyDatabase("default", f"{address}?pooler={word}")
        try:
            yield database, counted
        finally:
            await database.close()
