"""A replace gives to the fields it leaves out what a new entity gets, also where the store knows it only."""

import datetime
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from sqlalchemy import DateTime, FetchedValue, Numeric, String, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.e2e.prepared_database import DRIVERS, database_with
from tests.e2e.serving import client_of

LONG_AGO = "2001-01-01T00:00:00Z"


class Base(DeclarativeBase):
    """The tables of this module."""


def shout(context: Any) -> str:
    """Make a default from another value."""
    return str(context.get_current_parameters()["title"]).upper()


class Paper(Base):
    """A paper with every kind of default that the store, or SQLAlchemy, fills in."""

    __tablename__ = "defaulted_paper"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(40), unique=True)
    status: Mapped[str | None] = mapped_column(String(40), server_default="it's new: 100%")
    words: Mapped[int | None] = mapped_column(server_default="7")
    pages: Mapped[int] = mapped_column(server_default=text("3"))
    price: Mapped[Decimal | None] = mapped_column(Numeric(6, 2), server_default=text("1.50"))
    public: Mapped[bool | None] = mapped_column(server_default=text("true"))
    shouted: Mapped[str | None] = mapped_column(String(40), default=shout)
    counted: Mapped[int | None] = mapped_column(default=select(text("4 + 1")).scalar_subquery())
    upper: Mapped[str | None] = mapped_column(String(40), default=func.upper("abc"))
    plain: Mapped[int] = mapped_column(default=2)
    blank: Mapped[str | None] = mapped_column(String(40))
    created: Mapped[datetime.datetime | None] = mapped_column(
        DateTime(timezone=True), server_default=func.now()
    )
    updated: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True), onupdate=func.now())
    revised: Mapped[str | None] = mapped_column(String(40), onupdate=lambda: "revised")
    elsewhere: Mapped[str | None] = mapped_column(String(40), server_default=FetchedValue())


class Mark(Base):
    """Nothing but a key and what each change sets."""

    __tablename__ = "defaulted_mark"

    id: Mapped[int] = mapped_column(primary_key=True)
    touched: Mapped[str | None] = mapped_column(String(40), onupdate=lambda: "touched")


class Shop(Container):
    """Papers and marks."""

    papers = resource(Paper, upsert=("title",))
    marks = resource(Mark)


DEFAULTS = {
    "status": "it's new: 100%",
    "words": 7,
    "pages": 3,
    "price": "1.50",
    "public": True,
    "counted": 5,
    "upper": "ABC",
    "plain": 2,
    "blank": None,
}
GIVEN = {
    "status": "x",
    "words": 1,
    "pages": 1,
    "price": "9.00",
    "public": False,
    "shouted": "x",
    "counted": 1,
    "upper": "x",
    "plain": 1,
    "blank": "x",
    "created": LONG_AGO,
    "updated": LONG_AGO,
    "revised": "x",
    "elsewhere": "kept",
}


@pytest.fixture(scope="module", params=DRIVERS)
async def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with database_with(request.param, tmp_path_factory.mktemp("defaults"), Base) as made:
        yield made


def shop_at(url: str) -> Any:
    shop: Any = Shop
    return shop(settings=Settings.model_validate({"databases": {"default": {"url": url}}}))


@pytest.fixture(scope="module")
async def client(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(create_app(shop_at(url))) as opened:
        yield opened


def recent(moment: str) -> bool:
    then = datetime.datetime.fromisoformat(moment)
    return then > datetime.datetime(2002, 1, 1, tzinfo=datetime.UTC)


async def test_what_a_replace_leaves_out_gets_what_a_new_entity_gets(client: httpx2.AsyncClient) -> None:
    created = (await client.post("/papers", json={"title": "replaced", **GIVEN})).json()

    replaced = await client.put(f"/papers/{created['id']}", json={"title": "again"})
    fresh = (await client.post("/papers", json={"title": "fresh"})).json()

    row = replaced.json()
    assert replaced.status_code == 200, replaced.text
    assert {name: row[name] for name in DEFAULTS} == DEFAULTS
    assert {name: fresh[name] for name in DEFAULTS} == DEFAULTS
    assert (row["shouted"], row["revised"]) == ("AGAIN", "revised")
    assert recent(row["created"])
    assert recent(row["updated"])
    # Something that nobody knows has filled it, a trigger perhaps.
    assert row["elsewhere"] == "kept"
    assert (await client.get(f"/papers/{created['id']}")).json() == row


async def test_putting_what_get_gave_changes_nothing(client: httpx2.AsyncClient) -> None:
    created = (await client.post("/papers", json={"title": "idempotent", **GIVEN})).json()
    path = f"/papers/{created['id']}"
    read = await client.get(path)
    body = {name: value for name, value in read.json().items() if name != "id"}

    answers = [await client.put(path, json=body) for _ in range(2)]

    assert [each.json() for each in answers] == [read.json(), read.json()]
    assert {each.headers["etag"] for each in answers} == {read.headers["etag"]}


async def test_a_patch_and_an_upsert_leave_what_they_leave_out(client: httpx2.AsyncClient) -> None:
    created = (await client.post("/papers", json={"title": "patched", **GIVEN})).json()

    patched = await client.patch(f"/papers/{created['id']}", json={"words": 2})
    upserted = await client.post("/papers/upsert", json={"title": "patched", "words": 3})

    untouched = [name for name in GIVEN if name not in {"words", "updated", "revised"}]
    for answer in (patched, upserted):
        assert {name: answer.json()[name] for name in untouched} == {name: GIVEN[name] for name in untouched}
        assert answer.json()["revised"] == "revised"
        assert recent(answer.json()["updated"])


async def test_a_replace_of_nothing_touches_what_each_change_sets(client: httpx2.AsyncClient) -> None:
    mark = (await client.post("/marks", json={})).json()

    replaced = await client.put(f"/marks/{mark['id']}", json={})

    assert replaced.json() == {"id": mark["id"], "touched": "touched"}


async def test_python_replaces_and_saves_alike(url: str) -> None:
    async with open_kernel(shop_at(url)) as kernel:
        first = (await kernel.papers.create({"title": "one", **GIVEN})).unwrap()
        second = (await kernel.papers.create({"title": "two", **GIVEN})).unwrap()

        replaced = (await kernel.papers.replace(first.id, {"title": "one"})).unwrap()
        async with kernel.unit_of_work() as work:
            saved = (await work.entities("papers").save(Paper(id=second.id, title="two"))).unwrap()
            _ = await work.commit()

    for row in (replaced, saved):
        assert (row.status, row.words, row.pages, row.plain) == ("it's new: 100%", 7, 3, 2)
        assert (row.shouted, row.revised, row.price) == (row.title.upper(), "revised", Decimal("1.50"))
