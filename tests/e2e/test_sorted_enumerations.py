"""Enumerations sort by the places of their members in the class, on every store, and pages go along."""

import enum
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel
from sqlalchemy import Enum
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tortoise import Model, fields

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of
from tests.e2e.stores import MONGO, empty_store, store_names


class Size(enum.Enum):
    """Neither the names nor the values are in the order of the class."""

    SMALL = "s"
    MEDIUM = "m"
    LARGE = "l"
    HUGE = "h"


class Urgency(enum.IntEnum):
    LATER = 5
    NEVER = 0
    NOW = 9


class Base(DeclarativeBase):
    pass


class TableShirt(Base):
    __tablename__ = "sized_shirt"
    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[Size | None]
    urgency: Mapped[Urgency] = mapped_column(Enum(Urgency, native_enum=False, length=10))


class ModelShirt(Model):
    id = fields.IntField(primary_key=True)
    size = fields.CharEnumField(Size, null=True)
    urgency = fields.IntEnumField(Urgency)


class PlainShirt(BaseModel):
    id: int | None = None
    size: Size | None = None
    urgency: Urgency = Urgency.LATER


SHIRTS: Sequence[tuple[str | None, int]] = [
    ("l", 9),
    (None, 5),
    ("s", 0),
    ("h", 5),
    ("m", 9),
    ("s", 5),
    (None, 0),
    ("l", 5),
]
UP, DOWN = ["s", "s", "m", "l", "l", "h", None, None], ["h", "l", "l", "m", "s", "s", None, None]

STORES = [
    *((TableShirt, name) for name in store_names()),
    *((ModelShirt, name) for name in store_names()),
    (PlainShirt, "memory"),
    (PlainShirt, MONGO),
]


def shop_of(entity: type[Any], url: str) -> Any:
    class Shop(Container):
        shirts = resource(entity)

    kept = {"default": {"url": url, "migrations": "auto"}}
    return Shop(settings=Settings(databases=kept, secret="s" * 40))


async def walked(client: httpx2.AsyncClient, limit: int = 1, **asked: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page = (await client.get("/shirts", params={"limit": limit, **asked})).json()
    while True:
        found += page["items"]
        assert len(found) < 20, "the walk does not end"
        if page["next_cursor"] is None:
            return found
        page = (
            await client.get("/shirts", params={"limit": limit, **asked, "cursor": page["next_cursor"]})
        ).json()


@pytest.mark.parametrize(
    ("entity", "store"), STORES, ids=[f"{each.__name__}-{name}" for each, name in STORES]
)
async def test_lists_walks_and_groups_follow_the_class(entity: type[Any], store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        async with client_of(create_app(shop_of(entity, url))) as client:
            for size, urgency in SHIRTS:
                made = await client.post("/shirts", json={"size": size, "urgency": urgency})
                assert made.status_code == 201, made.text

            for sign, sizes in (("", UP), ("-", DOWN)):
                page = (await client.get("/shirts", params={"sort": f"{sign}size"})).json()
                assert [each["size"] for each in page["items"]] == sizes
                assert [each["size"] for each in await walked(client, sort=f"{sign}size")] == sizes
            both = await walked(client, limit=3, sort="-urgency,size")
            few = await walked(client, sort="size", where='{"size__in":["h","s"]}')
            groups = (await client.get("/shirts/aggregate", params={"group_by": "size"})).json()

            assert [(each["urgency"], each["size"]) for each in both] == [
                *((9, each) for each in ("m", "l")),
                *((0, each) for each in ("s", None)),
                *((5, each) for each in ("s", "l", "h", None)),
            ]
            assert [each["size"] for each in few] == ["s", "s", "h"]
            assert [each["by"]["size"] for each in groups["items"]] == ["s", "m", "l", "h", None]
            document = (await client.get("/openapi.json")).json()
            assert "'-size'" in str(document)


async def test_what_is_no_member_comes_behind_them_and_before_null(tmp_path: Path) -> None:
    file = tmp_path / "shop.sqlite3"
    async with client_of(create_app(shop_of(TableShirt, f"sqlite:///{file}"))) as client:
        with sqlite3.connect(file) as connection:
            rows = [("TINY", 1), (None, 2), ("HUGE", 3), ("ODD", 4), ("SMALL", 5)]
            connection.executemany("INSERT INTO sized_shirt (size, id, urgency) VALUES (?, ?, 'NOW')", rows)

        assert [each["size"] for each in await walked(client, sort="size")] == ["s", "h", "TINY", "ODD", None]
        assert [each["size"] for each in await walked(client, sort="-size")] == [
            "TINY",
            "ODD",
            "h",
            "s",
            None,
        ]
