"""What the tables of derived classes may look like, and what is done with them beside reads and writes."""

import datetime
import uuid
import warnings
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import sqlmodel
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.composition.schemas.row_security import row_security_statements
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Cache, DeclarationError, QueryRules
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of
from tests.e2e.stored_tables import run_sql, with_driver
from tests.e2e.stores import SQL_STORES, empty_store

ADMIN = {"sqlite": "aiosqlite", "postgresql": "asyncpg", "mysql": "asyncmy"}


class Base(DeclarativeBase):
    """The classes below."""


def _options(**given: bool) -> dict[str, bool]:
    return given


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Node(Base):
    """Nothing says of which class it is."""

    __tablename__ = "nodes"
    a: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    b: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(20))
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(sa.DateTime(timezone=True))
    updated_at: Mapped[datetime.datetime] = mapped_column(
        sa.DateTime(timezone=True), default=_now, onupdate=_now
    )


class Leaf(Node):
    """With a key of two references."""

    __tablename__ = "leaves"
    __table_args__ = (sa.ForeignKeyConstraint(["a", "b"], ["nodes.a", "nodes.b"]),)
    a: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    b: Mapped[str] = mapped_column(sa.String(10), primary_key=True)
    colour: Mapped[str] = mapped_column(sa.String(20), server_default="green")
    note: Mapped[str | None] = mapped_column("the note", sa.String(20))


class Paper(Base):
    """Belongs to somebody."""

    __tablename__ = "papers"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    owner: Mapped[str] = mapped_column(sa.String(10))
    title: Mapped[str] = mapped_column(sa.String(20))


class Memo(Paper):
    """Goes with its paper."""

    __tablename__ = "memos"
    id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True)
    body: Mapped[str] = mapped_column(sa.String(20))


class Round(Paper):
    """Has all in its own table."""

    __tablename__ = "rounds"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    owner: Mapped[str] = mapped_column(sa.String(10))
    title: Mapped[str] = mapped_column(sa.String(20))
    __mapper_args__ = _options(concrete=True)


class Loose(Paper):
    """Has a key of its own beside that of its paper."""

    __tablename__ = "loose"
    number: Mapped[int] = mapped_column(primary_key=True)
    paper_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("papers.id"))


def _container(url: str, policy: str, **declared: Any) -> Any:
    container: Any = type("Shop", (Container,), declared)
    chosen = DatabaseSettings.model_validate({"url": url, "migrations": policy})
    return container(settings=Settings(databases={"default": chosen}))


def _shop(url: str, policy: str = "auto", **declared: Any) -> Any:
    return create_app(_container(url, policy, **declared))


@pytest.mark.parametrize("store", SQL_STORES)
async def test_a_key_of_several_parts_and_marks_of_deletion_are_shared(store: str, tmp_path: Path) -> None:
    rules = QueryRules(search=["title", "note"])
    declared: dict[str, Any] = {
        "leaves": resource(Leaf, soft_delete="deleted_at", query=rules),
        "nodes": resource(Node, soft_delete="deleted_at"),
    }
    with empty_store(store, tmp_path) as url:
        async with client_of(_shop(url, **declared)) as client:
            made = await client.post("/leaves", json={"a": 1, "b": "x", "title": "t", "note": "new"})
            await client.post("/leaves", json={"a": 2, "b": "x", "title": "u"})
            found = [
                len((await client.get(path)).json()["items"])
                for path in ("/leaves?q=new", "/leaves?q=t", "/nodes", "/leaves?sort=colour,-note&limit=1")
            ]
            before = {"If-Match": made.headers["etag"]}
            changed = await client.patch("/leaves/1,x", json={"colour": "red"}, headers=before)
            stale = await client.patch("/leaves/1,x", json={"title": "z"}, headers=before)
            replaced = await client.put("/leaves/1,x", json={"title": "q"})
            deleted = await client.delete("/leaves/1,x")
            left = [(await client.get(path)).json() for path in ("/leaves/count", "/nodes/count")]
            restored = await client.post("/leaves/1,x/restore")
            again = await client.post("/leaves", json={"a": 1, "b": "x", "title": "t"})

    assert (made.status_code, made.headers["location"]) == (201, "/leaves/1,x")
    assert found == [1, 1, 2, 1]
    assert (changed.status_code, changed.json()["title"], stale.status_code) == (200, "t", 412)
    assert changed.json()["updated_at"] > made.json()["updated_at"]
    assert (replaced.json()["title"], replaced.json()["colour"], replaced.json()["note"]) == (
        "q",
        "green",
        None,
    )
    assert (deleted.status_code, left, restored.status_code) == (204, [{"count": 1}] * 2, 200)
    assert [each["pointer"] for each in again.json()["errors"]] == ["/a", "/b"]


