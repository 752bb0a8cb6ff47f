"""Leases in one store and data in another, and long units of work that are guarded first of all."""

import asyncio
import contextlib
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from returns.result import Success

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.domain import Everything, LeaseLost, Patch
from tests.faults.locks.losses import ANYWHERE, WITH_A_TTL, Bench
from tests.faults.processes import bank_at
from tests.faults.report.figure import Figure
from tests.services.wanted import empty_database

DATABASES: Final = {"postgres": "PostgreSQL", "mariadb": "MariaDB", "mongo": "MongoDB", "sqlite": "SQLite"}
ROUNDS: Final = 6
TTL: Final = 1.0
"""Seconds of the leases of long units of work, each of which takes three times as long."""

UNITS: Final = 10


async def measured() -> list[Figure]:
    """Count stale writes on every database with leases in Redis and in files, and leases lost by early guards."""
    with contextlib.ExitStack() as stack:
        places = [
            (
                server,
                *(stack.enter_context(place) for place in (data_in(database), redis_locks(), file_locks())),
            )
            for database, server in DATABASES.items()
        ]
        found = await asyncio.gather(*(_measured_on(*each) for each in places))
    return [figure for figures in found for figure in figures]


async def _measured_on(server: str, data: str, in_redis: str, in_files: str) -> list[Figure]:
    figures = [
        Figure(
            fault="Leases across stores",
            what=f"commits under a lost lease in {leases}",
            server=server,
            value=f"{accepted} of {rounds}",
            wanted="0",
            met=accepted == 0,
        )
        for leases, locks in (("Redis", in_redis), ("files", in_files))
        for accepted, rounds in [await stale_writes(data, locks)]
    ]
    if server == "SQLite":
        return figures  # a transaction there keeps every other writer waiting, as is documented
    lost = await lost_by_early_guards(data)
    return [
        *figures,
        Figure(
            fault="Early guards",
            what=f"leases lost in units of work of {3 * TTL:g} s under a lease of {TTL:g} s",
            server=server,
            value=f"{lost} of {UNITS}",
            wanted="0",
            met=lost == 0,
        ),
    ]


@contextlib.contextmanager
def data_in(database: str) -> Iterator[str]:
    """The URL of an empty database."""
    if database == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/data.sqlite3"
    else:
        with empty_database(database) as url:
            yield url


@contextlib.contextmanager
def file_locks() -> Iterator[str]:
    """The URL of an empty folder for leases."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"file://{Path(folder) / 'locks'}"


def redis_locks() -> AbstractContextManager[str]:
    """The URL of an empty Redis for leases."""
    return empty_database("redis")


async def stale_writes(data: str, locks: str) -> tuple[int, int]:
    """Lose leases in every way before a commit; how many commits succeeded all the same, of how many."""
    bench: Any = Bench(data, locks)
    ways = ANYWHERE + (WITH_A_TTL if locks.startswith("redis") else ())
    rounds = 0
    async with open_kernel(bench.bank):
        accounts = bench.bank.accounts.repository()
        before = (await accounts.count(Everything())).unwrap()
        for number in range(ROUNDS):
            for lose in ways:
                rounds += 1
                bench.clock.ahead = 0.0
                name = f"stale:{uuid.uuid4().hex}"
                async with (
                    bench.bank.locks().hold(name, ttl=30.0, on_lost="event") as lease,
                    bench.bank.unit_of_work() as work,
                ):
                    work.bind(lease)
                    if number % 2:
                        _ = (await lease.guard(work)).unwrap()
                    _ = (await work.repository("accounts").add({"balance": 1, "written_by": "late"})).unwrap()
                    async with lose(bench, lease):
                        _ = await work.commit()
        after = (await accounts.count(Everything())).unwrap()
    return after - before, rounds


async def lost_by_early_guards(url: str) -> int:
    """Work for longer than leases last, guarded at the beginning; how many leases were lost."""
    bank: Any = bank_at(url)

    async def work_long() -> bool:
        account = (await bank.accounts.repository().add({"balance": 0})).unwrap()
        try:
            async with (
                bank.locks().hold(f"long:{uuid.uuid4().hex}", ttl=TTL) as lease,
                bank.unit_of_work() as work,
            ):
                work.bind(lease)
                if await lease.guard(work) != Success(None):
                    return True
                _ = (await work.repository("accounts").update(account.id, Patch({"balance": 1}))).unwrap()
                await asyncio.sleep(3 * TTL)
                return await work.commit() != Success(None)
        except LeaseLost:
            return True

    async with open_kernel(bank):
        # Connections and tables are there before the time of a lease begins.
        async with bank.locks().hold("warm", ttl=30):
            pass
        return sum(await asyncio.gather(*(work_long() for _ in range(UNITS))))
