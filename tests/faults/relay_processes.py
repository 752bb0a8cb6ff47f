"""Processes that change, claim, publish or mark, and are killed in the middle of it.

They are forked from one that has the imports behind it, so that each starts in a moment.
"""

import asyncio
import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dependency_injector import providers
from returns.result import Success
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import BeforeUpdate, EntityUpdated
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.broker import BrokerMessage
from fastapi_easy.settings import Settings

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])

LEASE = 0.3


class Letter(SQLModel, table=True):
    __tablename__ = "relayed_letters"
    id: int | None = Field(default=None, primary_key=True)
    line: int = 0


class Office(Container):
    letters = resource(Letter, events=True)


class FileBroker:
    """A `Broker` that writes the id, the key and the line of each message into a file, and is on the disk then."""

    name = "file"

    def __init__(self, file: Path) -> None:
        self.file = file
        self.before_publish: Callable[[], None] = lambda: None
        self.after_publish: Callable[[], None] = lambda: None

    async def open(self) -> Outcome[None]:
        return Success(None)

    async def publish(self, message: BrokerMessage) -> Outcome[None]:
        self.before_publish()
        data = json.loads(message.body)["data"]
        with self.file.open("a") as file:
            file.write(json.dumps([message.id, data["key"], data["values"]["line"]]) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.after_publish()
        return Success(None)

    async def close(self, grace: float = 10.0) -> None:
        pass


def published(file: Path) -> list[tuple[str, int, int]]:
    """The id, the key and the line of each message, in the order in which they were published."""
    if not file.exists():
        return []
    return [(each[0], each[1], each[2]) for each in map(json.loads, file.read_text().splitlines())]


def office(folder: Path, broker: FileBroker) -> Any:
    settings = Settings.model_validate(
        {
            "databases": {"default": {"url": f"sqlite:///{folder / 'office.sqlite3'}"}},
            "events": {"lease": LEASE, "publish_timeout": LEASE / 3},
        }
    )
    return Office(settings=settings, broker=broker)


class DyingOutbox:
    """An `Outbox` whose process is killed while it marks, after so many *turns* of the event loop."""

    def __init__(self, inner: Any, turns: int) -> None:
        self._inner = inner
        self._turns = turns

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def mark_published(self, claims: Any) -> Any:
        marking = asyncio.create_task(self._inner.mark_published(claims))
        for _ in range(self._turns):
            await asyncio.sleep(0)
        die()
        return await marking


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at(point: str, folder: Path, letter: int, turns: int) -> int:
    """The exit code of a process that writes line 1 of *letter* and publishes it, and is killed at *point*."""
    process = _context.Process(target=_change_and_publish, args=(point, folder, letter, turns))
    process.start()
    process.join(120)
    code = process.exitcode
    assert code is not None
    return code


def _change_and_publish(point: str, folder: Path, letter: int, turns: int) -> None:
    asyncio.run(_run(point, folder, letter, turns))


async def _run(point: str, folder: Path, letter: int, turns: int) -> None:
    broker = FileBroker(folder / "published.txt")
    shop = office(folder, broker)

    async def die_in_handler(_: object) -> None:
        die()

    async with open_kernel(shop) as kernel:
        match point:
            case "before the commit":
                shop.event_bus().subscribe(BeforeUpdate, die_in_handler)
            case "after the commit, before the claim":
                shop.event_bus().subscribe(EntityUpdated, die_in_handler)
            case "after the claim, before the publish":
                broker.before_publish = die
            case "after the publish, before the mark":
                broker.after_publish = die
            case "during the mark":
                shop.outboxes.override(
                    providers.Object({"default": DyingOutbox(shop.outboxes()["default"], turns)})
                )
        (await kernel.letters.update(letter, {"line": 1})).unwrap()
        await shop.relay().drain()
