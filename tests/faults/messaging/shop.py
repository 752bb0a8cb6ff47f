"""Accounts that processes change, a relay that publishes so, and a ledger in another database that counts it.

The processes are forked from one that has the imports behind it. Each says `running` once it works, and ends when it
is told anything, or is killed.
"""

import asyncio
import multiprocessing
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlmodel import Field, SQLModel

from fastapi_easy.application import Kernel
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Failure, Outcome, Patch
from fastapi_easy.domain.ports import Broker, UnitOfWork
from fastapi_easy.events import open_relay
from fastapi_easy.infrastructure.brokers.kafka.broker import KafkaBroker
from fastapi_easy.infrastructure.brokers.nats.broker import NatsBroker
from fastapi_easy.infrastructure.brokers.redis.broker import RedisBroker
from fastapi_easy.messaging import ReceivedMessage, consume, open_consumers
from fastapi_easy.settings import Settings

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload([__name__, "tests.faults.messaging.warmed"])

ACCOUNTS = 8
PARTITIONS = 4
CHANCE = random.Random()  # noqa: S311 (chooses what to do next)
SILENCE = 1.0
"""Seconds after which a killed consumer counts as dead."""


class Account(SQLModel, table=True):
    """Its version counts its changes, and so its events."""

    __tablename__ = "moved_account"
    id: int | None = Field(default=None, primary_key=True)
    balance: int = 0
    version: int = 1


class Effect(SQLModel, table=True):
    """One effect of one event. Nothing keeps a second one out but the inbox."""

    __tablename__ = "moved_effect"
    id: int | None = Field(default=None, primary_key=True)
    account: int
    version: int


class Bank(Container):
    accounts = resource(Account, version="version", events=True)


async def count(message: ReceivedMessage, kernel: Kernel, work: UnitOfWork) -> Outcome[Any]:
    """Note the effect of an event."""
    data = message.data
    return await work.repository("effects").add({"account": data["key"], "version": int(data["version"])})


class Ledger(Container):
    """Counts updates only: creations are another topic, and nothing orders two topics."""

    effects = resource(Effect)
    consumers = (consume("accounts.updated", handle=count, group="ledger"),)


def broker_at(url: str, stream: str) -> Broker:
    if url.startswith("nats"):
        return NatsBroker(url, stream=stream, partitions=PARTITIONS, retention=3600, silence=SILENCE)
    if url.startswith("kafka"):
        return KafkaBroker(url, silence=SILENCE)
    return RedisBroker(url, partitions=PARTITIONS, retention=3600, silence=SILENCE)


def tables_made(url: str) -> dict[str, Any]:
    """The settings of a database that is not looked at when a process starts: its tables are there."""
    return {"databases": {"default": {"url": url, "migrations": "off"}}}


def bank_at(database: str, broker: str, stream: str) -> Any:
    # The claims of a killed relay end soon.
    events = {"publish_timeout": 0.7, "lease": 2.1, "poll_interval": 0.02, "idle_poll_interval": 0.1}
    settings = Settings.model_validate({**tables_made(database), "events": events})
    return Bank(settings=settings, broker=broker_at(broker, stream))


def ledger_at(database: str, broker: str, stream: str) -> Any:
    settings = Settings.model_validate(tables_made(database))
    return Ledger(settings=settings, broker=broker_at(broker, stream))


def run(work: Any, pipe: Any, *arguments: Any) -> None:
    asyncio.run(work(pipe, *arguments))


@asynccontextmanager
async def until_told(pipe: Any) -> AsyncIterator[asyncio.Event]:
    """Say that it works, and let it until the test says something."""
    stopping = asyncio.Event()

    async def listen() -> None:
        _ = await asyncio.to_thread(pipe.recv)
        stopping.set()

    listening = asyncio.create_task(listen())
    pipe.send("running")
    try:
        yield stopping
        _ = await stopping.wait()
    finally:
        _ = listening.cancel()


async def write(pipe: Any, bank: tuple[str, str, str], ledger: str) -> None:
    """Change accounts at random, sometimes two in one transaction."""
    async with open_kernel(bank_at(*bank)) as kernel, until_told(pipe) as stopping:
        while not stopping.is_set():
            key, other = CHANCE.sample(range(1, ACCOUNTS + 1), 2)
            if CHANCE.random() < 0.2:
                await _move(kernel, *sorted((key, other)))
            else:
                _ = await kernel.accounts.update(key, Patch({"balance": CHANCE.randrange(1000)}))
            await asyncio.sleep(0.05)


async def _move(kernel: Kernel, key: int, other: int) -> None:
    async with kernel.unit_of_work() as work:
        accounts = work.repository("accounts")
        for each in (key, other):
            changed = await accounts.update(each, Patch({"balance": CHANCE.randrange(1000)}))
            if isinstance(changed, Failure):
                return
        _ = await work.commit()


async def relay(pipe: Any, bank: tuple[str, str, str], ledger: str) -> None:
    """Publish what the outbox holds."""
    async with open_relay(bank_at(*bank)) as running, running.running(), until_told(pipe):
        pass


async def consume_all(pipe: Any, bank: tuple[str, str, str], ledger: str) -> None:
    """Count the effects of events."""
    async with open_consumers(ledger_at(ledger, *bank[1:])), until_told(pipe):
        pass