async def test_what_is_kept_of_the_class_above_is_marked_by_changes_of_derived_entities(
    tmp_path: Path,
) -> None:
    declared: dict[str, Any] = {"memos": resource(Memo), "papers": resource(Paper, cache=Cache(seconds=60))}
    with empty_store("sqlite", tmp_path) as url:
        async with client_of(_shop(url, **declared)) as client:
            key = (await client.post("/memos", json={"owner": "o", "title": "t", "body": "b"})).json()["id"]
            read = [(await client.get(f"/papers/{key}")).json()["title"] for _ in range(3)]
            await client.patch(f"/memos/{key}", json={"title": "new"})
            after = (await client.get(f"/papers/{key}")).json()["title"]
            gone = [await client.delete(f"/papers/{key}"), await client.get(f"/memos/{key}")]

    assert (read, after) == (["t"] * 3, "new")
    assert [each.status_code for each in gone] == [204, 404]


@pytest.mark.parametrize("store", SQL_STORES)
async def test_every_table_of_a_class_is_made_and_compared(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        async with client_of(_shop(url, papers=resource(Paper))) as client:
            # Nobody has asked for the tables of derived classes: there are none to delete from.
            made = await client.post("/papers", json={"owner": "o", "title": "t"})
            removed = await client.delete(made.headers["location"])
        async with client_of(_shop(url, memos=resource(Memo))) as client:
            added = await client.post("/memos", json={"owner": "o", "title": "t", "body": "b"})
        async with client_of(_shop(url, "check", memos=resource(Memo))) as client:
            kept = (await client.get("/memos/count")).json()
        driver = with_driver(url, ADMIN[url.partition(":")[0]])
        await run_sql(driver, "ALTER TABLE papers DROP COLUMN title", "ALTER TABLE memos DROP COLUMN body")
        with pytest.raises(Exception, match="2 differences") as refusal:
            async with open_kernel(_container(url, "check", memos=resource(Memo))):
                pass

    assert (removed.status_code, added.status_code, kept) == (204, 201, {"count": 1})
    assert "memos: the column papers.title does not exist" in str(refusal.value)
    assert "memos: the column memos.body does not exist" in str(refusal.value)


async def test_a_class_with_all_in_its_own_table_shares_nothing(tmp_path: Path) -> None:
    with empty_store("sqlite", tmp_path) as url:
        async with client_of(_shop(url, rounds=resource(Round), papers=resource(Paper))) as client:
            made = await client.post("/rounds", json={"owner": "o", "title": "t"})
            counted = [
                (await client.get(path)).json()["count"] for path in ("/rounds/count", "/papers/count")
            ]

    assert (made.status_code, counted) == (201, [1, 0])


def test_what_cannot_be_a_resource_is_told() -> None:
    with warnings.catch_warnings():
        # That a field hides another.
        warnings.simplefilter("ignore")
        above = type(
            "Above",
            (sqlmodel.SQLModel,),
            {"__annotations__": {"id": int}, "id": sqlmodel.Field(primary_key=True)},
            table=True,
        )
        heir: Any = type("Heir", (above,), {"__annotations__": {"name": str}}, table=True)

    with pytest.raises(DeclarationError) as refusal:
        _ = _shop("memory://", loose=resource(Loose), heirs=resource(heir))

    loose, heirs = refusal.value.mistakes
    assert loose.startswith(
        "loose: Loose is stored in the table loose beside that of Paper, and its primary key"
    )
    assert heirs.startswith(
        "heirs: Heir is derived from Above, which has a table, and SQLModel maps no such class"
    )


def test_row_security_needs_the_tenant_in_every_table() -> None:
    shop = _container("postgresql://nobody@nowhere/none", "off", memos=resource(Memo, tenant="owner"))

    with pytest.raises(DeclarationError) as refusal:
        _ = row_security_statements(shop, shop.databases.default())

    (told,) = refusal.value.mistakes
    assert told.startswith("memos: the table memos has no column for the field 'owner'")
