"""What one request takes, in a figure that no busy machine changes, printed as JSON: `figures URL`.

The calls of Python and C functions, which are the same each time; `make bench` measures seconds.
"""

import asyncio
import json
import sys
from collections.abc import Iterable
from typing import Any

import uvloop
from fastapi import FastAPI

from tests.counted_calls import counted_calls
from tests.performance.goods import Request, ask, request, shop_at

ENDPOINTS = ("get", "list", "create", "patch")
RESOURCES = ("plain", "versioned")
TIMES = 7


async def calls_of(app: FastAPI, requests: Iterable[Request]) -> int:
    """The fewest of several requests: what is made once is not counted, nor what the loop does now and then."""
    counted = []
    for asked in requests:
        with counted_calls() as figures:
            await ask(app, asked)
        counted.append(figures.calls)
    return min(counted)


async def calls(app: FastAPI, endpoint: str, resource: str) -> int:
    """The calls of a request to *endpoint*."""
    return await calls_of(app, [request(endpoint, resource, turn) for turn in range(TIMES)])


async def main(url: str) -> dict[str, Any]:
    """Calls by endpoint and resource."""
    async with shop_at(url) as app:
        return {
            endpoint: {name: await calls(app, endpoint, name) for name in RESOURCES} for endpoint in ENDPOINTS
        }


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(main(sys.argv[1]))))
