"""Unique rules among what is not deleted, in the database itself."""

import datetime
import secrets

import pytest
import sqlalchemy
from returns.result import Failure, Success
from sqlalchemy import DateTime, Index, String, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import AlreadyExists
from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.scoped_repository import SoftDeletingRepository
from tests.unit.infrastructure.sqlalchemy.relational import relational

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
SOFT = {"members": {"soft_delete": "deleted_at"}}
HARD: dict[str, dict[str, str]] = {}


def members(table):
    """A class of its own for each test, so that its table is new."""

    class Base(DeclarativeBase): ...

    class Member(Base):
        __tablename__ = table
        __table_args__ = (
            UniqueConstraint("house", "room", name=f"{table[-20:]}_room"),
            Index(f"{table[-20:]}_badge", "badge", unique=True),
        )
        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(String(100), unique=True)
        badge: Mapped[str | None] = mapped_column(String(20))
        house: Mapped[str | None] = mapped_column(String(20))
        room: Mapped[int | None]
        deleted_at: Mapped[datetime.datetime | None] = mapped_column("gone", DateTime(timezone=True))

    return {"members": Member}


@pytest.fixture
def table():
    return f"members_{secrets.token_hex(4)}"


async def opened(url, entities, mode, options):
    async with relational(url, entities, mode=mode, options=options) as world:
        return world.differences


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        pytest.param({"email": "a"}, ("email",), id="a unique column"),
        pytest.param({"email": "b", "badge": "1"}, ("badge",), id="a unique index"),
        pytest.param({"email": "b", "house": "h", "room": 1}, ("house", "room"), id="a unique constraint"),
    ],
)
async def test_unique_values_of_deleted_rows_may_be_used_again(url, table, values, fields):
    async with relational(url, members(table), options=SOFT) as world:
        assert world.differences == []
        everyone = world["members"]
        there = SoftDeletingRepository(everyone, world.resources["members"], lambda: NOW)
        first = {"email": "a", "badge": "1", "house": "h", "room": 1}

        for _ in range(2):
            key = (await there.add(first)).unwrap().id
            assert await there.add(values) == Failure(AlreadyExists("members", fields))
            assert await there.remove(key) == Success(None)
        again = (await there.add(values)).unwrap()
        restored = await everyone.update(key, Patch({"deleted_at": None}))
        moved = await everyone.update(again.id, Patch({"deleted_at": NOW}))

        assert restored == Failure(AlreadyExists("members", fields))
        assert moved.unwrap().deleted_at == NOW
        assert (await everyone.update(key, Patch({"deleted_at": None}))).unwrap().email == "a"


async def test_the_key_of_a_deleted_row_stays_taken(url, table):
    async with relational(url, members(table), options=SOFT) as world:
        there = SoftDeletingRepository(world["members"], world.resources["members"], lambda: NOW)
        key = (await there.add({"email": "a"})).unwrap().id
        assert await there.remove(key) == Success(None)

        assert await there.add({"id": key, "email": "b"}) == Failure(AlreadyExists("members", ("id",)))


async def test_reports_unique_rules_that_hold_for_deleted_rows_too(url, tmp_path, table):
    if url == "sqlite://":
        url = f"sqlite:///{tmp_path / 'members.db'}"

    assert await opened(url, members(table), SchemaMode.CREATE, HARD) == []
    differences = await opened(url, members(table), SchemaMode.CREATE, SOFT)

    mend = "create a unique index on ({}) WHERE gone IS NULL"
    if "mysql" in url:
        mend = "and a unique index on ({}, fe_alive)"
    assert len(differences) == 3
    for columns in ("email", "badge", "house, room"):
        (told,) = [each for each in differences if mend.format(columns) in each]
        assert told.startswith("members: the unique constraint ")
        assert f"of the table {table} holds for deleted rows too" in told


async def test_the_reported_mend_works(url, tmp_path, table):
    if url == "sqlite://":
        url = f"sqlite:///{tmp_path / 'members.db'}"
    is_mysql = "mysql" in url
    column = ", fe_alive SMALLINT GENERATED ALWAYS AS (CASE WHEN gone IS NULL THEN 1 END)" if is_mysql else ""
    gone = "TIMESTAMP" if "postgres" in url else "DATETIME"
    key = "SERIAL PRIMARY KEY" if "postgres" in url else f"INTEGER PRIMARY KEY {'AUTO_INCREMENT' * is_mysql}"
    columns = f"id {key}, email VARCHAR(100) NOT NULL, badge VARCHAR(20), house VARCHAR(20), room INTEGER"
    made = [f"CREATE TABLE {table} ({columns}, gone {gone}{column})"]
    tail = (", fe_alive)", "") if is_mysql else (")", " WHERE gone IS NULL")
    for name, columns in (("e", "email"), ("b", "badge"), ("r", "house, room")):
        made.append(f"CREATE UNIQUE INDEX {table}_{name} ON {table} ({columns}{tail[0]}{tail[1]}")

    async with relational(url, members(table), mode=SchemaMode.OFF, options=SOFT) as world:
        for statement in made:
            await world.say(text(statement))

    assert await opened(url, members(table), SchemaMode.CHECK, SOFT) == []


async def test_the_users_own_table_stays_as_it_was(url, table):
    entities = members(table)
    before = sqlalchemy.inspect(entities["members"]).local_table

    _ = await opened(url, entities, SchemaMode.CREATE, SOFT)

    assert "fe_alive" not in before.columns
    assert sum(isinstance(each, UniqueConstraint) for each in before.constraints) == 2
    assert [index.name for index in before.indexes] == [f"{table}_badge"]


async def test_long_names_are_shortened(url):
    table = f"m_{'long' * 12}_{secrets.token_hex(4)}"

    assert await opened(url, members(table), SchemaMode.CREATE, SOFT) == []
