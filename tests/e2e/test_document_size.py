"""The OpenAPI document stays small however many resources there are, and is not made between other requests."""

import asyncio
import json
import threading

import httpx2

from benchmarks.inside.document import tables
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import QueryRules
from fastapi_easy.testing import in_memory

TABLES = 40
BYTES_EACH = 20_500
"""For a table of eleven columns that refers to another and is referred to."""


def shop_of(count: int, **rules: str) -> Container:
    declared = {
        f"t{number}": resource(each, query=QueryRules(**rules)) for number, each in enumerate(tables(count))
    }
    return in_memory(type("Shop", (Container,), declared))


def size_of(document: object) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def test_each_resource_adds_the_same_few_bytes() -> None:
    some, many = (create_app(shop_of(count)).openapi() for count in (10, TABLES))

    assert (size_of(many) - size_of(some)) / (TABLES - 10) < BYTES_EACH
    assert len(many["paths"]["/t5"]["get"]["parameters"]) < 40


def test_everything_is_longer() -> None:
    common, everything = (create_app(shop_of(3, document=each)).openapi() for each in ("common", "all"))

    assert size_of(everything) > 3 * size_of(common)


async def test_the_document_is_made_in_a_thread() -> None:
    app = create_app(shop_of(3))
    made = app.openapi
    threads = []

    def openapi() -> object:
        threads.append(threading.current_thread())
        return made()

    app.openapi = openapi  # type: ignore[method-assign]
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://t") as client,
    ):
        answers = await asyncio.gather(*(client.get("/openapi.json") for _ in range(2)))

    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json() == json.loads(json.dumps(made()))
    assert threading.main_thread() not in threads
