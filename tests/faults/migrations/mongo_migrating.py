"""A migration of a MongoDB database, and processes that are killed while they carry it out."""

import asyncio
import os
import signal
from typing import Any, ClassVar

import pymongo
import pymongo.monitoring
from pydantic import BaseModel

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.infrastructure.entities.plain import describe
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.testing import resource_from
from tests.conformance.mongo_schemas import empty, store_at
from tests.faults.migrations.migrating import context, migrate

context.set_forkserver_preload(["tests.faults.migrations.migrating", __name__])

HINTS = Hints(renamed_columns={"book.title": "name"}, batch_size=1)
BOOKS = ({"_id": 1, "title": "a"}, {"_id": 2, "title": "b"})
_READS = frozenset(
    {
        "hello",
        "ping",
        "find",
        "aggregate",
        "listCollections",
        "listIndexes",
        "buildInfo",
        "count",
        "endSessions",
    }
)


class Book(BaseModel):
    """What is declared in the end."""

    __unique__: ClassVar = ("name",)

    id: int
    name: str


class Seat(BaseModel):
    """A collection that is new."""

    id: int


def declared_store_at(url: str) -> Any:
    """A store at *url* that declares books and seats."""
    database = MongoDatabase("shop", url)
    resources = [
        resource_from(database.narrow_shape(name, describe(entity))[0], name, entity)
        for name, entity in {"books": Book, "seats": Seat}.items()
    ]
    return store_at(url, [database.plan(each) for each in resources])


async def fill(url: str) -> None:
    """Make the database at *url* what it was before the migration."""
    await empty(url)
    schema = {"required": ["title"], "properties": {"title": {"bsonType": "string"}}}
    async with pymongo.AsyncMongoClient(url) as client:
        database = client.get_default_database()
        _ = await database.create_collection("book", validator={"$jsonSchema": schema})
        _ = await database["book"].create_index("title", unique=True)
        _ = await database["book"].insert_many([dict(each) for each in BOOKS])


async def forget_lock(url: str) -> None:
    """Let the lock of a process that was killed run out at once."""
    async with pymongo.AsyncMongoClient(url) as client:
        _ = await client.get_default_database()["fe_lock"].update_many({}, {"$set": {"expires_at": 0}})


async def plan_at(store: Any) -> MigrationPlan:
    """The plan that leads on from what is stored."""
    draft = (await store.draft(HINTS)).unwrap()
    return MigrationPlan(
        database="shop",
        dialect="mongodb",
        schema_before=draft.stored.fingerprint,
        declared=draft.declared,
        steps=draft.steps,
    )


class Boundaries(pymongo.monitoring.CommandListener):
    """Counts the commands that change something but the lock, and kills the process before one of them."""

    def __init__(self, fatal: int) -> None:
        self.passed = 0
        self._fatal = fatal

    def started(self, event: Any) -> None:
        """Count the command that is about to be sent."""
        if event.command_name in _READS or event.command[event.command_name] == "fe_lock":
            return
        if self.passed == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        self.passed += 1

    def succeeded(self, event: Any) -> None:
        """Do nothing."""

    def failed(self, event: Any) -> None:
        """Do nothing."""


def migrate_until_killed(url: str, plan: MigrationPlan, fatal: int, pipe: Any) -> None:
    """Migrate *url* in a process of one's own, and be killed at the boundary *fatal*; say how many were passed."""
    boundaries = Boundaries(fatal)
    pymongo.monitoring.register(boundaries)

    async def work() -> None:
        store = declared_store_at(url)
        _ = await migrate(store, plan, f"killed at {fatal}")
        await store.close()

    asyncio.run(work())
    pipe.send(boundaries.passed)


def migrate_with_others(url: str, plan: MigrationPlan, number: int, pipe: Any) -> None:
    """Migrate *url* when told to, as replica *number*; say what there was to do."""

    async def work() -> str:
        store = declared_store_at(url)
        answer = await migrate(store, plan, f"replica {number}")
        await store.close()
        return answer

    pipe.send("ready")
    pipe.recv()
    pipe.send(asyncio.run(work()))


def execute_only(url: str, plan: MigrationPlan, pipe: Any) -> None:
    """Migrate *url*, and wait for whoever is in the way as long as that takes."""
    asyncio.run(migrate(declared_store_at(url), plan, "waits"))
    pipe.send("done")
