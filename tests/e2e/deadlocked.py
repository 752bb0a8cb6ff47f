"""Real deadlocks between a call and a rival, who never gives way.

They do not depend on luck: a gate keeps the call in the middle of its rows until the rival, who holds the last of
them, waits for the first. On PostgreSQL the rival would look for a deadlock after an hour, and on MariaDB it has
changed more rows than the call.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from typing import Any

import sqlalchemy
from returns.result import Success
from sqlmodel import Field, SQLModel

from fastapi_easy.application import (
    NOBODY,
    ApplyBulk,
    Change,
    Create,
    ImportEntities,
    Update,
    Upsert,
)
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Patch
from fastapi_easy.settings import Settings
from fastapi_easy.testing.conformance.locks.lease_suite import eventually

PATIENCE = 60


class Slot(SQLModel, table=True):
    __tablename__ = "contended_slot"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40, unique=True)
    note: str = Field(default="", max_length=40)


class Shop(Container):
    slots = resource(Slot, upsert=("name",))


class Rival:
    """Another program, with a connection of its own."""

    def __init__(self, engine: sqlalchemy.Engine) -> None:
        self._connection = engine.connect()

    async def run(self, sql: str) -> Any:
        """Run *sql* in its transaction, and return the first value of the answer."""

        def run() -> Any:
            answer = self._connection.exec_driver_sql(sql)
            return answer.scalar() if answer.returns_rows else None

        return await asyncio.to_thread(run)

    async def roll_back(self) -> None:
        """Undo everything, and let go of all locks."""
        await asyncio.to_thread(self._connection.rollback)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


class Server:
    """A server of one kind, and what its words for locks are."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_postgres = url.startswith("postgresql")
        driver = "postgresql+psycopg" if self.is_postgres else "mysql+pymysql"
        self.engine = sqlalchemy.create_engine(sqlalchemy.make_url(url).set(drivername=driver))

    async def prepare(self) -> None:
        """Have the application notice a deadlock soon."""
        if self.is_postgres:
            name = sqlalchemy.make_url(self.url).database
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                _ = connection.exec_driver_sql(f"ALTER DATABASE \"{name}\" SET deadlock_timeout = '50ms'")

    async def strengthen(self, rival: Rival) -> None:
        """See to it that *rival* wins every deadlock."""
        if self.is_postgres:
            _ = await rival.run("SET deadlock_timeout = '1h'")
        else:
            rows = ", ".join(f"('heavy {number}', '')" for number in range(300))
            _ = await rival.run(f"INSERT INTO contended_slot (name, note) VALUES {rows}")

    async def waiting(self) -> int:
        """Return how many transactions of this database wait for a lock."""
        sql = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            if self.is_postgres
            else "SELECT count(*) FROM information_schema.innodb_trx AS trx JOIN information_schema.processlist AS p "
            "ON p.id = trx.trx_mysql_thread_id WHERE trx.trx_state = 'LOCK WAIT' AND p.db = DATABASE()"
        )

        def ask() -> int:
            with self.engine.connect() as connection:
                return int(connection.exec_driver_sql(sql).scalar_one())

        return await asyncio.to_thread(ask)


@asynccontextmanager
async def serving(server: Server, attempts: int = 3) -> AsyncIterator[Any]:
    """The application, which makes a call so many times, and its use cases."""
    make: Any = Shop
    options = {
        "url": server.url,
        "migrations": "auto",
        "lock_timeout": PATIENCE,
        "statement_timeout": PATIENCE,
    }
    settings = {"databases": {"default": options}, "deadline": PATIENCE, "retry": {"attempts": attempts}}
    shop = make(settings=Settings.model_validate(settings))
    async with open_kernel(shop) as kernel:
        yield shop, kernel.use_cases("slots")


def update(key: int) -> str:
    return f"UPDATE contended_slot SET note = 'rival' WHERE id = {key}"


def insert(name: str) -> str:
    return f"INSERT INTO contended_slot (name, note) VALUES ('{name}', 'rival')"


def bulk(*items: Change, atomic: bool = True) -> Callable[[Any], Coroutine[Any, Any, Any]]:
    async def call(slots: Any) -> Any:
        return await slots.bulk(ApplyBulk(items, atomic=atomic), NOBODY)

    return call


def create(name: str) -> Create:
    return Create({"name": name, "note": "call"})


def change(key: int) -> Update:
    return Update(key, Patch({"note": "call"}))


async def importing(slots: Any) -> Any:
    async def lines() -> AsyncIterator[Any]:
        for number, name in enumerate("acb", start=1):
            yield number, Success({"name": name, "note": "call"})

    return await slots.import_(ImportEntities(lines()), NOBODY)


CREATES = (create("a"), create("c"), create("b"))
UPDATES = (change(1), change(3), change(2))
UPSERTS = tuple(Upsert({"name": f"old {number}", "note": "call"}) for number in (1, 3, 2))

WAYS: dict[
    str, tuple[Callable[[Any], Coroutine[Any, Any, Any]], Callable[[Any], str], tuple[Any, Any, Any]]
] = {
    "atomic updates": (bulk(*UPDATES), update, (1, 3, 2)),
    "atomic upserts": (bulk(*UPSERTS), update, (1, 3, 2)),
    "atomic creates": (bulk(*CREATES), insert, ("a", "c", "b")),
    "atomic, one by one": (bulk(create("a"), change(3), create("b")), insert, ("a", None, "b")),
    "not atomic": (bulk(*CREATES, atomic=False), insert, ("a", "c", "b")),
    "import": (importing, insert, ("a", "c", "b")),
}
"""How rows are written; how a rival writes one; the first row, the gate and the last row."""


@asynccontextmanager
async def rivals(server: Server) -> AsyncIterator[tuple[Rival, Rival]]:
    with closing(Rival(server.engine)) as keeper, closing(Rival(server.engine)) as rival:
        yield keeper, rival


async def lose(server: Server, shop: Any, slots: Any, way: str) -> Any:
    """Write rows in the *way* while a rival brings about a deadlock, and return what the call comes to."""
    call, write, (first, gate, last) = WAYS[way]
    await server.prepare()
    async with rivals(server) as (keeper, rival):
        repository = shop.slots.repository()
        for number in (1, 2, 3):
            _ = (await repository.add({"name": f"old {number}"})).unwrap()
        _ = await keeper.run(update(3) if gate is None else write(gate))
        await server.strengthen(rival)
        _ = await rival.run(write(last))

        calling = asyncio.ensure_future(call(slots))
        await eventually(lambda: is_waiting(server, 1), PATIENCE)
        meeting = asyncio.ensure_future(rival.run(write(first)))
        await eventually(lambda: is_waiting(server, 2), PATIENCE)
        await keeper.roll_back()
        _ = await meeting
        await rival.roll_back()
        return await calling


async def is_waiting(server: Server, number: int) -> bool:
    if not server.is_postgres:
        # InnoDB answers from a cache that is renewed only when nobody has asked for a tenth of a second.
        await asyncio.sleep(0.12)
    return await server.waiting() == number
