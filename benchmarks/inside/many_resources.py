"""Get by key on the last of so many resources: `many_resources 1,50,200,1000 ROUNDS`."""

import asyncio
import json
import statistics
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI

from benchmarks.inside.calling import call
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.testing import in_memory

CALLS: Final = 500


@dataclass
class Thing:
    """Something small."""

    title: str
    stock: int = 0
    id: int | None = None


def declared(count: int) -> type[Container]:
    """A container with so many resources."""
    return type("Many", (Container,), {f"things{number}": resource(Thing) for number in range(count)})


async def cpu_of_calls(app: FastAPI, path: str) -> float:
    """Microseconds of CPU for each of some calls."""
    begun = time.process_time()
    for _ in range(CALLS):
        status, _body = await call(app, "GET", path)
        assert status == 200
    return (time.process_time() - begun) / CALLS * 1e6


async def main(counts: list[int], rounds: int) -> dict[int, dict[str, float]]:
    """What the last resource costs, and what starting so many costs."""
    starts: dict[int, float] = {}
    found: dict[int, list[float]] = {count: [] for count in counts}
    async with AsyncExitStack() as stack:
        apps: dict[int, FastAPI] = {}
        for count in counts:
            begun = time.process_time()
            apps[count] = app = create_app(in_memory(declared(count)))
            await stack.enter_async_context(app.router.lifespan_context(app))
            body = json.dumps({"title": "the last"}).encode()
            status, _ = await call(app, "POST", f"/things{count - 1}", body)
            assert status == 201
            starts[count] = time.process_time() - begun
        for _ in range(rounds):
            for count, app in apps.items():
                found[count].append(await cpu_of_calls(app, f"/things{count - 1}/1"))
    first = found[counts[0]]
    return {
        count: {
            "microseconds": statistics.median(each),
            "ratio": statistics.median(one / other for one, other in zip(each, first, strict=True)),
            "start_seconds": starts[count],
        }
        for count, each in found.items()
    }


if __name__ == "__main__":
    given: list[Any] = sys.argv[1:]
    print(json.dumps(asyncio.run(main([int(each) for each in given[0].split(",")], int(given[1])))))
