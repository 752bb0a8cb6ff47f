"""Related entities beside those that were asked for."""

from collections.abc import AsyncIterator
from typing import Any

import jsonschema_rs
import pytest

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Fields, QueryRules, to_many, to_one
from fastapi_easy.testing import in_memory
from tests.unit.interfaces.http.library import parameters_of
from tests.unit.interfaces.http.shop import Author, Bench, Book, Review, bench


@pytest.fixture
async def shop() -> AsyncIterator[Bench]:
    async with bench() as opened:
        ada = await opened.put("authors", name="Ada", country="GB")
        print_ = await opened.put("publishers", name="Penguin", town="London")
        for isbn in ("a", "b"):
            await opened.put("books", isbn=isbn, title="T", author_id=ada["id"], publisher_id=print_["id"])
        await opened.put("books", isbn="c", title="Nobody's")
        for stars in (1, 5, 3):
            await opened.put("reviews", book_id=1, stars=stars)
        yield opened


async def items(shop: Bench, query: str) -> Any:
    page = await shop.client.get(f"/books?{query}")
    assert page.status_code == 200, page.text
    return page.json()["items"]


async def test_includes_stand_beside_the_fields(shop: Bench) -> None:
    found = await items(shop, "include=author,reviews&fields=isbn&reviews.sort=-stars&reviews.limit=2")

    ada = {"id": 1, "name": "Ada", "country": "GB"}
    best = [{"id": 2, "book_id": 1, "stars": 5, "text": ""}, {"id": 3, "book_id": 1, "stars": 3, "text": ""}]
    assert found == [
        {"isbn": "a", "author": ada, "reviews": best},
        {"isbn": "b", "author": ada, "reviews": []},
        {"isbn": "c", "author": None, "reviews": []},
    ]


async def test_dotted_fields_include_and_choose(shop: Bench) -> None:
    found = await items(shop, "fields=isbn,author.name,reviews.stars&isbn=a&reviews.sort=stars")

    stars = [{"stars": 1}, {"stars": 3}, {"stars": 5}]
    assert found == [{"isbn": "a", "author": {"name": "Ada"}, "reviews": stars}]


async def test_includes_of_includes(shop: Bench) -> None:
    found = await shop.client.get("/books/1?include=author.books&fields=isbn,author.name,author.books.isbn")

    assert found.json() == {
        "isbn": "a",
        "author": {"name": "Ada", "books": [{"isbn": "a"}, {"isbn": "b"}]},
    }


async def test_what_no_read_model_shows_never_leaves(shop: Bench) -> None:
    found = await items(shop, "include=author,publisher&isbn=a")

    assert found[0]["author"].keys() == {"id", "name", "country"}
    assert found[0]["publisher"] == {"id": 1, "name": "Penguin", "shout": "PENGUIN"}
    hidden = await shop.client.get("/books?fields=author.salary")
    assert (hidden.status_code, hidden.json()["code"]) == (400, "bad_query")


async def test_a_search_includes_too(shop: Bench) -> None:
    found = await shop.client.post(
        "/books/search",
        json={
            "where": {"reviews": {"stars__gte": 5}},
            "fields": ["isbn"],
            "include": {"reviews": {"limit": 1, "sort": ["-stars"], "fields": ["stars"]}},
        },
    )

    assert found.json()["items"] == [{"isbn": "a", "reviews": [{"stars": 5}]}]


async def test_the_tag_is_that_of_the_entity_alone(shop: Bench) -> None:
    alone = await shop.client.get("/books/1")
    part = await shop.client.get("/books/1?fields=isbn")
    beside = await shop.client.get(
        "/books/1?include=reviews", headers={"If-None-Match": alone.headers["etag"]}
    )

    assert part.headers["etag"] == alone.headers["etag"] == '"1"'
    assert beside.status_code == 200
    assert "etag" not in beside.headers
    assert len(beside.json()["reviews"]) == 3


@pytest.mark.parametrize(
    ("path", "suggestion"),
    [
        pytest.param("/books?include=autor", "author", id="unknown"),
        pytest.param("/books?author.limit=2&include=author", None, id="a limit of one"),
        pytest.param("/books?reviews.limit=2", None, id="a limit of what is not included"),
        pytest.param("/books?include=author&author.sort=salary", None, id="hidden"),
        pytest.param("/books?author.cuntry=GB", "author.country", id="unknown comparison"),
        pytest.param("/books/1?include=autor", "author", id="of one"),
        pytest.param("/books/1?sort=title", None, id="an order of one"),
        pytest.param("/books/1?limit=3", None, id="a page of one"),
    ],
)
async def test_what_is_not_understood_is_400(shop: Bench, path: str, suggestion: str | None) -> None:
    refused = await shop.client.get(path)

    assert (refused.status_code, refused.json()["code"]) == (400, "bad_query")
    assert suggestion is None or refused.json()["suggestion"] == suggestion


async def test_includes_of_nothing_are_not_asked_for(shop: Bench) -> None:
    assert await items(shop, "isbn=none&include=author,reviews") == []


def test_the_document_tells_of_relations(shop: Bench) -> None:
    document = shop.app.openapi()
    listed, one = parameters_of(document, "/books"), parameters_of(document, "/books/{key}")
    where = document["components"]["schemas"]["BookFilter"]["properties"]

    assert listed["include"]["schema"]["items"]["enum"] == [
        *("author", "author.books", "publisher", "reviews"),
    ]
    assert "include" in one
    assert where["author"] == {"$ref": "#/components/schemas/AuthorFilter"}
    assert [name for name in listed if "." in name] == []


def test_a_document_of_everything_tells_of_all_that_is_along_relations() -> None:
    class Everything(Container):
        authors = resource(Author, fields=Fields(hidden=["salary"]))
        books = resource(
            Book,
            relations={
                "author": to_one(Author, by="author_id"),
                "reviews": to_many(Review, by="book_id"),
            },
            query=QueryRules(document="all"),
        )
        reviews = resource(Review)

    document = create_app(in_memory(Everything)).openapi()
    listed, one = parameters_of(document, "/books"), parameters_of(document, "/books/{key}")

    assert listed["reviews.limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 100}
    assert "-stars" in listed["reviews.sort"]["schema"]["items"]["enum"]
    assert "author.limit" not in listed
    assert "author.name" in listed["fields"]["schema"]["items"]["enum"]
    assert "author.salary" not in listed["fields"]["schema"]["items"]["enum"]
    assert "-author.name" in document["components"]["schemas"]["BookSort"]["enum"]
    assert {"author.country__in", "reviews__isnull", "reviews.stars__gte"} <= set(listed)
    assert listed["reviews.stars__gte"]["description"] == "This or greater, of at least one of them."
    assert {"include", "reviews.limit", "fields"} <= set(one)


@pytest.mark.parametrize(
    "query",
    [
        "include=author,publisher,reviews",
        "fields=isbn,author.name,author.books.title",
        "include=author.books",
    ],
)
async def test_answers_are_as_documented(shop: Bench, query: str) -> None:
    page = await shop.client.get(f"/books?{query}")

    components = shop.app.openapi()["components"]
    schema = {"$ref": "#/components/schemas/BookPage", "components": components}
    jsonschema_rs.validate(schema, page.json())
    wrong = page.json()
    wrong["items"][0]["author"]["name"] = 7
    assert not jsonschema_rs.is_valid(schema, wrong)
