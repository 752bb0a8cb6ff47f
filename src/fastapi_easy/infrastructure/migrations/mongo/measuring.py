"""Questions about documents, each answered within a limit of time."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo.errors import ExecutionTimeout, OperationFailure

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.risk import UNKNOWN, Measured, Statistics, Unmeasured
from fastapi_easy.infrastructure.migrations.mongo.commands import to_document
from fastapi_easy.infrastructure.migrations.mongo.connections import MongoConnections
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document, Pipeline

_MILLISECONDS: Final = 2_000
"""For each question."""

_DUPLICATES: Final = re.compile(r"(?P<table>.+)\.\((?P<columns>.*)\)")


async def measure(
    connections: MongoConnections, changes: Sequence[Change], questions: Sequence[str]
) -> Statistics:
    """Answer *questions* about the collections of *changes*; what takes too long, or has no answer here, is unknown."""
    measuring = _Measuring(connections, changes)
    return Statistics({each: await measuring.answer(each) for each in dict.fromkeys(questions)})


class _Measuring:
    """The questions of one plan, about what is there before it is carried out."""

    def __init__(self, connections: MongoConnections, changes: Sequence[Change]) -> None:
        self._database = connections.database
        self._changes = changes
        self._old_names = {
            each.facts.get("new_name", ""): each.table
            for each in changes
            if each.kind is ChangeKind.RENAME_COLLECTION
        }
        self._old_fields = {
            (each.table, each.facts.get("new_name", "")): each.name
            for each in changes
            if each.kind is ChangeKind.RENAME_COLUMN
        }

    async def answer(self, question: str) -> Measured | Unmeasured:
        kind, _, subject = question.partition(":")
        try:
            match kind:
                case "rows":
                    return await self._count(self._stored_name(subject))
                case "size":
                    return await self._size(self._stored_name(subject))
                case "duplicates":
                    return await self._duplicates(subject)
                case "violations":
                    return await self._violations(subject)
                case _:
                    return UNKNOWN
        except (ExecutionTimeout, OperationFailure):
            return UNKNOWN

    async def _count(self, collection: str) -> int:
        estimate = await self._database[collection].estimated_document_count(maxTimeMS=_MILLISECONDS)
        if estimate:
            return int(estimate)
        # The estimate may be wrong after a crash, and nothing is what is dropped without asking.
        return int(await self._database[collection].count_documents({}, maxTimeMS=_MILLISECONDS))

    async def _size(self, collection: str) -> int:
        described = await self._database.command("collStats", collection, maxTimeMS=_MILLISECONDS)
        return int(described.get("size", 0))

    async def _duplicates(self, subject: str) -> Measured | Unmeasured:
        found = _DUPLICATES.fullmatch(subject)
        if found is None:
            return UNKNOWN
        table, columns = found["table"], found["columns"].split(",")
        change = next(
            (
                each
                for each in self._changes
                if each.table == table and list(each.facts.get("columns", ())) == columns
            ),
            None,
        )
        where = None if change is None else change.facts.get("where")
        paths = [self._stored_path(table, each) for each in columns]
        match: Document = {}
        if where:
            match = {self._stored_path(table, path): rule for path, rule in to_document(where).items()}
        keys = {f"k{number}": f"${path}" for number, path in enumerate(paths)}
        pipeline: Pipeline = [
            {"$match": match},
            {"$group": {"_id": keys, "n": {"$sum": 1}}},
            {"$match": {"n": {"$gt": 1}}},
            {"$limit": 1},
            {"$count": "found"},
        ]
        return await self._first(table, pipeline)

    async def _violations(self, subject: str) -> Measured | Unmeasured:
        change = next(
            (
                each
                for each in self._changes
                if each.kind is ChangeKind.CHANGE_VALIDATOR
                and subject == f"{each.table}.{each.name or _brackets(each)}"
            ),
            None,
        )
        validator: Mapping[str, Any] | None = (
            None if change is None else to_document(change.facts.get("validator", "{}"))
        )
        if change is None or validator is None:
            return UNKNOWN
        if not validator:
            return 0
        return await self._first(
            change.table, [{"$match": {"$nor": [validator]}}, {"$limit": 1}, {"$count": "found"}]
        )

    async def _first(self, table: str, pipeline: Pipeline) -> int:
        collection = self._database[self._stored_name(table)]
        cursor = await collection.aggregate(pipeline, maxTimeMS=_MILLISECONDS, allowDiskUse=True)
        found = await cursor.to_list(None)
        return int(found[0]["found"]) if found else 0

    def _stored_name(self, table: str) -> str:
        return self._old_names.get(table, table)

    def _stored_path(self, table: str, path: str) -> str:
        first, dot, rest = path.partition(".")
        return f"{self._old_fields.get((table, first), first)}{dot}{rest}"


def _brackets(change: Change) -> str:
    return f"({','.join(change.facts.get('columns', ()))})"
