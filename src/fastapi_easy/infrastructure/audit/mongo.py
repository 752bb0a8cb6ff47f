"""The audit trail in MongoDB, whose server has to have transactions."""

import datetime
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from pymongo.errors import DuplicateKeyError
from returns.result import Failure, Success

from fastapi_easy.domain.audit.entry import AuditEntry, Checkpoint, StoredEntry, StreamHead
from fastapi_easy.domain.audit.sealing import COLUMNS, column_text, empty_head
from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.ports.audit_sink import Seal
from fastapi_easy.domain.ports.breaker import CallNotPermitted
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, innermost
from fastapi_easy.infrastructure.audit.rows import read_row, seal_all
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import Session
from fastapi_easy.infrastructure.persistence.mongo.driver.transaction import Transaction
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    DATABASE_ERRORS,
    PoolExhausted,
    as_unavailable,
)
from fastapi_easy.infrastructure.persistence.mongo.journal import unavailable

_logger: Final = logging.getLogger(__name__)

_ENTRIES: Final = "fe_audit"
_HEADS: Final = "fe_audit_head"
_CHECKPOINTS: Final = "fe_audit_checkpoint"
_SUBJECTS: Final = "fe_audit_subject"

_NO_TRANSACTIONS: Final = (
    "an audit trail needs transactions, which a stand-alone MongoDB server does not support: make it a replica set "
    "(one member is enough)"
)
_OPEN_SERVER: Final = (
    "the server asks nobody who they are, so that anybody may change the audit trail: start it with authorization, and "
    "grant the user of the application find and insert only in fe_audit"
)

T = TypeVar("T")


