"""How the calls of an outbox or an inbox reach a MongoDB database, and the terms they share."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome, OutcomeUnknown
from fastapi_easy.domain.outbox.tables import MessageState
from fastapi_easy.domain.ports.breaker import CallNotPermitted
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    DATABASE_ERRORS,
    CommitOutcomeUnknown,
    PoolExhausted,
    TransactionLost,
    as_unavailable,
    is_ambiguous,
    is_conflict,
    is_unreachable,
)

T = TypeVar("T")

UNPUBLISHED: Final[Mapping[str, object]] = {"$lt": int(MessageState.PUBLISHED)}

NOW: Final[Mapping[str, object]] = {"$multiply": [{"$toLong": "$$NOW"}, 1000]}
"""The microseconds since 1970 by the clock of the server, in whole milliseconds."""


class SystemCollection:
    """Calls on one collection of the system's own.

    Args:
        database: The database.

        name: Of the collection.
    """

    def __init__(self, database: MongoDatabase, name: str) -> None:
        self.database = database
        self.name = name

    async def aggregate(self, *stages: Document) -> list[Document]:
        """Return what the pipeline *stages* answers."""
        return await self.database.client.commands.aggregate(self.name, list(stages))

    async def update(self, match: Document, *stages: Document) -> int:
        """Change every document that *match* selects as *stages* say; return their number."""
        done = await self._write(lambda documents: documents.update_many(match, list(stages)))
        return int(done.matched_count)

    async def remove(self, match: Document) -> int:
        """Delete every document that *match* selects; return their number."""
        done = await self._write(lambda documents: documents.delete_many(match))
        return int(done.deleted_count)

    async def _write(self, call: Callable[[Any], Awaitable[Any]]) -> Any:
        client = self.database.client
        return await client.call(lambda: call(client.collection(self.name)), is_write=True)

    async def attempt(self, call: Callable[[], Awaitable[T]], /) -> Outcome[T]:
        """Return the result of *call*.

        Fails with:
            Unavailable: The server did not answer, or is in conflict with others for too long.

            OutcomeUnknown: The answer to a write was lost.
        """
        try:
            return Success(await call())
        except DATABASE_ERRORS as error:
            return self.failed(error)

    def failed(self, error: BaseException) -> Failure[Any]:
        """Return what *error* means to a caller, where it is none of ours."""
        name = self.database.name
        if isinstance(error, CommitOutcomeUnknown) or is_ambiguous(error):
            return Failure(OutcomeUnknown(name))
        is_passing = isinstance(error, PoolExhausted | CallNotPermitted | TransactionLost)
        if is_passing or is_unreachable(error):
            return Failure(as_unavailable(error, name))
        if is_conflict(error):
            return Failure(as_unavailable(TransactionLost(), name))
        raise error


def earlier(states: Mapping[str, object], output: str, collection: str) -> Document:
    """Return a stage that puts one message of the same entity before each into *output*, if there is one."""
    return {
        "$lookup": {
            "from": collection,
            "let": {"resource": "$resource", "entity": "$entity", "number": "$number"},
            "pipeline": [
                {"$match": {"state": states, "$expr": _same_entity("$lt")}},
                {"$limit": 1},
                {"$project": {"_id": 1}},
            ],
            "as": output,
        }
    }


def later(states: Mapping[str, object], output: str, collection: str) -> Document:
    """Return a stage that puts the number of messages of the same entity behind each into *output*, as a list."""
    return {
        "$lookup": {
            "from": collection,
            "let": {"resource": "$resource", "entity": "$entity", "number": "$number"},
            "pipeline": [{"$match": {"state": states, "$expr": _same_entity("$gt")}}, {"$count": "n"}],
            "as": output,
        }
    }


def _same_entity(comparison: str) -> Document:
    return {
        "$and": [
            {"$eq": ["$resource", "$$resource"]},
            {"$eq": ["$entity", "$$entity"]},
            {comparison: ["$number", "$$number"]},
        ]
    }
