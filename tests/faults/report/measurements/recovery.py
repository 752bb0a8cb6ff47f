"""How long after a server is back the first call succeeds, after it was killed and away for some time."""

import asyncio
import time

from fastapi_easy.bootstrap import create_app
from tests.e2e.serving import client_of
from tests.faults.outages.parcels import post_at
from tests.faults.outages.restarts import restarted
from tests.faults.report.figure import Figure

AWAY = 12.0
"""Seconds: longer than the circuit breaker once took between two probes, which is what was wrong."""

MOMENT = 0.5
"""Seconds for the answers that were under way when it was killed."""

CALLERS = 10
WANTED = 1.5
SERVERS = {"postgres": "PostgreSQL", "mariadb": "MariaDB", "mongo": "MongoDB"}


async def measured() -> list[Figure]:
    """Kill each server under load, start it again, and time the first call that succeeds."""
    return [figure for name in SERVERS for figure in await _of(name)]


async def _of(name: str) -> list[Figure]:
    with restarted(name) as server:
        async with client_of(create_app(post_at(server.url))) as client:
            answers: list[tuple[float, int]] = []
            ended, back_again, gone = asyncio.Event(), asyncio.Event(), float("inf")

            async def call() -> None:
                while not ended.is_set():
                    answer = await client.get("/parcels?limit=1")
                    answers.append((time.monotonic(), answer.status_code))
                    if answer.status_code == 200 and time.monotonic() > gone + MOMENT:
                        back_again.set()
                    await asyncio.sleep(0.02)

            callers = [asyncio.ensure_future(call()) for _ in range(CALLERS)]
            await asyncio.sleep(0.5)
            await asyncio.to_thread(server.kill)
            gone = time.monotonic()
            await asyncio.sleep(AWAY)
            server.start()
            back = await asyncio.to_thread(server.accepts_at)
            async with asyncio.timeout(30):
                _ = await back_again.wait()
            first = next(at for at, status in answers if at > gone + MOMENT and status == 200)
            ended.set()
            _ = await asyncio.gather(*callers)
    meanwhile = {status for at, status in answers if gone + MOMENT < at < back}
    recovery = max(0.0, first - back)
    return [
        Figure(
            fault="A server is killed, and started again",
            what=f"first answer after it accepts again, away for {AWAY:.0f} s",
            server=SERVERS[name],
            value=f"{recovery:.2f} s",
            wanted=f"<= {WANTED} s",
            met=recovery <= WANTED,
        ),
        Figure(
            fault="A server is killed, and started again",
            what="statuses while it was away",
            server=SERVERS[name],
            value=", ".join(map(str, sorted(meanwhile))),
            wanted="503",
            met=meanwhile <= {503, 200} and 503 in meanwhile,
        ),
    ]
