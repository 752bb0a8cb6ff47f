"""Five times more than a database can take: what can be done is done, and the others are told so at once."""

import asyncio
import time
from collections import Counter
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
LATENCY = 0.015
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
                peak = await Load(client).closed(2 * POOL, 1.5)
                load = Load(client)

                goodput = await load.open(5 * peak, SECONDS)
                health = (await client.get("/health/live")).status_code
                metrics = (await client.get("/metrics")).text
                wire.latency = 0

    shed = sorted(seconds for seconds, status, _ in load.answers if status == 503)
    p99 = shed[int(len(shed) * 0.99)]
    print(
        f"{store}: peak {peak:.0f}/s, offered {5 * peak:.0f}/s: goodput {goodput:.0f}/s ({goodput / peak:.0%}), "
        f"{len(shed)} sent away, p50 {shed[len(shed) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms; "
        f"longest {max(load.answers)[0]:.2f} s"
    )
    assert goodput >= 0.8 * peak
    assert p99 < 0.05
    assert max(load.answers)[0] < DEADLINE + 3
    assert Counter(status for _, status, _ in load.answers).keys() == {200, 503}
    assert {after for _, status, after in load.answers if status == 503} <= {"1", "2", "3"}
    assert health == 200
    assert f'fastapi_easy_pool_shed_total{{database="default"}} {len(shed)}.0' in metrics
