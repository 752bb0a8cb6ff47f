"""A thousand new rows in one go: `bulk ROUNDS`, with the URL in the settings. Prints the seconds of each way."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import asyncpg
import orjson
from fastapi import FastAPI
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.columns.kernel import Bench
from benchmarks.columns.tables import URL, Item
from benchmarks.inside.calling import call
from benchmarks.rows import ROWS, row
from fastapi_easy.application import NOBODY, ApplyBulk, Create, Kernel
from fastapi_easy.bootstrap import create_app
from fastapi_easy.domain import Success
from fastapi_easy.settings import HttpSettings, read_settings

MANY: Final = 1_000
TIMES: Final = 10
"""How often a way writes so many in one round."""

FIELDS: Final = ("title", "price", "attributes", "owner_id")
INSERT: Final = "INSERT INTO items (title, price, attributes, owner_id) VALUES ($1, $2, $3, $4)"
NEW: Final = [{name: row(number)[name] for name in FIELDS} for number in range(1, MANY + 1)]
"""What is to be written, as a program has it."""

Way = Callable[[], Awaitable[None]]


def records() -> list[tuple[Any, ...]]:
    """What is to be written, as asyncpg wants it."""
    return [
        (each["title"], each["price"], orjson.dumps(each["attributes"]).decode(), each["owner_id"])
        for each in NEW
    ]


def driver_ways(connection: Any) -> dict[str, Way]:
    """The driver's own."""

    async def executemany() -> None:
        async with connection.transaction():
            await connection.executemany(INSERT, records())

    async def fetchmany() -> None:
        async with connection.transaction():
            found = await connection.fetchmany(f"{INSERT} RETURNING *", records())
        assert len(found) == MANY

    async def copy() -> None:
        async with connection.transaction():
            await connection.copy_records_to_table("items", records=records(), columns=FIELDS)

    return {"executemany": executemany, "fetchmany": fetchmany, "copy": copy}


def core_ways(engine: AsyncEngine) -> dict[str, Way]:
    """As one writes it by hand with SQLAlchemy Core."""
    items: Any = Item.__table__

    async def core() -> None:
        async with engine.begin() as connection:
            _ = await connection.execute(insert(items).values(NEW))

    return {"core": core}


def kernel_ways(kernel: Kernel, app: FastAPI) -> dict[str, Way]:
    """The kernel's: the use case, and the same over HTTP, without sockets."""

    async def use_case() -> None:
        command = ApplyBulk([Create(values) for values in NEW])
        outcome = await kernel.use_cases("items").bulk(command, NOBODY)
        assert isinstance(outcome, Success), outcome

    shown = [{**each, "price": str(each["price"])} for each in NEW]
    items = orjson.dumps({"items": [{"create": each} for each in shown]})
    lines = b"".join(orjson.dumps(each) + b"\n" for each in shown)

    async def http() -> None:
        status, answer = await call(app, "POST", "/items/bulk", items)
        assert status == 200, answer[:1000]

    async def http_minimal() -> None:
        status, answer = await call(app, "POST", "/items/bulk", items, prefer=b"return=minimal")
        assert status == 200, answer[:1000]

    async def imported() -> None:
        status, answer = await call(app, "POST", "/items/import", lines, b"application/x-ndjson")
        assert (status, json.loads(answer)["created"]) == (200, MANY), answer[:1000]

    return {"use case": use_case, "HTTP": http, "HTTP, minimal": http_minimal, "import": imported}


async def seconds_of(way: Way, connection: Any) -> float:
    """How long *way* takes; it must have written every row."""
    begun = time.perf_counter()
    for _ in range(TIMES):
        await way()
    taken = time.perf_counter() - begun
    removed = await connection.execute("DELETE FROM items WHERE id > $1", ROWS)
    assert removed == f"DELETE {TIMES * MANY}", removed
    await connection.execute("VACUUM items")
    return taken


async def main(rounds: int) -> Mapping[str, list[float]]:
    """Each way in turn, after a round that does not count."""
    settings = read_settings()
    http = HttpSettings(bulk_limit=MANY, body_limit=16_777_216)
    container = Bench(settings=settings.model_copy(update={"http": http}))
    app = create_app(container)
    connection, engine = await asyncpg.connect(URL.replace("+asyncpg", "")), create_async_engine(URL)
    async with app.router.lifespan_context(app):
        ways = {**driver_ways(connection), **core_ways(engine), **kernel_ways(container.kernel(), app)}
        found: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(rounds + 1):
            for name, way in ways.items():
                taken = await seconds_of(way, connection)
                if number:
                    found[name].append(taken)
    await connection.close()
    await engine.dispose()
    return found


if __name__ == "__main__":
    assert "BENCH_DATABASE_URL" in os.environ
    print(json.dumps(asyncio.run(main(int(sys.argv[1])))))
