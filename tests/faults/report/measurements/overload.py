"""Goodput under overload: `fastapi-easy run` with one worker on PostgreSQL, asked by clients that never wait."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2

from tests.faults.report.closed_loop import Answers, ask
from tests.faults.report.figure import Figure
from tests.services.obtain import obtain
from tests.services.scratch import drop_scratch_database, scratch_database
from tests.services.service import free_port, new_folder
from tests.wire import wired

ROOT = Path(__file__).parents[4]
PATH = "/parcels"
FAULT = "Overload"
PEAK = 50
"""Clients with whom the peak is measured anew before and after each load: a machine is not always equally fast."""

CLIENTS = (10, 200, 400)
ATTACKERS = 400
DEADLINE = 30.0
"""Seconds, the default of the setting."""

SETTLING, SECONDS = 0.7, 2.5
STARTING = 60.0


@contextlib.asynccontextmanager
async def _served(url: str) -> AsyncIterator[int]:
    """The port at which the application is served on the database at *url*, with its rows."""
    port, folder = free_port(), new_folder("overload")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FASTAPI_EASY_")},
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        "FASTAPI_EASY_DATABASES__DEFAULT__URL": url,
        "FASTAPI_EASY_DATABASES__DEFAULT__MIGRATIONS": "auto",
    }
    target = "tests.faults.report.overloaded_shop:app"
    with (folder / "log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fastapi_easy", "run", target, "--port", str(port)),
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        async with (
            asyncio.timeout(STARTING),
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=STARTING) as client,
        ):
            await _wait_until_ready(client, process)
            rows = [{"create": {"name": f"parcel {number}"}} for number in range(50)]
            answer = await client.post(f"{PATH}/bulk", json={"items": rows})
            assert answer.status_code < 300, answer.text
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        _ = await process.wait()


async def _wait_until_ready(client: httpx2.AsyncClient, process: asyncio.subprocess.Process) -> None:
    while process.returncode is None:
        with contextlib.suppress(httpx2.TransportError):
            if (await client.get("/health/ready")).status_code == 200:
                return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"the application ended with {process.returncode} at its start")


def _figure(what: str, value: str, wanted: str, *, met: bool) -> Figure:
    return Figure(FAULT, what, "PostgreSQL", value, wanted, met)


def _of_load(clients: int, found: Answers, peak: float) -> list[Figure]:
    share, waited = found.good / peak, found.p99.get(200, 0.0)
    figures = [
        _figure(
            f"good answers, {clients} clients that never wait",
            f"{found.good:,.0f}/s, {share:.0%} of the peak",
            ">= 80 % of the peak",
            met=share >= 0.8 and found.broken == 0,
        ),
        _figure(
            f"p99 of the good answers, {clients} clients",
            f"{waited:,.0f} ms",
            f"<= {DEADLINE:.0f} s",
            met=0 < waited <= DEADLINE * 1000,
        ),
    ]
    if found.refused:
        slowest = found.p99[503]
        figures.append(
            _figure(
                f"p99 of the refusals, {clients} clients",
                f"{slowest:,.0f} ms, {found.refused:,} of {sum(found.statuses.values()):,}",
                "< 50 ms",
                met=slowest < 50,
            )
        )
    return figures


async def _attacked(port: int, peak: float) -> list[Figure]:
    """Fifty clients, while another program asks with many connections as fast as it can."""
    attack, found = await asyncio.gather(
        ask(port, PATH, ATTACKERS * 2, settling=SETTLING, seconds=SECONDS),
        ask(port, PATH, 50, settling=SETTLING, seconds=SECONDS),
    )
    good = attack.good + found.good
    return [
        _figure(
            f"good answers, 50 clients beside {ATTACKERS * 2} of a program that takes no refusal for one",
            f"{good:,.0f}/s, {good / peak:.0%} of the peak; {found.good:,.0f}/s of the 50",
            ">= 80 % of the peak, some of the 50",
            met=good >= 0.8 * peak and found.good > 0,
        )
    ]


async def _with_slow_connections(url: str, seconds: float) -> list[Figure]:
    """Many ask at once, when there is one connection and each of the others takes so long to be made."""
    async with wired(url) as (address, wire), _served(address) as port:
        # Those of the start are there; all others are made under the load.
        wire.connect_delay = seconds
        found = await ask(port, PATH, 400, settling=0.0, seconds=4.0)
    refused = found.p99.get(503, 0.0)
    return [
        _figure(
            f"400 clients, cold pool, a connection takes {seconds:g} s",
            f"{found.good:,.0f} good/s, p99 {found.p99.get(200, 0):,.0f} ms; {found.refused:,} refused, "
            f"p99 {refused:,.0f} ms",
            "good answers, and refusals in less than 0.5 s",
            met=found.good > 0 and refused < 500,
        )
    ]


async def measured() -> list[Figure]:
    """Return what was answered and refused under each load."""
    service = obtain("postgres")
    url = scratch_database(service)
    figures: list[Figure] = []
    try:
        async with _served(url) as port:
            before = await ask(port, PATH, PEAK, settling=SETTLING, seconds=SECONDS)
            figures += _of_load(PEAK, before, before.good)
            for clients in CLIENTS:
                found = await ask(port, PATH, clients, settling=SETTLING, seconds=SECONDS)
                after = await ask(port, PATH, PEAK, settling=SETTLING, seconds=SECONDS)
                figures += _of_load(clients, found, (before.good + after.good) / 2)
                before = after
            figures += await _attacked(port, before.good)
        for seconds in (0.5, 3.0):
            figures += await _with_slow_connections(url, seconds)
    finally:
        drop_scratch_database(service, url)
    return figures
