"""A program of two hundred resources: what its start costs, and how far the last of them is. Prints both as JSON."""

import asyncio
import json
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
    """CPU seconds for one answer that needs no store: a key that cannot be read."""
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

    begun = time.process_time()
    for _ in range(50):
        await app(dict(scope), receive, send)
    return (time.process_time() - begun) / 50


async def main() -> dict[str, float]:
    many = declared()
    begun = time.process_time()
    app = create_app(in_memory(many))
    async with client_of(app) as client:
        started = time.process_time() - begun
        first, last = await client.get("/things0/x"), await client.get(f"/things{COUNT - 1}/x")
        assert first.status_code == last.status_code == 422
        ratios = []
        for _ in range(15):
            near = await _dispatch_time(app, "/things0/x")
            far = await _dispatch_time(app, f"/things{COUNT - 1}/x")
            ratios.append(far / near)
    return {"start_seconds": started, "last_over_first": statistics.median(ratios)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
