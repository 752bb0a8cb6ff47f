"""A program whose classes are Tortoise's models, over HTTP, on a command's embedded file and in memory."""

import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from tortoise import Model, fields
from tortoise.validators import MinLengthValidator, MinValueValidator

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.settings import DatabaseSettings, Settings
from fastapi_easy.testing.kernel import in_memory
from tests.e2e.serving import client_of
from tests.e2e.stores import empty_store


class Binding(enum.IntEnum):
    PAPER = 1
    CLOTH = 2


class Author(Model):
    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=200, unique=True)


class Book(Model):
    """A book for sale."""

    id = fields.IntField(primary_key=True)
    title = fields.CharField(max_length=200, validators=[MinLengthValidator(1)])
    price = fields.DecimalField(max_digits=10, decimal_places=2, validators=[MinValueValidator(Decimal(0))])
    binding = fields.IntEnumField(Binding, default=Binding.PAPER)
    tags = fields.JSONField[Any](null=True)
    changed_at = fields.DatetimeField(auto_now=True)
    author = fields.ForeignKeyField("models.Author", related_name="books", null=True)


class Row(Model):
    id = fields.IntField(primary_key=True)

    class Meta:
        app = "elsewhere"


class Shop(Container):
    authors = resource(Author)
    books = resource(Book)


@dataclass
class Lamp:
    id: int


def settings(url: str) -> Settings:
    return Settings(databases={"default": DatabaseSettings(url=url)})


async def use(app: Any) -> None:
    async with client_of(app) as client:
        author = (await client.post("/authors", json={"name": "Jane"})).json()
        created = await client.post(
            "/books", json={"title": "Emma", "price": "9.50", "author_id": author["id"], "tags": {"a": [1]}}
        )
        emma = created.json()
        persuasion = (
            await client.post("/books", json={"title": "Persuasion", "price": "7", "binding": 2})
        ).json()

        assert created.status_code == 201
        assert created.headers["location"].endswith(f"/books/{emma['id']}")
        assert (emma["title"], emma["price"], emma["binding"], emma["tags"]) == (
            "Emma",
            "9.50",
            1,
            {"a": [1]},
        )
        assert (await client.get(f"/books/{emma['id']}")).json() == emma

        listed = (await client.get("/books", params={"sort": "price", "fields": "title"})).json()
        assert listed["items"] == [{"title": "Persuasion"}, {"title": "Emma"}]
        for query, expected in (
            ({"price__lt": "8"}, [persuasion]),
            ({"binding": "2"}, [persuasion]),
            ({"author.name": "Jane"}, [emma]),
            ({"title__icontains": "EMM"}, [emma]),
        ):
            assert (await client.get("/books", params=query)).json()["items"] == expected

        changed = await client.patch(f"/books/{emma['id']}", json={"price": "8.00"})
        assert (changed.json()["price"], changed.json()["title"]) == ("8.00", "Emma")
        assert changed.json()["changed_at"] >= emma["changed_at"]

        assert (await client.post("/books", json={"title": "", "price": "1"})).status_code == 422
        assert (await client.post("/books", json={"title": "a", "price": "-1"})).status_code == 422
        assert (
            await client.post("/books", json={"title": "a", "price": "1", "changed_at": "x"})
        ).status_code == 422
        assert (await client.post("/authors", json={"name": "Jane"})).status_code == 409
        assert (await client.delete(f"/books/{emma['id']}")).status_code == 204
        assert (await client.get(f"/books/{emma['id']}")).status_code == 404


@pytest.mark.parametrize("store", ["sqlite", "memory"])
async def test_models_are_served(store, tmp_path):
    with empty_store(store, tmp_path) as url:
        await use(create_app(Shop(settings=settings(url))))


async def test_a_program_of_models_is_tested_in_memory():
    await use(create_app(in_memory(Shop)))


async def test_models_and_other_classes_need_databases_of_their_own(tmp_path):
    class Mixed(Container):
        rows = resource(Row)
        lamps = resource(Lamp)

    with pytest.raises(DeclarationError) as refused:
        async with open_kernel(Mixed(settings=settings(f"sqlite:///{tmp_path / 'mixed.db'}"))):
            pass

    assert "cannot hold Tortoise models (Row) and other classes (Lamp) at once" in refused.value.mistakes[0]
