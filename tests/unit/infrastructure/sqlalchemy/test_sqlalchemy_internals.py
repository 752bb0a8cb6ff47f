"""A SQLAlchemy that has lost a private name: the same answers, in the ways that are left."""

import asyncio
import functools

import pytest
from returns.result import Success
from sqlalchemy import Column, Connection, ForeignKey, Integer, text
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_connection
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.schema import CallableColumnDefault, ColumnDefault

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import AlreadyExists, ReferenceBroken
from fastapi_easy.infrastructure.persistence.sqlalchemy import SqlAlchemyDatabase
from fastapi_easy.infrastructure.relational import sqlalchemy_internals
from fastapi_easy.infrastructure.relational.column_defaults import context_free_default
from fastapi_easy.infrastructure.relational.driver import compiled
from tests.unit.infrastructure.sqlalchemy.relational import relational


class Base(DeclarativeBase): ...


class Shelf(Base):
    __tablename__ = "internal_shelves"

    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(unique=True)
    height: Mapped[int] = mapped_column(default=lambda: 7)
    below: Mapped[int | None] = mapped_column(ForeignKey("internal_shelves.id"))


ENTITIES = {"shelves": Shelf}


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setattr(compiled, "COMPILER_IS_KNOWN", False)


@pytest.fixture
def no_wrapping(monkeypatch):
    monkeypatch.delattr(Connection, "_handle_dbapi_exception")


@pytest.fixture
def no_translation(monkeypatch):
    monkeypatch.delattr(AsyncAdapt_asyncpg_connection, "_handle_exception")
    monkeypatch.delattr(AsyncAdapt_dbapi_connection, "_handle_exception")


LOSSES = pytest.mark.parametrize("loss", ["no_compiler", "no_wrapping", "no_translation"])


def test_the_installed_compiler_is_known():
    """If it is not, every statement takes twice the time: see what `compiled` reads, and name it anew."""
    assert sqlalchemy_internals.COMPILER_IS_KNOWN


@pytest.mark.parametrize("name", ["_within_exec_param_key_getter", "construct_expanded_state"])
def test_a_compiler_without_a_name_is_not_known(monkeypatch, name: str):
    monkeypatch.delattr(SQLCompiler, name)

    assert not sqlalchemy_internals.knows_compiler()


@LOSSES
async def test_a_program_runs_as_before(url, request, loss: str):
    request.getfixturevalue(loss)
    async with relational(url, ENTITIES) as world:
        async with world.unit_of_work() as work:
            added = (await work.repository("shelves").add({"label": loss})).unwrap()
            assert added["height"] == 7
            twice = await work.repository("shelves").add({"label": loss})
            lost = await work.repository("shelves").add({"label": "lost", "below": 99})
            assert isinstance(twice.failure(), AlreadyExists)
            assert isinstance(lost.failure(), ReferenceBroken)
            changed = await work.repository("shelves").update(added["id"], Patch({"height": 8}))
            assert changed.unwrap()["height"] == 8
            assert isinstance(await work.commit(), Success)

        found = (await world["shelves"].read(added["id"])).unwrap()
        assert (found["label"], found["height"]) == (loss, 8)


async def test_a_connection_that_broke_is_invalidated(postgres_url, no_wrapping, no_translation):
    database = SqlAlchemyDatabase("default", postgres_url)
    try:
        killer, victim = await database.executor.pool.check_out(), await database.executor.pool.check_out()
        asked = text("SELECT pg_backend_pid() AS number")
        number = (await database.executor.run(victim, asked, {})).rows[0][0]
        _ = await database.executor.run(killer, text(f"SELECT pg_terminate_backend({number})"), {})
        await asyncio.sleep(0.2)

        with pytest.raises(DBAPIError) as refused:
            await database.executor.run_command(victim, "SELECT 1")

        assert refused.value.connection_invalidated
        assert victim.connection.invalidated
        database.executor.pool.discard(victim)
        database.executor.pool.check_in(killer)
    finally:
        await database.close()


@pytest.mark.parametrize(
    "given", [lambda: 7, int, functools.cache(lambda: 7)], ids=["function", "class", "cached"]
)
def test_a_default_is_made_without_the_private_name(monkeypatch, given):
    for cls in (CallableColumnDefault, ColumnDefault):
        monkeypatch.delattr(cls, "_given_arg")
    made = context_free_default(Column("x", Integer, default=given).default)

    assert made is not None
    assert made() == given()


def test_a_default_that_wants_the_context_is_still_known(monkeypatch):
    for cls in (CallableColumnDefault, ColumnDefault):
        monkeypatch.delattr(cls, "_given_arg")

    assert context_free_default(Column("x", Integer, default=lambda _: 7).default) is None
