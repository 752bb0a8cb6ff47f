"""A program of one resource and one of a thousand: how far the last of them is, and what their start costs.

Prints the calls of a request to the last, by how many there are, and those of the start, as JSON.
"""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.testing import in_memory
from tests.counted_calls import counted_calls
from tests.performance.figures import calls_of
from tests.performance.goods import Request, ask

COUNTS = (1, 1000)


@dataclass
class Thing:
    """Something small."""

    title: str
    price: float | None = None
    stock: int = 0
    note: str = ""
    id: int | None = None


def declared(count: int) -> type[Container]:
    """A container with so many resources."""
    return type("Many", (Container,), {f"things{number}": resource(Thing) for number in range(count)})


async def main() -> dict[str, Any]:
    """Starts both, and asks them in turn."""
    apps: dict[int, FastAPI] = {}
    starts = {}
    last = {count: Request("GET", f"/things{count - 1}/1") for count in COUNTS}
    async with AsyncExitStack() as stack:
        for count in COUNTS:
            with counted_calls() as counted:
                app = apps[count] = create_app(in_memory(declared(count)))
                await stack.enter_async_context(app.router.lifespan_context(app))
                # The first request makes what is made once.
                await ask(app, Request("POST", f"/things{count - 1}", body=b'{"title": "the last"}'))
            starts[count] = counted.calls
        calls = {count: await calls_of(app, [last[count]] * 3) for count, app in apps.items()}
    return {"calls": calls, "start": starts}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
