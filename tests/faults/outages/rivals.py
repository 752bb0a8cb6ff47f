"""Other programs that are in the way of a call: with a lock, in a deadlock, or with a change of the same row."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pymongo
import pymysql

TABLE = "outages_parcels"

DEADLOCK_TIMEOUT = "50ms"
"""After this PostgreSQL looks for a deadlock, for whoever is not a rival."""


class SqlRival:
    """A connection of another program, in a transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def run(self, sql: str) -> None:
        """Run *sql* in its transaction."""
        await asyncio.to_thread(self._run, sql)

    def _run(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

    async def roll_back(self) -> None:
        """Let go of everything."""
        await asyncio.to_thread(self._connection.rollback)


@contextmanager
def sql_rival(url: str) -> Iterator[SqlRival]:
    """Another program on the database at *url*."""
    parts = urlsplit(url)
    if parts.scheme.startswith("postgresql"):
        with psycopg.connect(url) as connection:
            yield SqlRival(connection)
            connection.rollback()
        return
    made = pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username or "root",
        database=parts.path.strip("/"),
        read_timeout=60,
    )
    with closing(made):
        yield SqlRival(made)


def administer(url: str, *statements: str) -> None:
    """Run *statements*, each by itself."""
    parts = urlsplit(url)
    if parts.scheme.startswith("postgresql"):
        with psycopg.connect(url, autocommit=True) as connection:
            for each in statements:
                _ = connection.execute(each.encode())
        return
    made = pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username or "root",
        database=parts.path.strip("/"),
        autocommit=True,
    )
    with closing(made), made.cursor() as cursor:
        for each in statements:
            cursor.execute(each)


@contextmanager
def mongo_rival(url: str, key: int) -> Iterator[None]:
    """Another program that has changed the parcel *key* in a transaction, and does not commit it."""
    database = urlsplit(url).path.strip("/")
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
    with client, client.start_session() as session, session.start_transaction():
        found = client[database][TABLE].update_one({"_id": key}, {"$set": {"weight": 9}}, session=session)
        assert found.matched_count == 1
        yield
        session.abort_transaction()
