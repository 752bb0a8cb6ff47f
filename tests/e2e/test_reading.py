"""An entity with a stored value that its field cannot hold is shown as it is stored, or named in a problem."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, Failure, Fields, UnexpectedValue, UnreadableEntity
from fastapi_easy.testing import in_memory
from tests.e2e.serving import client_of


@dataclass
class Note:
    stars: int
    secret: int
    id: int | None = None


class Lenient(Container):
    notes = resource(Note, fields=Fields(hidden=["secret"]), operations=["get", "list", "export", "count"])


class Strict(Container):
    notes = resource(
        Note,
        fields=Fields(hidden=["secret"]),
        operations=["get", "list", "export", "count", "update"],
        reading="strict",
    )


@asynccontextmanager
async def serving(container: type[Container]) -> AsyncIterator[tuple[Any, httpx2.AsyncClient]]:
    """Serve three notes, of which the second was stored by somebody else."""
    shop: Any = in_memory(container)
    async with client_of(create_app(shop)) as client:
        for stars in (1, UnexpectedValue("many"), 3):
            added = await shop.notes.repository().add({"stars": stars, "secret": UnexpectedValue("?")})
            _ = added.unwrap()
        yield shop, client


async def test_by_default_it_is_shown_as_it_is_stored() -> None:
    async with serving(Lenient) as (_, client):
        page = (await client.get("/notes")).json()
        assert [each["stars"] for each in page["items"]] == [1, "many", 3]
        assert "problems" not in page
        assert (await client.get("/notes/2")).json() == {"stars": "many", "id": 2}
        lines = (await client.get("/notes/export")).text.splitlines()
        assert [json.loads(line)["stars"] for line in lines] == [1, "many", 3]
        assert "many" in (await client.get("/notes/export?as=csv")).text


@pytest.mark.parametrize("query", ["", "?fields=stars", "?fields=id", "?limit=2&count=exact"])
async def test_a_strict_page_names_the_entity_and_holds_the_others(query: str) -> None:
    async with serving(Strict) as (_, client):
        page = (await client.get(f"/notes{query}")).json()
        wanted: list[Mapping[str, int]] = [{"stars": 1, "id": 1}, {"stars": 3, "id": 3}]
        if "fields=id" in query:
            # What nobody asked for is not looked at.
            assert page["items"] == [{"id": 1}, {"id": 2}, {"id": 3}]
            return
        if "fields=stars" in query:
            wanted = [{"stars": 1}, {"stars": 3}]
        assert page["items"] == (wanted[:1] if "limit" in query else wanted)
        (problem,) = page["problems"]
        assert problem["code"] == "unreadable_entity"
        assert problem["key"] == 2
        assert [each["pointer"] for each in problem["errors"]] == ["/stars"]


async def test_a_strict_walk_passes_it() -> None:
    async with serving(Strict) as (_, client):
        seen, problems, cursor = [], 0, ""
        while True:
            page = (await client.get(f"/notes?limit=1{cursor}")).json()
            seen += [each["id"] for each in page["items"]]
            problems += len(page.get("problems", ()))
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert (seen, problems) == ([1, 3], 1)


async def test_a_strict_get_is_a_problem_until_the_value_is_corrected() -> None:
    async with serving(Strict) as (_, client):
        refused = await client.get("/notes/2")
        assert (refused.status_code, refused.json()["key"]) == (409, 2)
        assert (await client.patch("/notes/2", json={"stars": 2})).status_code == 200
        assert (await client.get("/notes/2")).json() == {"stars": 2, "id": 2}


async def test_a_program_is_told_the_same() -> None:
    async with serving(Strict) as (shop, _):
        notes = shop.kernel().notes
        assert await notes.get(2) == Failure(UnreadableEntity("notes", 2, ("stars",)))
        page = (await notes.list()).unwrap()
        assert page.problems == (UnreadableEntity("notes", 2, ("stars",)),)


@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_a_strict_export_is_whole_or_not_there(form: str) -> None:
    async with serving(Strict) as (_, client):
        refused = await client.get(f"/notes/export?as={form}")
        assert (refused.status_code, refused.json()["code"]) == (409, "unreadable_entity")
        assert (await client.patch("/notes/2", json={"stars": 2})).status_code == 200
        assert (await client.get(f"/notes/export?as={form}")).status_code == 200


async def test_the_documents_of_a_strict_resource_say_so() -> None:
    for container, is_strict in ((Lenient, False), (Strict, True)):
        async with serving(container) as (_, client):
            document = (await client.get("/openapi.json")).json()
            page = document["components"]["schemas"]["NotePage"]["properties"]
            assert ("problems" in page) is is_strict
            assert ("409" in document["paths"]["/notes/{key}"]["get"]["responses"]) is is_strict
            assert ("409" in document["paths"]["/notes/export"]["get"]["responses"]) is is_strict


def test_another_way_of_reading_is_a_mistake() -> None:
    class Wrong(Container):
        notes = resource(Note, fields=Fields(hidden=["secret"]), operations=["get"], reading="strikt")

    with pytest.raises(DeclarationError, match="did you mean 'strict'"):
        _ = create_app(in_memory(Wrong))
