"""Callers who may read some fields only are answered with these, over HTTP as in Python."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Grant, Principal, Resource, Tenant, to_one
from fastapi_easy.testing import in_memory
from tests.e2e.serving import client_of


@dataclass
class Person:
    name: str
    salary: Decimal
    id: int | None = None


@dataclass
class Desk:
    person_id: int
    floor: int = 1
    id: int | None = None


class Office(Container):
    people = resource(Person)
    desks = resource(Desk, relations={"person": to_one(Person, by="person_id")})


class NoSalaries:
    """Implements `Policy`: nobody reads what others earn, but everybody may be hired."""

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Any:
        return self

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        return Grant(readable=frozenset({"id", "name"})) if resource.name == "people" else Grant()


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(create_app(in_memory(Office, policy=NoSalaries()))) as client:
        assert (await client.post("/people", json={"name": "Ada", "salary": "9.50"})).status_code == 201
        assert (await client.post("/desks", json={"person_id": 1})).status_code == 201
        yield client


SHOWN = {"name": "Ada", "id": 1}


async def test_no_answer_holds_the_other_fields(client: httpx2.AsyncClient) -> None:
    created = await client.post("/people", json={"name": "Zoe", "salary": "1.00"})
    read = await client.get("/people/1")
    page = await client.get("/people?limit=1")
    bulk = await client.post("/people/bulk", json={"items": [{"update": {"key": 1, "set": {"name": "Ada"}}}]})
    exported = await client.get("/people/export?limit=1")
    csv = await client.get("/people/export", headers={"accept": "text/csv"})
    included = await client.get("/desks/1?include=person")

    assert created.json() == {"name": "Zoe", "id": 2}
    assert read.json() == SHOWN
    assert page.json()["items"] == [SHOWN]
    assert bulk.json()["results"][0]["entity"] == SHOWN
    assert "salary" not in exported.text
    assert csv.text == "name,salary,id\r\nAda,,1\r\nZoe,,2\r\n"
    assert included.json()["person"] == SHOWN


async def test_the_etag_is_that_of_the_whole_entity(client: httpx2.AsyncClient) -> None:
    read = await client.get("/people/1")
    tag = {"if-match": read.headers["etag"]}

    changed = await client.patch("/people/1", json={"salary": "10.00"}, headers=tag)
    again = await client.patch("/people/1", json={"salary": "11.00"}, headers=tag)

    assert (changed.status_code, changed.json()) == (200, SHOWN)
    assert changed.headers["etag"] != read.headers["etag"]
    assert again.status_code == 412


@pytest.mark.parametrize(
    "query", ["salary__gt=1", "sort=salary", "fields=salary", 'where={"not":{"salary__lt":1}}']
)
async def test_queries_by_unreadable_fields_are_forbidden(client: httpx2.AsyncClient, query: str) -> None:
    answer = await client.get(f"/people?{query}")

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_nor_by_a_question_about_something_else(client: httpx2.AsyncClient) -> None:
    led_to = await client.get("/desks?person.salary__gt=1")
    added_up = await client.get("/people/aggregate?total=sum:salary")

    assert (led_to.status_code, added_up.status_code) == (403, 403)
