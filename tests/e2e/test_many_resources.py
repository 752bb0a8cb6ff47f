"""Two hundred resources start quickly, and the last is found as quickly as the first."""

import statistics
import time
from typing import Any

from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.testing import in_memory
from tests.e2e.serving import client_of

COUNT = 200


def declared() -> type[Container]:
    names = [f"things{number}" for number in range(COUNT)]
    tables = {
        name: type(
            name.capitalize(),
            (SQLModel,),
            {
                "__module__": __name__,
                "__annotations__": {
                    "id": int | None,
                    "title": str,
                    "price": float | None,
                    "stock": int,
                    "note": str,
                },
                "id": Field(default=None, primary_key=True),
                "title": Field(max_length=100),
                "price": None,
                "stock": 0,
                "note": Field(default="", max_length=50),
            },
            table=True,
        )
        for name in names
    }
    return type("Many", (Container,), {name: resource(table) for name, table in tables.items()})


async def _dispatch_time(app: Any, path: str) -> float:
    """Seconds for one answer that needs no store: a key that cannot be read."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [],
        "server": ("test", 80),
        "client": ("test", 1),
        "state": {},
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    begun = time.perf_counter()
    for _ in range(50):
        await app(dict(scope), receive, send)
    return (time.perf_counter() - begun) / 50


async def test_two_hundred_resources_start_under_three_seconds_and_the_last_is_found_as_fast() -> None:
    many = declared()
    begun = time.perf_counter()
    app = create_app(in_memory(many))
    async with client_of(app) as client:
        started = time.perf_counter() - begun
        assert (await client.get(f"/things{COUNT - 1}/x")).status_code == 422
        await client.get("/things0/x")
        ratios = []
        for _ in range(15):
            first = await _dispatch_time(app, "/things0/x")
            last = await _dispatch_time(app, f"/things{COUNT - 1}/x")
            ratios.append(last / first)

    print(
        f"\nstart of {COUNT} resources {started:.2f} s; last/first dispatch {statistics.median(ratios):.2f}"
    )
    assert started < 3.0
    assert statistics.median(ratios) <= 2.0
