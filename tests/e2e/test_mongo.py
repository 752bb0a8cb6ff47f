"""A program with pydantic models on MongoDB, as a user would write it, asked over HTTP."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated

import httpx2
import pytest
from bson import ObjectId
from pydantic import BaseModel, Field

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, QueryRules, to_one
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of
from tests.services.wanted import empty_database


class Author(BaseModel):
    """Who writes."""

    __unique__ = ("name",)

    id: str | None = None
    name: str = Field(min_length=1, max_length=100)


class Book(BaseModel):
    """What is written."""

    id: int | None = None
    title: str = Field(min_length=1, max_length=200)
    price: Decimal = Field(ge=0, max_digits=10, decimal_places=2)
    author_id: Annotated[str, ObjectId] | None = None
    notes: dict[str, str] = {}
    tags: list[str] = []


@dataclass
class Visit:
    """Somebody looked in."""

    page: str
    id: int | None = field(default=None)


class Shop(Container):
    books = resource(
        Book, relations={"author": to_one("authors", by="author_id")}, query=QueryRules(search=["title"])
    )
    authors = resource(Author)
    visits = resource(Visit)


def on(url: str) -> Settings:
    return Settings(databases={"default": DatabaseSettings.model_validate({"url": url})})


@pytest.fixture(scope="module", params=["pymongo", "motor", "standing alone"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[httpx2.AsyncClient]:
    with empty_database("mongo_alone" if request.param == "standing alone" else "mongo") as url:
        address = url.replace("mongodb://", "mongodb+motor://") if request.param == "motor" else url
        async with client_of(create_app(Shop(settings=on(address)))) as opened:
            yield opened


@pytest.fixture(autouse=True)
async def _nothing_is_there(client: httpx2.AsyncClient) -> None:
    for path in ("/books", "/authors"):
        for each in (await client.get(path, params={"limit": 100})).json()["items"]:
            await client.delete(f"{path}/{each['id']}")


async def test_a_book_is_created_read_changed_replaced_and_deleted(client: httpx2.AsyncClient) -> None:
    emma = {"title": "Emma", "price": "9.50", "notes": {"a": "$b"}, "tags": ["x"]}

    created = await client.post("/books", json=emma)
    path = created.headers["location"]
    read = await client.get(path)
    patched = await client.patch(path, json={"price": "8"}, headers={"If-Match": read.headers["etag"]})
    stale = await client.patch(path, json={"price": "7"}, headers={"If-Match": read.headers["etag"]})
    replaced = await client.put(path, json={"title": "Emma II", "price": "1"})
    deleted = await client.delete(path)
    gone = await client.get(path)

    assert created.status_code == 201
    assert created.json() == {**emma, "id": created.json()["id"], "author_id": None}
    assert read.json() == created.json()
    assert patched.json() == {**created.json(), "price": "8.00"}
    assert stale.status_code == 412
    assert replaced.json() == {
        "id": created.json()["id"],
        "title": "Emma II",
        "price": "1.00",
        "author_id": None,
        "notes": {},
        "tags": [],
    }
    assert (deleted.status_code, gone.status_code) == (204, 404)


async def test_books_are_listed_filtered_sorted_searched_and_walked(client: httpx2.AsyncClient) -> None:
    for number, title in enumerate(["Emma", "emma", "Persuasion", "Lady Susan"]):
        await client.post("/books", json={"title": title, "price": str(number), "tags": [title[0]]})

    async def titles(**query: object) -> list[str]:
        answer = await client.get("/books", params=query)
        assert answer.status_code == 200, answer.text
        return [each["title"] for each in answer.json()["items"]]

    assert await titles(title="Emma") == ["Emma"]
    assert await titles(title__iexact="EMMA") == ["Emma", "emma"]
    assert await titles(title__contains=".") == []
    assert await titles(price__gte="2", sort="-title") == ["Persuasion", "Lady Susan"]
    assert await titles(q="su", sort="title") == ["Lady Susan", "Persuasion"]
    assert await titles(tags__has="P") == ["Persuasion"]
    assert await titles(where='{"or":[{"price":"0"},{"not":{"price__lt":"3"}}]}') == ["Emma", "Lady Susan"]
    first = (await client.get("/books", params={"limit": 3, "sort": "-price", "count": "exact"})).json()
    rest = (await client.get("/books", params={"sort": "-price", "cursor": first["next_cursor"]})).json()
    assert first["total"] == 4
    assert [each["title"] for each in [*first["items"], *rest["items"]]] == [
        "Lady Susan",
        "Persuasion",
        "emma",
        "Emma",
    ]


async def test_an_object_id_is_text_at_the_doors(client: httpx2.AsyncClient) -> None:
    jane = (await client.post("/authors", json={"name": "Jane"})).json()
    book = (await client.post("/books", json={"title": "Emma", "price": "1", "author_id": jane["id"]})).json()

    taken = await client.post("/authors", json={"name": "Jane"})
    found = await client.get("/books", params={"author.name": "Jane", "include": "author"})
    none = await client.get("/authors/nonsense")
    nonsense = await client.post("/books", json={"title": "E", "price": "1", "author_id": "z" * 24})

    assert re.fullmatch("[0-9a-f]{24}", jane["id"])
    assert (taken.status_code, taken.json()["code"]) == (409, "already_exists")
    assert [each["id"] for each in found.json()["items"]] == [book["id"]]
    assert found.json()["items"][0]["author"] == jane
    assert none.status_code in {404, 422}
    assert (nonsense.status_code, nonsense.json()["errors"][0]["pointer"]) == (422, "/author_id")


@pytest.mark.parametrize(
    "body",
    [
        {"title": {"$gt": ""}, "price": "1"},
        {"title": "a", "price": {"$gt": ""}},
        {"title": "a", "price": "1", "author_id": {"$ne": None}},
        {"title": "a", "price": "1", "notes": {"$set": "x"}},
        {"title": "a", "price": "1", "notes": {"a.b": "x"}},
        {"title": "a", "price": "1", "tags": [{"$gt": ""}]},
        {"title": "a", "price": "1", "$where": "1"},
    ],
)
async def test_operators_are_refused_wherever_they_stand(client: httpx2.AsyncClient, body: object) -> None:
    refused = await client.post("/books", json=body)

    assert refused.status_code == 422, refused.text
    assert (await client.get("/books/count")).json() == {"count": 0}


async def test_an_operator_in_a_filter_is_a_text(client: httpx2.AsyncClient) -> None:
    await client.post("/books", json={"title": "Emma", "price": "1"})

    found = await client.get("/books", params={"title": '{"$gt": ""}'})
    refused = await client.get("/books", params={"where": '{"title":{"$gt":""}}'})

    assert found.json()["items"] == []
    assert refused.status_code in {400, 422}


async def test_dataclasses_live_there_too(client: httpx2.AsyncClient) -> None:
    created = await client.post("/visits", json={"page": "/"})

    assert (created.status_code, created.json()["page"]) == (201, "/")


@pytest.mark.parametrize("url", ["mongodb://", "mongodb+psycopg://host/name", "mongodbs://host/name"])
async def test_a_url_that_means_nothing_is_a_mistake_in_the_declarations(url: str) -> None:
    with pytest.raises(DeclarationError):
        async with open_kernel(Shop(settings=on(url))):
            pass


async def test_a_url_whose_password_is_not_escaped_does_not_show_it() -> None:
    with pytest.raises(DeclarationError) as raised:
        async with open_kernel(Shop(settings=on("mongodb://user:sec/ret@host:port/name"))):
            pass

    assert "sec" not in str(raised.value)
