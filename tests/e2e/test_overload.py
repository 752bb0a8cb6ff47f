"""Five times more than a database can take: what can be done is done, and the others are told so at once."""

import asyncio
import os
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fastapi_easy.bootstrap import create_app
from fastapi_easy.settings import DatabaseSettings, HttpSettings, Settings
from tests.e2e.outage import DocumentPost, Post
from tests.e2e.serving import client_of
from tests.services.wanted import empty_database
from tests.wire import wired

POOL = 2
LATENCY = 0.03
"""Seconds on the wire, which have to be what limits the peak, rather than this machine."""
LEAST_PEAK = 9.0
"""Requests a second that come through such a wire on an idle machine."""

DEADLINE = 3.0
SECONDS = 3.0


class Load:
    """Requests, and how each was answered and after how long."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self.answers: list[tuple[float, int, str | None]] = []

    async def one(self) -> None:
        begun = time.monotonic()
        answer = await self._client.get("/parcels?limit=1")
        self.answers.append((time.monotonic() - begun, answer.status_code, answer.headers.get("retry-after")))

    async def closed(self, callers: int, seconds: float) -> float:
        """So many callers, one request after the other; how many succeed in a second."""
        until = time.monotonic() + seconds

        async def call() -> None:
            while time.monotonic() < until:
                await self.one()

        _ = await asyncio.gather(*(call() for _ in range(callers)))
        return len([each for each in self.answers if each[1] == 200]) / seconds

    async def open(self, rate: float, seconds: float) -> float:
        """So many requests a second, whatever becomes of them; how many succeed in a second."""
        begun = time.monotonic()
        tasks = []
        while (passed := time.monotonic() - begun) < seconds:
            tasks += [asyncio.ensure_future(self.one()) for _ in range(int(passed * rate) - len(tasks))]
            await asyncio.sleep(0.005)
        _ = await asyncio.gather(*tasks)
        return len([each for each in self.answers if each[1] == 200]) / (time.monotonic() - begun)


def resident() -> int:
    """Bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("store", ["postgres", "mongo"])
async def test_goodput_holds_and_the_others_are_sent_away_at_once(store: str) -> None:
    with empty_database(store) as url:
        async with wired(url) as (address, wire):
            database = DatabaseSettings.model_validate({"url": address, "pool_size": POOL})
            settings = Settings(
                databases={"default": database}, deadline=DEADLINE, http=HttpSettings(metrics=True)
            )
            post: Any = DocumentPost if store == "mongo" else Post
            async with client_of(create_app(post(settings=settings))) as client:
                wire.latency = LATENCY
                # A busy machine measures too little, of which five times would be no overload.
                peak = max(await Load(client).closed(2 * POOL, 1.5), LEAST_PEAK)
                load = Load(client)
                before = resident()

                goodput = await load.open(5 * peak, SECONDS)
                health = (await client.get("/health/live")).status_code
                metrics = (await client.get("/metrics")).text
                grown = resident() - before
                wire.latency = 0

    shed = sorted(seconds for seconds, status, _ in load.answers if status == 503)
    p99 = shed[int(len(shed) * 0.99)]
    print(
        f"{store}: peak {peak:.0f}/s, offered {5 * peak:.0f}/s: goodput {goodput:.0f}/s ({goodput / peak:.0%}), "
        f"{len(shed)} sent away, p50 {shed[len(shed) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms; "
        f"longest {max(load.answers)[0]:.2f} s; memory {grown / 2**20:+.0f} MiB"
    )
    # Without shedding nearly all would wait for longer than DEADLINE, and be answered 504.
    answered = Counter(status for _, status, _ in load.answers)
    assert answered[504] < answered[200]
    # A busy machine may let the deadline of some pass.
    assert {200, 503} <= {status for _, status, _ in load.answers} <= {200, 503, 504}
    assert {after for _, status, after in load.answers if status == 503} <= {"1", "2", "3"}
    assert health == 200
    # Those who ask are in this process too.
    assert grown < 100 * 2**20
    counted = re.search(r'^fastapi_easy_pool_shed_total\{database="default"\} (\d+)', metrics, re.MULTILINE)
    assert counted
    # On a busy machine some wait in vain, which is no shedding.
    assert len(shed) / 2 < int(counted[1]) <= len(shed)


async def test_whatever_needs_a_connection_is_sent_away_at_once_when_there_is_none() -> None:
    with empty_database("postgres") as url:
        database = DatabaseSettings.model_validate({"url": url, "pool_size": 1, "queue_time": 0.05})
        settings = Settings(databases={"default": database}, deadline=DEADLINE)
        shop: Any = Post(settings=settings)
        async with client_of(create_app(shop)) as client:
            key = (await client.post("/parcels", json={"name": "a"})).json()["id"]
            pool = shop.databases.default().executor.pool
            pooled = await pool.check_out()
            waiting = asyncio.ensure_future(pool.check_out())
            # Somebody has stood in the line for too long.
            await asyncio.sleep(0.1)
            asked = {
                "get": client.get(f"/parcels/{key}"),
                "list": client.get("/parcels"),
                "search": client.post("/parcels/search", json={}),
                "count": client.get("/parcels/count"),
                "aggregate": client.get("/parcels/aggregate?total=count"),
                "export": client.get("/parcels/export"),
                "create": client.post("/parcels", json={"name": "b"}),
                "replace": client.put(f"/parcels/{key}", json={"name": "b"}),
                "update": client.patch(
                    f"/parcels/{key}",
                    content=b'{"name": "b"}',
                    headers={"content-type": "application/merge-patch+json"},
                ),
                "delete": client.delete(f"/parcels/{key}"),
                "bulk": client.post(
                    "/parcels/bulk", json={"items": [{"create": {"name": "b"}}], "atomic": True}
                ),
                "import": client.post(
                    "/parcels/import",
                    content=b'{"name": "b"}\n',
                    headers={"content-type": "application/x-ndjson"},
                ),
            }
            answers = {}
            for name, each in asked.items():
                answer = await each
                answers[name] = answer.status_code, "retry-after" in answer.headers
            live = (await client.get("/health/live")).status_code
            pool.check_in(pooled)
            pool.check_in(await waiting)
            named = [each["name"] for each in (await client.get("/parcels")).json()["items"]]

    assert answers == dict.fromkeys(asked, (503, True))
    assert (live, named) == (200, ["a"])
