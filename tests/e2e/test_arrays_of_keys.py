"""Arrays of keys in PostgreSQL lead along relations, whatever their type is, and by the index there is."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ARRAY, BigInteger, Integer, String, Text, Uuid
from sqlmodel import Field, SQLModel
from tortoise import Model, fields
from tortoise.contrib.postgres.fields import ArrayField

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import to_listed, to_many
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of
from tests.e2e.stores import empty_store


class Named(SQLModel, table=True):
    """Its key is a text."""

    __tablename__ = "keyed_named"
    id: str = Field(primary_key=True, max_length=40)


class NamedList(SQLModel, table=True):
    """Its texts are shorter than keys may be."""

    __tablename__ = "keyed_named_list"
    id: int | None = Field(default=None, primary_key=True)
    keys: list[str] = Field(sa_type=ARRAY(String(4)))


class TextList(SQLModel, table=True):
    """Its texts have no length."""

    __tablename__ = "keyed_text_list"
    id: int | None = Field(default=None, primary_key=True)
    keys: list[str] = Field(sa_type=ARRAY(Text))


class Counted(SQLModel, table=True):
    """Its key may have 64 bits."""

    __tablename__ = "keyed_counted"
    id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})


class CountedList(SQLModel, table=True):
    """Its items have 32 bits."""

    __tablename__ = "keyed_counted_list"
    id: int | None = Field(default=None, primary_key=True)
    keys: list[int] = Field(sa_type=ARRAY(Integer))


class Marked(SQLModel, table=True):
    """Its key is a UUID."""

    __tablename__ = "keyed_marked"
    id: uuid.UUID = Field(primary_key=True)


class MarkedList(SQLModel, table=True):
    """A list of UUIDs, which may be missing."""

    __tablename__ = "keyed_marked_list"
    id: int | None = Field(default=None, primary_key=True)
    keys: list[uuid.UUID] | None = Field(default=None, sa_type=ARRAY(Uuid))


class Player(Model):
    """A model of Tortoise's."""

    id = fields.IntField(primary_key=True, generated=False)

    class Meta:
        table = "keyed_player"


class Game(Model):
    """One with an array of keys."""

    id = fields.IntField(primary_key=True)
    keys: Any = ArrayField("int")

    class Meta:
        table = "keyed_game"


ONE, TWO = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"


@pytest.mark.parametrize(
    ("listed", "listing", "keys", "held"),
    [
        pytest.param(Named, NamedList, ["a", "b", "abcdefgh"], ["b", "abcd"], id="texts with a length"),
        pytest.param(Named, TextList, ["a", "b'%", "abcdefgh"], ["b'%", "x"], id="texts"),
        pytest.param(Counted, CountedList, [1, 2, 2**40], [2, 7], id="numbers of other sizes"),
        pytest.param(Marked, MarkedList, [ONE, TWO], [TWO], id="UUIDs"),
        pytest.param(Player, Game, [1, 2], [2, 3, 2], id="Tortoise"),
    ],
)
async def test_arrays_lead_to_the_keys_they_hold_and_back(
    listed: Any, listing: Any, keys: list[Any], held: list[Any], tmp_path: Path
) -> None:
    class Shop(Container):
        listeds = resource(listed, relations={"lists": to_many(listing, by="keys")})
        lists = resource(listing, relations={"found": to_listed(listed, by="keys")})

    with empty_store("postgres", tmp_path) as url:
        settings = Settings.model_validate({"databases": {"default": {"url": url, "migrations": "auto"}}})
        async with client_of(create_app(Shop(settings=settings))) as client:
            for key in keys:
                assert (await client.post("/listeds", json={"id": key})).status_code == 201
            assert (await client.post("/lists", json={"keys": held})).status_code == 201
            assert (await client.post("/lists", json={"keys": []})).status_code == 201

            answers = [
                (await client.get(path)).json().get("items")
                for path in (
                    "/lists?include=found&fields=id,found.id",
                    "/listeds?include=lists&fields=id,lists.id",
                    "/lists?found__isnull=true&fields=id",
                    "/listeds?lists__isnull=false&fields=id",
                )
            ]

    assert answers == [
        [{"id": 1, "found": [{"id": keys[1]}]}, {"id": 2, "found": []}],
        sorted(
            ({"id": key, "lists": [{"id": 1}] if key == keys[1] else []} for key in keys),
            key=lambda row: row["id"],
        ),
        [{"id": 2}],
        [{"id": keys[1]}],
    ]
