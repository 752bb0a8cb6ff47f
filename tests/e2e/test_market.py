"""One application on three stores: books in PostgreSQL, carts in SQLite, what happened in MongoDB."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.e2e.serving import client_of
from tests.services.wanted import empty_database

DATABASES = "FASTAPI_EASY_DATABASES__{}__URL"


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx2.AsyncClient]:
    folder: Path = tmp_path_factory.mktemp("market")
    with (
        empty_database("postgres") as catalogue,
        empty_database("mongo") as journal,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv(DATABASES.format("CATALOGUE"), catalogue)
        environment.setenv(DATABASES.format("JOURNAL"), journal)
        environment.setenv(DATABASES.format("CARTS"), f"sqlite:///{folder / 'carts.sqlite3'}")
        # Imported late: its app reads the environment.
        from examples.market.app import market  # noqa: PLC0415

        async with client_of(market()) as opened:
            yield opened


async def test_each_store_keeps_its_own_and_all_are_asked_alike(client: httpx2.AsyncClient) -> None:
    publisher = (await client.post("/publishers", json={"name": "Virago"})).json()
    book = await client.post(
        "/books", json={"isbn": "1", "title": "Emma", "price": "9.50", "publisher_id": publisher["id"]}
    )
    cart = (await client.post("/carts", json={"shopper": "ada"})).json()
    item = await client.post("/items", json={"cart_id": cart["id"], "isbn": "1", "copies": 2})

    assert (book.status_code, item.status_code) == (201, 201)
    shown = (await client.get("/books", params={"include": "publisher", "publisher.name": "Virago"})).json()
    assert [(row["title"], row["publisher"]["name"]) for row in shown["items"]] == [("Emma", "Virago")]
    full = (await client.get("/carts", params={"include": "items", "items.copies__gte": "2"})).json()
    assert [[each["isbn"] for each in row["items"]] for row in full["items"]] == [["1"]]
    happened = (await client.get("/events", params={"sort": "at", "name__startswith": "c"})).json()
    assert [(row["name"], row["key"]) for row in happened["items"]] == [("carts.created", str(cart["id"]))]
    total = (await client.get("/events/aggregate", params={"group_by": "name"})).json()
    assert [(row["by"]["name"], row["totals"]["count"]) for row in total["items"]] == [
        ("books.created", 1),
        ("carts.created", 1),
        ("items.created", 1),
        ("publishers.created", 1),
    ]


async def test_every_store_reports_its_health_and_its_connections(client: httpx2.AsyncClient) -> None:
    ready = (await client.get("/health/ready")).json()

    stores = {name: each["technology"] for name, each in ready["dependencies"].items()}
    assert stores == {"catalogue": "PostgreSQL", "carts": "SQLite", "journal": "MongoDB"}
    assert all(each["pool"]["in_use"] == 0 < each["pool"]["limit"] for each in ready["dependencies"].values())


async def test_the_journal_cannot_be_written_over_http(client: httpx2.AsyncClient) -> None:
    refused = await client.post("/events", json={"name": "books.created", "key": "1"})

    assert refused.status_code == 405
