"""What one request takes, in figures that no busy machine changes, printed as JSON: `figures URL`.

The calls of Python and C functions, which are the same each time; and CPU time in units of a loop that is timed in the
same rounds.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterable
from typing import Any

import uvloop
from fastapi import FastAPI

from tests.performance.goods import Request, ask, request, shop_at
from tests.performance.units import unit

ENDPOINTS = ("get", "list", "create", "patch")
RESOURCES = ("plain", "versioned")
TIMES = 7
ROUNDS = 15
REQUESTS = {"get": 40, "list": 10}


async def calls_of(app: FastAPI, requests: Iterable[Request]) -> int:
    """The fewest of several requests: what is made once is not counted, nor what the loop does now and then."""
    counted = []
    for asked in requests:
        events = 0

        def seen(frame: Any, event: str, argument: Any) -> None:
            nonlocal events
            events += event in {"call", "c_call"}

        sys.setprofile(seen)
        try:
            await ask(app, asked)
        finally:
            sys.setprofile(None)
        counted.append(events)
    return min(counted)


async def calls(app: FastAPI, endpoint: str, resource: str) -> int:
    """The calls of a request to *endpoint*."""
    return await calls_of(app, [request(endpoint, resource, turn) for turn in range(TIMES)])


async def seconds(app: FastAPI, endpoint: str) -> float:
    """CPU seconds for a request."""
    asked = request(endpoint, "plain", 0)
    begun = time.process_time()
    for _ in range(REQUESTS[endpoint]):
        await ask(app, asked)
    return (time.process_time() - begun) / REQUESTS[endpoint]


async def main(url: str) -> dict[str, Any]:
    """Calls by endpoint and resource, and units of CPU time by endpoint."""
    async with shop_at(url) as app:
        counted = {
            endpoint: {name: await calls(app, endpoint, name) for name in RESOURCES} for endpoint in ENDPOINTS
        }
        rounds = [
            {"unit": unit(), **{endpoint: await seconds(app, endpoint) for endpoint in REQUESTS}}
            for _ in range(ROUNDS)
        ]
    least = {name: min(each[name] for each in rounds) for name in rounds[0]}
    return {"calls": counted, "units": {endpoint: least[endpoint] / least["unit"] for endpoint in REQUESTS}}


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(main(sys.argv[1]))))
