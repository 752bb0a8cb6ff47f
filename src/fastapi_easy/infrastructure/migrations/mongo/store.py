"""The stored schema of one MongoDB database, and its ledger."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.change import Change, Dialect
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.risk import Statistics
from fastapi_easy.domain.migrations.run import History
from fastapi_easy.domain.migrations.step import Effect, Step
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.schema_store import Draft, MigrationSession, StoredSchema
from fastapi_easy.infrastructure.migrations.mongo.connections import MongoConnections
from fastapi_easy.infrastructure.migrations.mongo.declared import DeclaredCollection, checksum_of, declare
from fastapi_easy.infrastructure.migrations.mongo.drafting.draft import (
    CannotDraft,
    Found,
    draft_steps,
    find_field_renames,
    find_renames,
)
from fastapi_easy.infrastructure.migrations.mongo.drafting.indexes import concerns
from fastapi_easy.infrastructure.migrations.mongo.drafting.steps import needs_rename
from fastapi_easy.infrastructure.migrations.mongo.failures import ERRORS, failure_of
from fastapi_easy.infrastructure.migrations.mongo.ledger import Ledger, LedgerState
from fastapi_easy.infrastructure.migrations.mongo.locking import MigrationLocks
from fastapi_easy.infrastructure.migrations.mongo.measuring import measure
from fastapi_easy.infrastructure.migrations.mongo.picture import CollectionPicture
from fastapi_easy.infrastructure.migrations.mongo.probing import find_effect
from fastapi_easy.infrastructure.migrations.mongo.reading import describe, read_names, read_pictures
from fastapi_easy.infrastructure.migrations.mongo.session import MongoSession, answered
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import Plan
from fastapi_easy.infrastructure.persistence.mongo.driver.url import resolve

__all__ = ["MongoSchemaStore"]

T = TypeVar("T")


class MongoSchemaStore:
    """Implements `SchemaStore` on MongoDB, stand-alone servers included.

    It has a client of its own, without limits of time.

    Args:
        name: The name of the database in the settings.

        url: Where it is.

        plans: Returns the plans of the resources that are kept there.

        clock: Tells the times that are recorded.
    """

    def __init__(self, name: str, url: str, plans: Callable[[], Sequence[Plan]], clock: Clock) -> None:
        self._name = name
        self._plans = plans
        self._clock = clock
        self._connections = MongoConnections(url)
        # Leases are asked for with PyMongo too, whatever the program uses.
        self._locks = MigrationLocks(resolve(url).url, name, clock)
        self._ledger = Ledger(self._connections, name)

    @property
    def name(self) -> str:
        """The name of the database in the settings."""
        return self._name

    @property
    def dialect(self) -> Dialect:
        """The kind of database."""
        return "mongodb"

    async def is_empty(self) -> Outcome[bool]:
        """Return whether there is no collection but the system's own."""

        async def ask() -> bool:
            return not await read_names(self._connections, self._names)

        return await self._answer(ask)

    async def declared(self) -> Outcome[str]:
        """Return the checksum of the declared schema; nothing is asked."""
        return Success(checksum_of(self._declared))

    async def describe(self) -> Outcome[StoredSchema]:
        """Describe the stored schema, without the ledger."""

        async def ask() -> StoredSchema:
            return await describe(self._connections, (await self._pictures()).values())

        return await self._answer(ask)

    async def draft(self, hints: Hints) -> Outcome[Draft]:
        """Compare the stored schema with the declared one, and return the steps from one to the other.

        Fails with:
            MigrationStopped: A hint cannot be followed.

            Unavailable: The database does not answer.
        """

        async def ask() -> Draft:
            pictures = await self._pictures()
            found = Found(
                database=self._connections.database_name,
                declared=self._declared,
                stored=pictures,
                created=await self._ledger.created(),
                rows=await self._estimates(pictures),
                renamed=await self._renamed_fields(pictures, hints),
            )
            return Draft(
                stored=await describe(self._connections, pictures.values()),
                declared=checksum_of(self._declared),
                steps=tuple(draft_steps(found, hints)),
            )

        try:
            return await self._answer(ask)
        except CannotDraft as error:
            return Failure(MigrationStopped(self._name, MigrationStop.UNSUPPORTED, str(error)))

    async def measure(self, changes: Sequence[Change], questions: Sequence[str]) -> Outcome[Statistics]:
        """Answer *questions* about the data; what takes too long stays unknown."""
        return await self._answer(lambda: measure(self._connections, changes, questions))

    async def probe(self, step: Step) -> Outcome[Effect]:
        """Look for the effect of *step*."""
        return await self._answer(lambda: find_effect(self._connections, step.probe))

    async def history(self) -> Outcome[History]:
        """Read the ledger; one that does not exist is empty, and is not created."""
        return await self._answer(self._ledger.history)

    @contextlib.asynccontextmanager
    async def session(self, owner: str, wait: float) -> AsyncIterator[Outcome[MigrationSession]]:
        """Hold the lock of migrations for the duration of the block.

        Args:
            owner: Who asks for it.

            wait: Seconds to wait for another process at most; it is polled.

        Yields:
            The session, or `LockHeld` with the name of who holds it, or `Unavailable`.
        """
        async with contextlib.AsyncExitStack() as stack:
            yield await self._session(stack, owner, wait)

    async def backup(self) -> Outcome[str]:
        """Return an empty text: backups of a server are the business of whoever runs it."""
        return Success("")

    async def close(self) -> None:
        """Close every connection. Twice does nothing."""
        await self._connections.close()

    async def _session(
        self, stack: contextlib.AsyncExitStack, owner: str, wait: float
    ) -> Outcome[MigrationSession]:
        try:
            held = await stack.enter_async_context(self._locks.hold(owner, wait))
            if isinstance(held, Failure):
                return held
            # After the lock was got: whoever has begun since then has taken it away.
            seen = (await self._ledger.state() or LedgerState()).epoch
        except ERRORS as error:
            return Failure(failure_of(error, self._name))
        return Success(
            MongoSession(
                self._connections,
                database=self._name,
                lock=held.unwrap(),
                seen=seen,
                declared=self._names,
                clock=self._clock,
            )
        )

    @property
    def _declared(self) -> tuple[DeclaredCollection, ...]:
        return declare(self._plans())

    @property
    def _names(self) -> frozenset[str]:
        return frozenset(each.collection for each in self._plans())

    async def _pictures(self) -> dict[str, CollectionPicture]:
        return await read_pictures(self._connections, self._names)

    async def _estimates(self, pictures: dict[str, CollectionPicture]) -> dict[str, int]:
        return {
            name: int(await self._connections.database[name].estimated_document_count())
            for name, picture in pictures.items()
            if picture.kind == "collection"
        }

    async def _renamed_fields(
        self, pictures: dict[str, CollectionPicture], hints: Hints
    ) -> dict[str, list[tuple[str, str]]]:
        """Return the fields that hints rename, of collections in which a document, or an index, has them still."""
        if not hints.renamed_columns:
            return {}
        old_names = {new: old for old, new in find_renames(pictures, self._declared, hints).items()}
        found: dict[str, list[tuple[str, str]]] = {}
        for declared in self._declared:
            name = old_names.get(declared.name, declared.name)
            if name not in pictures:
                continue
            for old, new in find_field_renames(declared, name, hints):
                document = await self._connections.database[name].find_one(needs_rename(old, new), {"_id": 1})
                if document is not None or any(concerns(each, old) for each in pictures[name].indexes):
                    found.setdefault(name, []).append((old, new))
        return found

    async def _answer(self, work: Callable[[], Awaitable[T]]) -> Outcome[T]:
        async def ask() -> Outcome[T]:
            return Success(await work())

        return await answered(ask, self._name)
