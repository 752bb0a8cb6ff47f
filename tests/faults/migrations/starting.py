"""A program that migrates its database when it starts, or applies its migrations, in a process of its own."""

import asyncio
import os
import re
import signal
from typing import Any

from returns.result import Failure
from sqlalchemy import Column, Engine, ForeignKey, Integer, String, Table, event
from sqlalchemy.orm import DeclarativeBase

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.migrations import Approvals, Hints, open_migrations
from fastapi_easy.settings import DatabaseSettings, Settings
from fastapi_easy.testing.conformance.store import value_of

ALL = Approvals.read(["dangerous", "destructive"])
HINTS = Hints(fill={"books.stock": "7"}, batch_size=2)
_READ = re.compile(
    r"\s*(SELECT|SET|PRAGMA|BEGIN|START|WITH|SHOW|SAVEPOINT|RELEASE|ROLLBACK|(CREATE|DROP) TEMPORARY)\b"
)


def shop_at(url: str, version: int) -> Container:
    """Return the shop, older or newer; what the newer one adds at a start is safe.

    Args:
        url: Of its database.

        version: 1 has books; 2 has more about them, and loans; 3 needs what is not safe.
    """

    class Tables(DeclarativeBase):
        pass

    def declare(name: str, *columns: Any) -> type[Any]:
        return type(name.title(), (Tables,), {"__table__": Table(name, Tables.metadata, *columns)})

    more = [Column("note", String(50)), Column("shelf", Integer, server_default="3")] if version > 1 else []
    needed = [Column("stock", Integer, nullable=False)] if version > 2 else []
    books = declare(
        "books", Column("id", Integer, primary_key=True), Column("title", String(20)), *more, *needed
    )
    members = {"books": resource(books)}
    if version > 1:
        loans = declare(
            "loans",
            Column("id", Integer, primary_key=True),
            Column("book", Integer, ForeignKey("books.id"), index=True),
        )
        members["loans"] = resource(loans)
    database = DatabaseSettings.model_validate({"url": url, "migrations": "auto"})
    return type("Shop", (Container,), members)(settings=Settings(databases={"default": database}))


def count_writes(found: list[str], fatal: int = -1, number: int = signal.SIGKILL) -> None:
    """Note in *found* what this process is about to write, and send it a signal before the write *fatal*."""

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        in_memory = connection.dialect.name == "sqlite" and connection.engine.url.database in {
            None,
            ":memory:",
        }
        if in_memory or _READ.match(statement) or "fe_shape" in statement:
            return
        if len(found) == fatal:
            os.kill(os.getpid(), number)
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)


async def apply(url: str, version: int, **options: Any) -> str:
    """Apply whatever that version needs; return the state of the run, or what stopped it."""
    async with open_migrations(shop_at(url, version)) as migrations:
        outcome = await migrations.apply(approvals=ALL, hints=HINTS, **options)
    return (
        f"{type(outcome.failure()).__name__}"
        if isinstance(outcome, Failure)
        else outcome.unwrap().state.value
    )


def start_with_others(url: str, version: int, pipe: Any) -> None:
    """Start the program when told to; tell what was executed, and how many books it can read."""

    async def work() -> int:
        async with open_kernel(shop_at(url, version)) as kernel:
            return value_of(await kernel.books.count())

    found: list[str] = []
    count_writes(found)
    _tell(work, found, pipe)


def apply_with_others(url: str, version: int, pipe: Any) -> None:
    """Apply when told to; tell what was executed, and how it ended."""
    found: list[str] = []
    count_writes(found)
    _tell(lambda: apply(url, version, wait=120.0), found, pipe)


def apply_until_signal(url: str, version: int, fatal: int, number: int, pipe: Any) -> None:
    """Apply, and get a signal before the write *fatal*; tell how it ended, and how many writes there were."""
    found: list[str] = []
    count_writes(found, fatal, number)
    ended = asyncio.run(apply(url, version))
    pipe.send((ended, len(found)))


def _tell(work: Any, found: list[str], pipe: Any) -> None:
    pipe.send("ready")
    pipe.recv()
    try:
        answer: Any = asyncio.run(work())
    except BaseException as error:  # noqa: BLE001 - the test is told
        answer = repr(error)
    pipe.send((answer, [each for each in found if "fe_migration" not in each and each != "COMMIT"]))
