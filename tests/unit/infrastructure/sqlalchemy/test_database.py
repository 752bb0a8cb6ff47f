"""What the database says about itself, and what a unit of work says it has recorded."""

import datetime
import sqlite3

import pytest
from returns.result import Success
from sqlalchemy import String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.domain.changes.events import EntityDeleted
from fastapi_easy.domain.ports.database import Pool, SchemaMode
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Where
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.infrastructure.persistence.sqlalchemy import ConnectionOptions, SqlAlchemyDatabase
from tests.unit.infrastructure.sqlalchemy.library import ENTITIES, OPTIONS
from tests.unit.infrastructure.sqlalchemy.relational import relational


def standing(pool: Pool) -> tuple[int, int, int, int | None]:
    return pool.limit, pool.open, pool.in_use, pool.waiting


async def test_reports_its_pool(url):
    database = SqlAlchemyDatabase("default", url, ConnectionOptions(pool_size=3))
    assert standing(database.pool) == (3, 0, 0, 0)

    assert await database.check() == Success(None)
    async with database.executor.lend_connection(), database.executor.lend_connection():
        assert standing(database.pool) == (3, 2, 2, 0)
    assert standing(database.pool) == (3, 2, 0, 0)
    # Each of the two had to wait until one stood, and so had the check.
    assert database.pool.waits == 2
    assert 0 < database.pool.wait_seconds < 2

    await database.close()
    assert standing(database.pool) == (3, 0, 0, 0)


async def test_declares_whether_an_insert_returns_the_row(url):
    async with relational(url, ENTITIES, options=OPTIONS) as world:
        assert Capability.RETURNING in world.database.capabilities
        assert sqlite3.sqlite_version_info >= (3, 35)


def test_does_not_promise_what_only_mariadb_can():
    assert Capability.RETURNING not in SqlAlchemyDatabase("default", "mysql+aiomysql://x@h/d").capabilities
    assert Capability.RETURNING in SqlAlchemyDatabase("default", "postgresql+asyncpg://x@h/d").capabilities


async def test_holds_the_events_recorded_since_the_last_commit(url):
    now = datetime.datetime.now(datetime.UTC)
    events = [EntityDeleted(resource="books", key=number, occurred_at=now) for number in (1, 2)]
    async with relational(url, ENTITIES, options=OPTIONS) as world, world.unit_of_work() as unit:
        unit.record(events[0])
        assert unit.events == (events[0],)
        _ = (await unit.commit()).unwrap()
        unit.record(events[1])
        assert unit.events == (events[1],)


async def test_reports_a_missing_association_table(tmp_path):
    url = f"sqlite:///{tmp_path / 'library.db'}"
    async with relational(url, ENTITIES, options=OPTIONS) as world:
        assert world.differences == []
        await world.say(text("DROP TABLE library_about"))

    async with relational(url, ENTITIES, mode=SchemaMode.CHECK, options=OPTIONS) as world:
        assert world.differences == ["subjects.books: the table library_about does not exist"]


@pytest.mark.parametrize(
    ("server", "collation"), [("sqlite", "NOCASE"), ("mariadb", "utf8mb4_general_ci"), ("postgres", "POSIX")]
)
async def test_a_column_of_another_collation_is_compared_byte_for_byte(request, server, collation):
    url = "sqlite://" if server == "sqlite" else request.getfixturevalue(f"{server}_url")

    class Base(DeclarativeBase): ...

    class Word(Base):
        __tablename__ = "database_words"
        id: Mapped[int] = mapped_column(primary_key=True)
        said: Mapped[str] = mapped_column("word", String(20, collation=collation))

    async with relational(url, {"words": Word}, mode=SchemaMode.OFF) as world:
        quoted = f'"{collation}"' if server == "postgres" else collation
        column = f"word VARCHAR(20) COLLATE {quoted} NOT NULL"
        await world.say(text(f"CREATE TABLE database_words (id INTEGER PRIMARY KEY, {column})"))
        words = [{"id": number, "said": each} for number, each in enumerate(("b", "B", "a"))]
        _ = (await world["words"].add_all(words)).unwrap()

        equal = (await world["words"].count(Where("said", Operator.EQUALS, "b"))).unwrap()
        page = (await world["words"].select(Query(order=(Sort("said"),), fields=("said",)))).unwrap()

        assert equal == 1
        assert [row.said for row in page.items] == ["B", "a", "b"]