class MongoAuditSink:
    """Implements `AuditSink` in *database*: a document for each entry, whose `_id` is its place in its chain.

    Of two transactions that move the same head one is in conflict, and done again by the transaction.
    """

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Check that the server has transactions, and create the indexes to search by."""

        async def create() -> None:
            entries = self._collection(_ENTRIES)
            _ = await entries.create_index([("resource", 1), ("key", 1)])
            _ = await entries.create_index([("stream", 1), ("seq", 1)])

        try:
            if not await self._database.has_transactions():
                return Success((_NO_TRANSACTIONS,))
            await self._database.client.call(create, is_write=True)
        except DATABASE_ERRORS as error:
            return self._failed(error)
        return Success(())

    async def find_weaknesses(self) -> Outcome[tuple[str, ...]]:
        """Ask the server what the user of the application may do."""

        async def ask() -> Mapping[str, Any]:
            database: Any = self._collection(_ENTRIES).database
            answer: Mapping[str, Any] = await database.command("connectionStatus", showPrivileges=True)
            return answer

        asked = await self._call(ask)
        if isinstance(asked, Failure):
            return asked
        status = asked.unwrap()["authInfo"]
        if not status["authenticatedUsers"]:
            return Success((_OPEN_SERVER,))
        may = {
            action
            for each in status.get("authenticatedUserPrivileges", ())
            if _covers(each["resource"], self._collection(_ENTRIES))
            for action in each["actions"]
        }
        weak = sorted(may & {"update", "remove", "dropCollection"})
        if not weak:
            return Success(())
        return Success(
            (
                f"the user of the application may {', '.join(weak)} in {_ENTRIES}: grant it find and insert only there",
            )
        )

    async def append_in(
        self, work: UnitOfWork, entries: Sequence[AuditEntry], seal: Seal, /
    ) -> Outcome[None]:
        """Append *entries* in the transaction of *work*."""
        inner: Any = innermost(work)
        try:
            await self._append(inner.transaction, entries, seal)
        except DATABASE_ERRORS as error:
            return self._failed(error)
        return Success(None)

    async def append(self, entries: Sequence[AuditEntry], seal: Seal, /) -> Outcome[None]:
        """Append *entries* in a transaction of their own."""
        try:
            transaction = self._database.begin()
            try:
                await self._append(transaction, entries, seal)
                await transaction.commit()
            finally:
                await transaction.close()
        except DATABASE_ERRORS as error:
            return self._failed(error)
        return Success(None)

    async def heads(self) -> Outcome[Sequence[StreamHead]]:
        """Return the head of every stream, by name."""

        async def find() -> list[StreamHead]:
            found = await self._collection(_HEADS).find().sort("_id", 1).to_list(None)
            return [_head(each) for each in found]

        return await self._call(find)

    async def read(self, stream: str, after: int, limit: int, /) -> Outcome[Sequence[StoredEntry]]:
        """Return at most *limit* entries of *stream* with numbers above *after*."""

        async def find() -> list[StoredEntry]:
            entries = self._collection(_ENTRIES)
            order = [("seq", 1), ("leaf", 1)]
            wanted = {"stream": stream, "seq": {"$gt": after}}
            found = await entries.find(wanted).sort(order).limit(limit).to_list(None)
            if len(found) == limit:
                # A document with another `_id` may say that it has the same number.
                last = found[-1]["seq"]
                same = await entries.find({"stream": stream, "seq": last}).sort(order).to_list(None)
                found = [*(each for each in found if each["seq"] < last), *same]
            return [read_row(each) for each in found]

        return await self._call(find)

    async def find(
        self, resource: str, keys: Sequence[str], /, *, after: tuple[str, int] | None, limit: int
    ) -> Outcome[Sequence[StoredEntry]]:
        """Return at most *limit* entries about some entities."""
        wanted: dict[str, Any] = {"resource": resource, "key": {"$in": list(keys)}}
        if after is not None:
            stream, seq = after
            wanted["$or"] = [{"stream": {"$gt": stream}}, {"stream": stream, "seq": {"$gt": seq}}]

        async def find() -> list[StoredEntry]:
            order = [("stream", 1), ("seq", 1)]
            found = await self._collection(_ENTRIES).find(wanted).sort(order).limit(limit).to_list(None)
            return [read_row(each) for each in found]

        return await self._call(find)

    async def find_keys(
        self, resource: str, /, *, actions: Sequence[str] = (), tenant: str | None = None, limit: int
    ) -> Outcome[Sequence[str]]:
        """Return at most *limit* keys of entities that something was done to."""
        wanted: dict[str, Any] = {"resource": resource, "key": {"$ne": None}, "outcome": "ok"}
        if actions:
            wanted["action"] = {"$in": list(actions)}
        if tenant is not None:
            wanted["tenant"] = {"$in": [None, column_text(tenant)]}
        stages = [{"$match": wanted}, {"$group": {"_id": "$key"}}, {"$limit": limit}]

        async def find() -> list[str]:
            found = await (await self._collection(_ENTRIES).aggregate(stages)).to_list(None)
            return [each["_id"] for each in found]

        return await self._call(find)

    async def keep_checkpoint(self, checkpoint: Checkpoint, /) -> Outcome[None]:
        """Store *checkpoint*."""
        # Times of MongoDB have milliseconds.
        moment = checkpoint.created_at.astimezone(datetime.UTC).isoformat(timespec="microseconds")
        document = {
            "_id": {"stream": checkpoint.stream, "size": checkpoint.size, "created_at": moment},
            "root": checkpoint.root,
            "note": checkpoint.note,
        }

        async def keep() -> None:
            try:
                _ = await self._collection(_CHECKPOINTS).insert_one(document)
            except DuplicateKeyError:
                # It was kept before.
                return

        return await self._call(keep, is_write=True)

    async def checkpoints(self, stream: str, /) -> Outcome[Sequence[Checkpoint]]:
        """Return the checkpoints of *stream*, the smallest first."""

        async def find() -> list[Checkpoint]:
            order = [("_id.size", 1), ("_id.created_at", 1)]
            found = (
                await self._collection(_CHECKPOINTS).find({"_id.stream": stream}).sort(order).to_list(None)
            )
            return [_checkpoint(each) for each in found]

        return await self._call(find)

    async def remove_bodies(self, stream: str, last: int, /) -> Outcome[int]:
        """Remove the bodies of the entries up to number *last*."""
        wanted = {"stream": stream, "seq": {"$lte": last}, "body": {"$ne": None}}

        async def remove() -> int:
            gone = {"$set": dict.fromkeys(("body", *COLUMNS))}
            return int((await self._collection(_ENTRIES).update_many(wanted, gone)).modified_count)

        return await self._call(remove, is_write=True)

    async def subject_keys_in(
        self, work: UnitOfWork, new: Mapping[str, bytes], /
    ) -> Outcome[Mapping[str, bytes]]:
        """Return the wrapped keys of the subjects of *new*."""
        inner: Any = innermost(work)
        transaction: Transaction = inner.transaction
        subjects = self._collection(_SUBJECTS)

        async def ensure(session: Session) -> dict[str, bytes]:
            kept: dict[str, bytes] = {}
            for subject in sorted(new):
                found = await self._database.client.call(
                    lambda subject=subject: subjects.find_one_and_update(  # type: ignore[misc]
                        {"_id": subject},
                        {"$setOnInsert": {"wrapped": new[subject]}},
                        upsert=True,
                        return_document=True,
                        session=session,
                    ),
                    is_write=True,
                )
                if found["wrapped"] is not None:
                    kept[subject] = bytes(found["wrapped"])
            return kept

        try:
            return Success(await _twice(transaction, ensure))
        except DATABASE_ERRORS as error:
            return self._failed(error)

    async def subject_keys(self, subjects: Sequence[str], /) -> Outcome[Mapping[str, bytes]]:
        """Return the wrapped keys of *subjects*."""

        async def find() -> dict[str, bytes]:
            wanted = {"_id": {"$in": list(subjects)}, "wrapped": {"$ne": None}}
            found = await self._collection(_SUBJECTS).find(wanted).to_list(None)
            return {each["_id"]: bytes(each["wrapped"]) for each in found}

        return await self._call(find)

    async def list_subject_keys(self, after: str, limit: int, /) -> Outcome[Mapping[str, bytes]]:
        """Return the wrapped keys of the subjects after *after*."""

        async def find() -> dict[str, bytes]:
            wanted = {"_id": {"$gt": after}, "wrapped": {"$ne": None}}
            found = await self._collection(_SUBJECTS).find(wanted).sort("_id", 1).limit(limit).to_list(None)
            return {each["_id"]: bytes(each["wrapped"]) for each in found}

        return await self._call(find)

    async def erase_subject(self, subject: str, /) -> Outcome[bool]:
        """Destroy the key of *subject*."""

        async def erase() -> bool:
            before = await self._collection(_SUBJECTS).find_one_and_update(
                {"_id": subject}, {"$set": {"wrapped": None}}, upsert=True
            )
            return before is not None and before["wrapped"] is not None

        return await self._call(erase, is_write=True)

    async def _append(self, transaction: Transaction, entries: Sequence[AuditEntry], seal: Seal) -> None:
        streams = sorted({entry.stream for entry in entries})
        client = self._database.client
        stored, heads = self._collection(_ENTRIES), self._collection(_HEADS)

        async def append(session: Session) -> None:
            known: dict[str, StreamHead] = {}
            for stream in streams:
                # Changed before it is known what to, so that others are in conflict from here on.
                found = await client.call(
                    lambda stream=stream: heads.find_one_and_update(  # type: ignore[misc]
                        {"_id": stream},
                        {"$inc": {"turn": 1}, "$setOnInsert": _fields(empty_head(stream))},
                        upsert=True,
                        return_document=True,
                        session=session,
                    ),
                    is_write=True,
                )
                known[stream] = _head(found)
            # Sealed anew each time: a transaction that is replayed finds other heads.
            rows, ends = seal_all(entries, known, seal)
            documents = [{"_id": {"stream": row["stream"], "seq": row["seq"]}, **row} for row in rows]
            _ = await client.call(lambda: stored.insert_many(documents, session=session), is_write=True)
            for end in ends:
                _ = await client.call(
                    lambda end=end: heads.update_one(  # type: ignore[misc]
                        {"_id": end.stream}, {"$set": _fields(end)}, session=session
                    ),
                    is_write=True,
                )

        await _twice(transaction, append)

    def _collection(self, name: str) -> Any:
        return self._database.client.collection(name)

    async def _call(self, operation: Callable[[], Awaitable[T]], *, is_write: bool = False) -> Outcome[T]:
        try:
            return Success(await self._database.client.call(operation, is_write=is_write))
        except DATABASE_ERRORS as error:
            return self._failed(error)

    def _failed(self, error: BaseException) -> Failure[Any]:
        if isinstance(error, DuplicateKeyError):
            _logger.critical(
                "the audit trail in database %r was tampered with, so that nothing can be written: run `fastapi-easy "
                "audit verify`",
                self._database.name,
            )
            return Failure(Unavailable(self._database.name))
        if isinstance(error, PoolExhausted | CallNotPermitted):
            return Failure(as_unavailable(error, self._database.name))
        return unavailable(error, self._database.name)


async def _twice(transaction: Transaction, write: Callable[[Session], Awaitable[T]]) -> T:
    """Run *write*, which upserts: of two who insert one document at one moment, one has to try again."""
    try:
        return await transaction.write(write)
    except DuplicateKeyError:
        return await transaction.write(write)


def _fields(head: StreamHead) -> dict[str, object]:
    return {"seq": head.seq, "leaf": head.leaf}


def _head(document: Mapping[str, Any]) -> StreamHead:
    return StreamHead(document["_id"], document["seq"], bytes(document["leaf"]))


def _checkpoint(document: Mapping[str, Any]) -> Checkpoint:
    place = document["_id"]
    return Checkpoint(
        stream=place["stream"],
        size=place["size"],
        root=bytes(document["root"]),
        note=document["note"],
        created_at=datetime.datetime.fromisoformat(place["created_at"]),
    )


def _covers(resource: Mapping[str, Any], collection: Any) -> bool:
    """Return whether a privilege on *resource* is one on *collection*: an empty name stands for all."""
    if resource.get("anyResource"):
        return True
    return resource.get("db") in {"", collection.database.name} and resource.get("collection") in {
        "",
        collection.name,
    }
