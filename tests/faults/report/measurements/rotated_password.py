"""A password that is changed while a program runs, and starts of programs whose URL is wrong."""

import tempfile
import time
from pathlib import Path

import httpx2

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.interfaces.http import health
from tests.e2e.serving import client_of
from tests.faults.outages.accounts import FIRST, SECOND, STORES, Account, account_on
from tests.faults.outages.parcels import post_at
from tests.faults.outages.starts import CAUSES, started, wrong_url
from tests.faults.report.figure import Figure
from tests.wire import wired

SERVERS = {"postgresql": "PostgreSQL", "mysql": "MariaDB", "mongodb": "MongoDB"}
DRIVERS = {
    "postgresql": ("postgresql+asyncpg", "postgresql+psycopg"),
    "mysql": ("mysql+asyncmy", "mysql+aiomysql"),
    "mongodb": ("mongodb",),
}
FAULT = "A password is changed"
RECOVERED = 1.5
CALLS = 5


async def measured() -> list[Figure]:
    """Rotate the password of each server's account, and start programs with wrong URLs."""
    health._CACHE_SECONDS = 0.0  # type: ignore[misc]
    figures = []
    for scheme, server in SERVERS.items():
        with account_on(STORES[scheme]) as account:
            for driver in DRIVERS[scheme]:
                figures += await _rotation(account, driver, f"{server}")
            figures.append(await _starts(account, scheme, server))
            figures.append(_command(account, scheme, server))
    return figures


async def _rotation(account: Account, driver: str, server: str) -> list[Figure]:
    async with (
        wired(account.url_with(driver)) as (url, wire),
        client_of(create_app(post_at(url))) as client,
    ):
        client.timeout = httpx2.Timeout(60)
        _ = await client.post("/parcels", json={"name": "a"})
        account.rotate(SECOND)
        wire.reset()
        answers = [await client.get("/parcels") for _ in range(CALLS)]
        ready = await client.get("/health/ready")
        account.rotate(FIRST)
        begun = time.monotonic()
        while (await client.get("/parcels")).status_code != 200:
            pass
        recovery = time.monotonic() - begun
    statuses = sorted({each.status_code for each in answers})
    cause = str(ready.json()["dependencies"]["default"].get("cause"))
    said = "".join(each.text for each in (*answers, ready))
    is_secret = FIRST not in said and SECOND not in said
    return [
        Figure(
            fault=FAULT,
            what=f"calls, /health/ready ({driver})",
            server=server,
            value=f"{', '.join(map(str, statuses))}; {ready.status_code}: {cause}",
            wanted="503; 503: refuses the user or the password",
            met=statuses == [503]
            and (ready.status_code, cause) == (503, "refuses the user or the password")
            and is_secret,
        ),
        Figure(
            fault=FAULT,
            what=f"first answer once it is right again, without a restart ({driver})",
            server=server,
            value=f"{recovery:.2f} s",
            wanted=f"<= {RECOVERED} s",
            met=recovery <= RECOVERED,
        ),
    ]


async def _starts(account: Account, scheme: str, server: str) -> Figure:
    """Open the kernel with each thing that may be wrong, by each driver."""
    clear = tried = 0
    for driver in DRIVERS[scheme]:
        for cause in CAUSES:
            tried += 1
            try:
                async with open_kernel(post_at(wrong_url(account, driver, cause))):
                    pass
            except ConnectionError as error:
                said = str(error)
                clear += "\n" not in said and "secret" not in said and ": " in said
    return Figure(
        fault=FAULT,
        what=f"starts that say why in a sentence ({', '.join(CAUSES)})",
        server=server,
        value=f"{clear} of {tried}",
        wanted=f"{tried} of {tried}",
        met=clear == tried,
    )


def _command(account: Account, scheme: str, server: str) -> Figure:
    url = wrong_url(account, DRIVERS[scheme][0], "password")
    commands = (("run", "crates:app", "--port", "0"), ("migrate", "plan", "crates:app"))
    with tempfile.TemporaryDirectory() as folder:
        ends = [started(Path(folder), url, *each) for each in commands]
    clear = sum(each.is_clear for each in ends)
    return Figure(
        fault=FAULT,
        what="`run` and `migrate` that end with one line about it, and not with 0",
        server=server,
        value=f"{clear} of {len(ends)}",
        wanted=f"{len(ends)} of {len(ends)}",
        met=clear == len(ends),
    )
