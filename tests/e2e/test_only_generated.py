"""Entities that have nothing to give: every column is generated, or has a default of the store."""

import datetime
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from sqlalchemy import Computed, DateTime, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tortoise import Model, fields

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of
from tests.e2e.stores import MONGO, SQL_STORES, empty_store


class Base(DeclarativeBase):
    """The tables of this module."""


class Ticket(Base):
    """A number and nothing else."""

    __tablename__ = "generated_ticket"

    id: Mapped[int] = mapped_column(primary_key=True)


class Stamp(Base):
    """A number, and what the store makes of it."""

    __tablename__ = "generated_stamp"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ten: Mapped[int | None] = mapped_column(Computed("5 * 2"))


@dataclass
class PlainTicket:
    """A number and nothing else, for stores without tables."""

    id: int | None = None


class TortoiseTicket(Model):
    """A number and nothing else."""

    id = fields.IntField(primary_key=True)

    class Meta:
        """Where they are."""

        table = "generated_tortoise_ticket"


class Declarative(Container):
    """Of SQLAlchemy's classes."""

    tickets = resource(Ticket)
    stamps = resource(Stamp)


class Plain(Container):
    """Of a dataclass."""

    tickets = resource(PlainTicket)


class Tortoise(Container):
    """Of a model."""

    tickets = resource(TortoiseTicket)


SHOPS = (
    *((Declarative, store) for store in SQL_STORES),
    *((Tortoise, store) for store in SQL_STORES),
    *((Plain, store) for store in ("memory", MONGO)),
)


@pytest.fixture(params=SHOPS, ids=lambda each: f"{each[0].__name__}-{each[1]}")
async def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    container, store = request.param
    with empty_store(store, tmp_path_factory.mktemp("generated")) as url:
        settings = Settings.model_validate({"databases": {"default": {"url": url}}})
        async with client_of(create_app(container(settings=settings))) as opened:
            yield opened


async def test_an_entity_without_a_value_of_its_own_is_created(client: httpx2.AsyncClient) -> None:
    created = await client.post("/tickets", json={})
    bulk = await client.post("/tickets/bulk", json={"items": [{"create": {}}, {"create": {}}]})
    imported = await client.post(
        "/tickets/import", content="{}\n{}\n", headers={"content-type": "application/x-ndjson"}
    )

    assert (created.status_code, created.json()) == (201, {"id": 1})
    assert [each["entity"] for each in bulk.json()["results"]] == [{"id": 2}, {"id": 3}]
    assert (imported.json()["created"], imported.json()["failed"]) == (2, 0)
    assert (await client.get("/tickets")).json()["items"] == [{"id": number} for number in range(1, 6)]
    for send in (client.put, client.patch):
        assert (await send("/tickets/1", json={})).json() == {"id": 1}
    if "/stamps" not in (await client.get("/openapi.json")).json()["paths"]:
        return
    stamped = await client.post("/stamps", json={})
    assert stamped.json()["ten"] == 10, stamped.text
    assert (await client.get("/stamps/1")).json() == stamped.json()
