"""What kept answers save, and what changes pay for them: with a cache beside without, in one run.

`python -m benchmarks.inside.cached` on SQLite, or with the URL of an empty database. Prints medians of the ratios
within each round, so that a slow minute for everybody changes none.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlmodel import Field, SQLModel

from fastapi_easy.application import Create
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Cache
from fastapi_easy.settings import Settings

ROWS = 10_000
ROUNDS = 15
CALLS = 40
WRITERS = 8


class Reading(SQLModel, table=True):
    """Something that was measured."""

    __tablename__ = "bench_readings"
    id: int | None = Field(default=None, primary_key=True)
    sensor: int = Field(index=True)
    value: int
    note: str = Field(max_length=40)


class Plain(Container):
    readings = resource(Reading)


class Cached(Container):
    readings = resource(Reading, cache=Cache(seconds=600))


def new_reading(number: int) -> dict[str, object]:
    return {"sensor": number % 50, "value": number, "note": f"reading {number}"}


QUESTIONS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "get": lambda kernel: kernel.readings.get(1),
    "list of 20": lambda kernel: kernel.readings.list(),
    "list of 20 with the total": lambda kernel: kernel.readings.list(sensor=7, count="exact"),
    "aggregate of 10,000 rows": lambda kernel: kernel.readings.aggregate(
        total=["count", "avg:value"], group_by="sensor"
    ),
    "create": lambda kernel: kernel.readings.create(new_reading(1)),
    f"create, {WRITERS} at once": lambda kernel: asyncio.gather(
        *(kernel.readings.create(new_reading(number)) for number in range(WRITERS))
    ),
}


async def measure(url: str) -> None:
    """Print a line for each question."""
    settings = Settings.model_validate({"databases": {"default": {"url": url, "migrations": "auto"}}})
    plain: Any = Plain(settings=settings)
    cached: Any = Cached(settings=settings)
    async with open_kernel(plain) as without, open_kernel(cached) as with_cache:
        fill: Any = without
        for begin in range(0, ROWS, 1000):
            items = [Create(new_reading(number)) for number in range(begin, begin + 1000)]
            _ = (await fill.readings.bulk(items)).unwrap()
        print("| | without, µs | with, µs | with ÷ without |\n|---|--:|--:|--:|")
        for name, ask in QUESTIONS.items():
            kept = [
                (await _seconds(ask, without), await _seconds(ask, with_cache)) for _ in range(ROUNDS + 1)
            ][1:]
            before, after = (statistics.median(each) * 1e6 for each in zip(*kept, strict=True))
            ratio = statistics.median(two / one for one, two in kept)
            print(f"| {name} | {before:,.0f} | {after:,.0f} | {ratio:.2f} |")


async def _seconds(ask: Callable[[Any], Awaitable[Any]], kernel: Any) -> float:
    begun = time.perf_counter()
    for _ in range(CALLS):
        _ = await ask(kernel)
    return (time.perf_counter() - begun) / CALLS


def main() -> None:
    """Measure at the URL that was given, or in a file that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        own = f"sqlite:///{Path(folder) / 'readings.sqlite3'}"
        asyncio.run(measure(sys.argv[1] if len(sys.argv) > 1 else own))


if __name__ == "__main__":
    main()
