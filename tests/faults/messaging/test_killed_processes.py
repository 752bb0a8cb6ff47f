"""Writers, relay and consumer are killed at random moments: nothing is lost, out of order, or done twice."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.settings import Settings
from tests.faults.messaging.shop import (
    ACCOUNTS,
    CHANCE,
    Bank,
    Ledger,
    bank_at,
    consume_all,
    context,
    ledger_at,
    relay,
    run,
    write,
)
from tests.services.wanted import empty_database
from tests.thorough import examples, only_when_thorough

KILLS = examples(3, 100)
PATIENCE = 300.0
"""Seconds after which something that does not happen never will."""

ROLES = {"writer": write, "other writer": write, "relay": relay, "consumer": consume_all}


class Processes:
    """One process for each role, started again whenever it is killed."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments
        self._running: dict[str, tuple[Any, Any]] = {}

    def start(self, role: str) -> None:
        here, there = context.Pipe()
        process = context.Process(target=run, args=(ROLES[role], there, *self._arguments), daemon=True)
        process.start()
        there.close()
        self._running[role] = process, here

    def wait_for(self, role: str) -> None:
        """Wait until it works."""
        _, pipe = self._running[role]
        assert pipe.poll(PATIENCE), f"the {role} says nothing"
        assert pipe.recv() == "running"

    def kill(self, role: str) -> None:
        process, pipe = self._running.pop(role)
        process.kill()
        process.join()
        pipe.close()

    def stop(self, role: str) -> int:
        """Let it end; return its exit code."""
        process, pipe = self._running.pop(role)
        pipe.send("stop")
        process.join(PATIENCE)
        pipe.close()
        return int(process.exitcode)

    def end(self) -> None:
        for role in tuple(self._running):
            self.kill(role)


@contextlib.contextmanager
def started(*arguments: Any) -> Iterator[Processes]:
    processes = Processes(*arguments)
    try:
        for each in ROLES:
            processes.start(each)
        for each in ROLES:
            processes.wait_for(each)
        yield processes
    finally:
        processes.end()


async def make_tables(database: str, ledger: str) -> None:
    """Make the tables of both, and open the accounts."""

    def auto(url: str) -> Settings:
        return Settings.model_validate({"databases": {"default": {"url": url, "migrations": "auto"}}})

    async with (
        open_kernel(Ledger(settings=auto(ledger))),
        open_kernel(Bank(settings=auto(database))) as kernel,
    ):
        for _ in range(ACCOUNTS):
            _ = (await kernel.accounts.create({"balance": 0})).unwrap()


async def versions(bank: Any) -> dict[int, int]:
    async with open_kernel(bank) as kernel:
        page = (await kernel.accounts.list(limit=100)).unwrap()
        return {row["id"]: row["version"] for row in page.items}


async def effects(ledger: Any, wanted: int) -> dict[int, list[int]]:
    """The versions of each account in the order in which they had their effect, once there are *wanted* or more."""
    async with open_kernel(ledger) as kernel:
        async with asyncio.timeout(PATIENCE):
            while (await kernel.effects.count()).unwrap() < wanted:  # noqa: ASYNC110 (of another process)
                await asyncio.sleep(0.1)
        found: dict[int, list[int]] = {}
        async for batch in (await kernel.effects.export(sort="id")).unwrap():
            for row in batch:
                found.setdefault(row["account"], []).append(row["version"])
        return found


@pytest.mark.parametrize("kind", ["nats", "redis", pytest.param("kafka", marks=only_when_thorough)])
def test_no_kill_loses_repeats_or_reorders_an_effect(kind: str, tmp_path: Path) -> None:
    ledger = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    with empty_database("postgres") as database, empty_database(kind) as broker:
        bank = database, broker, f"moved{CHANCE.getrandbits(48):x}"
        asyncio.run(make_tables(database, ledger))
        with started(bank, ledger) as processes:
            # Each role in turn and then at random, so that a short run has every kind of kill.
            roles = itertools.chain(ROLES, iter(lambda: CHANCE.choice(tuple(ROLES)), None))
            for role in itertools.islice(roles, KILLS):
                time.sleep(CHANCE.uniform(0, 0.3))  # a random moment, which proves nothing
                processes.kill(role)
                processes.start(role)
                processes.wait_for(role)
            assert [processes.stop(each) for each in ("writer", "other writer")] == [0, 0]
            final = asyncio.run(versions(bank_at(*bank)))
            # Version 1 is that of the creation, which is of another topic.
            wanted = {account: list(range(2, version + 1)) for account, version in final.items()}
            seen = asyncio.run(effects(ledger_at(ledger, *bank[1:]), sum(map(len, wanted.values()))))
            codes = [processes.stop(each) for each in ("relay", "consumer")]

    assert seen == {account: changes for account, changes in wanted.items() if changes}
    assert codes == [0, 0]
