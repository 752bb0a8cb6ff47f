"""Behind PgBouncer in transaction mode: calls side by side, what other clients find, and round trips."""

import asyncio

from fastapi_easy.bootstrap import create_app
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.outage import Post
from tests.e2e.serving import client_of
from tests.faults.pooled import found_in_sessions, trips
from tests.faults.report.figure import Figure
from tests.services import drop_scratch_database, obtain, scratch_database
from tests.services.pgbouncer import POOL_SIZE

FAULT = "Behind a transaction pooler"
SERVER = "PostgreSQL"
DRIVERS = ("asyncpg", "psycopg")
AT_ONCE = 30
ROUNDS = 20


async def measured() -> list[Figure]:
    """Bring up both servers, and measure through both drivers."""
    figures = []
    for driver in DRIVERS:
        figures += await _calls(driver)
    direct = obtain("postgres")
    for driver, wanted in (("asyncpg", (2, 4)), ("psycopg", (1, 3))):
        url = scratch_database(direct)
        through = url.replace("postgresql://", f"postgresql+{driver}://")
        plain, pooled = await trips(through, "session"), await trips(through, "transaction")
        drop_scratch_database(direct, url)
        figures.append(
            Figure(
                FAULT,
                f"round trips of a read and of a transaction with one statement, {driver}; directly {plain[0]} and"
                f" {plain[1]}",
                SERVER,
                f"{pooled[0]} and {pooled[1]}",
                f"<= {wanted[0]} and {wanted[1]}",
                pooled[0] <= wanted[0] and pooled[1] <= wanted[1],
            )
        )
    return figures


async def _calls(driver: str) -> list[Figure]:
    _ = obtain("postgres")
    service = obtain("pgbouncer")
    url = scratch_database(service)
    options = {
        "url": url.replace("postgresql://", f"postgresql+{driver}://"),
        "queue_time": 10,
        "pool_timeout": 10,
    }
    database = DatabaseSettings.model_validate(options)
    failed = 0
    async with client_of(create_app(Post(settings=Settings(databases={"default": database})))) as client:
        for _ in range(ROUNDS):
            written = await asyncio.gather(
                *[client.post("/parcels", json={"name": str(number)}) for number in range(AT_ONCE)]
            )
            read = await asyncio.gather(
                *[client.get("/parcels", params={"name": str(number)}) for number in range(AT_ONCE)]
            )
            failed += sum(each.status_code != 201 for each in written) + sum(
                each.status_code != 200 for each in read
            )
    found = found_in_sessions(url)
    drop_scratch_database(service, url)
    return [
        Figure(
            FAULT,
            f"failed calls, {AT_ONCE} at once on {POOL_SIZE} sessions, {driver}",
            SERVER,
            f"{failed} of {2 * ROUNDS * AT_ONCE:,}",
            "0",
            failed == 0,
        ),
        Figure(
            FAULT,
            f"settings, locks and statements that other clients find in their sessions, {driver}",
            SERVER,
            str(len(found)),
            "0",
            not found,
        ),
    ]
