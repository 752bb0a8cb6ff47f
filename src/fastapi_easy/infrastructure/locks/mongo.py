"""Leases in MongoDB: one document for each name, one for each wait, and one that counts tickets."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeVar

from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import DuplicateKeyError
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Error, Outcome, Unavailable, Unsupported
from fastapi_easy.domain.locks.lease import (
    EVERY_LOCK_CAPABILITY,
    Acquired,
    Busy,
    LockCapability,
    LockInfo,
    WaitEdge,
)
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.infrastructure.locks.wakeups import OwnerEvents
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.driver.client import Client
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import Session
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.url import resolve
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    DATABASE_ERRORS,
    CommitOutcomeUnknown,
    PoolExhausted,
    TransactionLost,
    as_unavailable,
    has_answered,
    is_unreachable,
)
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork

T = TypeVar("T")

CONNECTION_LIMITS: Final = ConnectionOptions(
    pool_size=2,
    pool_timeout=2.0,
    # No load is shed here: what waits for a connection renews leases, or releases them.
    queue_time=math.inf,
    connect_timeout=2.0,
    statement_timeout=3.0,
    lock_timeout=2.0,
)
_LOCKS: Final = "fe_lock"
_WAITS: Final = "fe_lock_wait"
_TICKETS: Final = "fe_lock_ticket"
_GUARDS: Final = "fe_lock_guard"
"""Transactions that guard a lease write here, and whoever acquires one. The leases themselves are not written, since
renewals would wait for that."""

_NOW: Final = {"$multiply": [{"$toLong": "$$NOW"}, 1000]}
"""Microseconds since 1970, by the server's clock."""

_NOT_EXPIRED: Final = {"$gt": ["$expires_at", _NOW]}
_RELEASED: Final = {"owner": None, "expires_at": None}


class MongoLeaseStore:
    """Implements `LeaseStore` in MongoDB.

    Args:
        url: Like that of a database. Nothing is connected before the first call.

        database: The database whose units of work it can guard, because leases are kept in it; `None` for none.
    """

    name = "locks in MongoDB"
    sends_wakeups = False
    capabilities: frozenset[LockCapability] = EVERY_LOCK_CAPABILITY

    def __init__(self, url: str, database: MongoDatabase | None = None) -> None:
        self._address = resolve(url)
        self._client: Client | None = None
        self._database = database
        self._events = OwnerEvents()

    async def try_acquire(
        self, name: str, owner: str, ttl: float, ticket: int | None = None
    ) -> Outcome[Acquired | Busy]:
        """Give *name* to *owner* if it is free, or is its already, and no earlier ticket waits."""

        async def acquire() -> Acquired | Busy:
            # Not atomic with what follows, so that the order of waiters may be missed. Two owners never hold the lease,
            # since it is taken in one update.
            ahead = await self._ahead(name, ticket)
            found = await self._try_take(name, owner, ttl, is_first=ahead == 0)
            if found is None and await self._ensure_document(name):
                found = await self._try_take(name, owner, ttl, is_first=ahead == 0)
            if found is not None:
                # In this order: a transaction that has written here looked at the lease later, or is waited for.
                _ = await self._do(_GUARDS, "update_one", {"_id": name}, {"$inc": {"grants": 1}}, upsert=True)
                _ = await self._do(_WAITS, "delete_one", {"_id": owner})
                return Acquired(int(found["token"]))
            held = await self._do(_LOCKS, "find_one", {"_id": name, "$expr": _NOT_EXPIRED})
            return Busy(None if held is None else held["owner"], ahead)

        return await self._call_store(acquire)

    async def renew(self, leases: Sequence[Renewal]) -> Outcome[Sequence[bool]]:
        """Let each of *leases* run for its `ttl` from now, in one command; return whether its owner still had it."""

        async def renew_all() -> Sequence[bool]:
            done = await self._do(
                _LOCKS,
                "bulk_write",
                [
                    UpdateOne(
                        _held_by(each.name, each.owner, each.token),
                        [{"$set": {"expires_at": _expires_in(each.ttl)}}],
                    )
                    for each in leases
                ],
                ordered=False,
            )
            if done.matched_count == len(leases):
                return [True] * len(leases)
            # A lease that was not renewed is lost for good, so that it can be asked for afterwards which those are.
            held = await self._mongo.commands.aggregate(
                _LOCKS,
                [
                    {"$match": {"_id": {"$in": [each.name for each in leases]}, "$expr": _NOT_EXPIRED}},
                    {"$project": {"owner": 1, "token": 1}},
                ],
            )
            found = {(each["_id"], each["owner"], int(each["token"])) for each in held}
            return [(each.name, each.owner, each.token) in found for each in leases]

        return await self._call_store(renew_all)

    async def release(self, name: str, owner: str) -> Outcome[bool]:
        """Release *name*; return whether *owner* had it."""
        return await self._update({"_id": name, "owner": owner}, {"$set": _RELEASED})

    async def enqueue(self, name: str, owner: str, seconds: float) -> Outcome[int]:
        """Register or prolong the wait of *owner* for *name*, for the next *seconds*; return its ticket."""

        async def insert_wait() -> int:
            prolonged = [{"$set": {"expires_at": _expires_in(seconds)}}]
            found = await self._do(_WAITS, "find_one_and_update", {"_id": owner}, prolonged)
            if found is not None:
                return int(found["ticket"])
            # Waits that were not prolonged are of processes that have died.
            _ = await self._do(_WAITS, "delete_many", {"name": name, "$expr": {"$not": [_NOT_EXPIRED]}})
            counter = await self._do(
                _TICKETS,
                "find_one_and_update",
                {"_id": "last"},
                {"$inc": {"ticket": 1}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
            ticket = int(counter["ticket"])
            wait = [
                {"$set": {"name": {"$literal": name}, "ticket": ticket, "expires_at": _expires_in(seconds)}}
            ]
            _ = await self._do(_WAITS, "update_one", {"_id": owner}, wait, upsert=True)
            return ticket

        return await self._call_store(insert_wait)

    async def dequeue(self, name: str, owner: str) -> Outcome[None]:
        """End the wait of *owner* for *name*."""

        async def delete_wait() -> None:
            _ = await self._do(_WAITS, "delete_one", {"_id": owner})

        return await self._call_store(delete_wait)

    async def edges(self) -> Outcome[Sequence[WaitEdge]]:
        """List who waits for whom; waits and leases are not read at quite one moment."""

        async def query() -> Sequence[WaitEdge]:
            found = await self._mongo.commands.aggregate(
                _WAITS,
                [
                    {"$match": {"$expr": _NOT_EXPIRED}},
                    {
                        "$lookup": {
                            "from": _LOCKS,
                            "localField": "name",
                            "foreignField": "_id",
                            "as": "lease",
                        }
                    },
                    {"$unwind": "$lease"},
                    {"$match": {"$expr": {"$gt": ["$lease.expires_at", _NOW]}, "lease.owner": {"$ne": None}}},
                ],
            )
            return [
                WaitEdge(
                    each["name"],
                    each["_id"],
                    each["lease"]["owner"],
                    int(each["ticket"]),
                    int(each["lease"]["token"]),
                )
                for each in found
            ]

        return await self._call_store(query)

    async def inspect(self, prefix: str = "") -> Outcome[Sequence[LockInfo]]:
        """List the names that are held and begin with *prefix*, in their order."""

        async def query() -> Sequence[LockInfo]:
            held = await self._mongo.commands.aggregate(
                _LOCKS,
                [
                    {
                        "$match": {
                            "owner": {"$ne": None},
                            "$expr": {"$and": [_NOT_EXPIRED, _starts_with("$_id", prefix)]},
                        }
                    },
                    {
                        "$set": {
                            "age": {"$subtract": [_NOW, "$acquired_at"]},
                            "remaining": {"$subtract": ["$expires_at", _NOW]},
                        }
                    },
                ],
            )
            waiting = await self._mongo.commands.aggregate(
                _WAITS,
                [
                    {"$match": {"$expr": {"$and": [_NOT_EXPIRED, _starts_with("$name", prefix)]}}},
                    {"$sort": {"ticket": 1}},
                ],
            )
            return [
                LockInfo(
                    name=each["_id"],
                    owner=each["owner"],
                    token=int(each["token"]),
                    age=max(0, each["age"]) / 1e6,
                    remaining=each["remaining"] / 1e6,
                    waiters=tuple(wait["_id"] for wait in waiting if wait["name"] == each["_id"]),
                )
                for each in sorted(held, key=lambda each: str(each["_id"]))
            ]

        return await self._call_store(query)

    async def evict(self, name: str, token: int) -> Outcome[bool]:
        """Take *name* from its holder by *token*; return whether there was one."""
        held = {"_id": name, "token": token, "owner": {"$ne": None}, "$expr": _NOT_EXPIRED}
        return await self._update(held, {"$set": _RELEASED})

    async def guard(self, work: UnitOfWork, name: str, owner: str, token: int) -> Outcome[bool] | None:
        """Return whether *owner* has the lease, after a write in the transaction of *work* that acquisitions wait for.

        The lease is read outside of the transaction, which may see an older state of it.
        """
        database = self._database
        if database is None or not isinstance(work, TransactionalUnitOfWork) or work.database is not database:
            return None

        async def touch(session: Session) -> bool:
            guards = database.client.collection(_GUARDS)
            _ = await guards.update_one({"_id": name}, {"$inc": {"guards": 1}}, upsert=True, session=session)
            return await self._do(_LOCKS, "find_one", _held_by(name, owner, token)) is not None

        try:
            if not await work.transaction.is_transactional():
                return Failure(Unsupported(name, LockCapability.FENCING))
            return Success(bool(await work.transaction.write(touch)))
        except DATABASE_ERRORS as error:
            return self._unavailable(error)

    def wakeups(self, name: str, owner: str) -> AbstractAsyncContextManager[asyncio.Event]:
        """Return an event that nobody sets: those who wait poll."""
        return self._events.register(owner)

    @property
    def pool(self) -> Pool | None:
        """Its connections; `None` before the first call."""
        return None if self._client is None else self._client.pool

    async def answers(self) -> Outcome[None]:
        """Ask whether the server answers."""

        async def ping() -> None:
            _ = await self._mongo.command("ping")

        return await self._call_store(ping)

    async def check(self) -> Outcome[Sequence[str]]:
        """Return no problems: nothing about it breaks a promise."""
        return Success(())

    async def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @property
    def _mongo(self) -> Client:
        if self._client is None:
            self._client = Client(self._address, CONNECTION_LIMITS)
        return self._client

    async def _do(self, collection: str, method: str, *arguments: object, **options: object) -> Any:
        act = getattr(self._mongo.collection(collection), method)
        # Reads too are waited for to their end when their caller gives up: no request is ever cut off (ADR 28).
        return await self._mongo.call(lambda: act(*arguments, **options), is_write=True)

    async def _ahead(self, name: str, ticket: int | None) -> int:
        before: Document = {"name": name, "$expr": _NOT_EXPIRED}
        if ticket is not None:
            before["ticket"] = {"$lt": ticket}
        return int(await self._do(_WAITS, "count_documents", before))

    async def _try_take(self, name: str, owner: str, ttl: float, *, is_first: bool) -> Document | None:
        mine = {"$eq": ["$owner", {"$literal": owner}]}
        free = {"$or": [{"$eq": ["$owner", None]}, {"$lte": ["$expires_at", _NOW]}]}
        kept = {"$and": [mine, _NOT_EXPIRED]}
        # `$literal` keeps an owner that begins with `$` from being read as a path.
        taken: Document | None = await self._do(
            _LOCKS,
            "find_one_and_update",
            {"_id": name, "$expr": {"$or": [mine, free]} if is_first else mine},
            [
                {
                    "$set": {
                        "token": {"$cond": [kept, "$token", {"$max": [{"$add": ["$token", 1]}, _NOW]}]},
                        "acquired_at": {"$cond": [kept, "$acquired_at", _NOW]},
                        "owner": {"$literal": owner},
                        "expires_at": _expires_in(ttl),
                    }
                }
            ],
            return_document=ReturnDocument.AFTER,
        )
        return taken

    async def _ensure_document(self, name: str) -> bool:
        """Insert the document of *name*; return whether there was none. An upsert cannot be filtered by `$expr`."""
        if await self._do(_LOCKS, "find_one", {"_id": name}, {"_id": 1}) is not None:
            return False
        try:
            _ = await self._do(_LOCKS, "insert_one", {"_id": name, "token": 0, **_RELEASED})
        except DuplicateKeyError:
            return True
        return True

    async def _update(self, where: Mapping[str, object], change: object) -> Outcome[bool]:
        async def update() -> bool:
            done = await self._do(_LOCKS, "update_one", where, change)
            return bool(done.matched_count)

        return await self._call_store(update)

    async def _call_store(self, operation: Callable[[], Awaitable[T]]) -> Outcome[T]:
        try:
            return Success(await operation())
        except DATABASE_ERRORS as error:
            return self._unavailable(error)

    def _unavailable(self, error: BaseException) -> Failure[Error]:
        if has_answered(error) is False:
            # Without an answer in time there was none at all, whatever `as_unavailable` makes of a timeout.
            return Failure(Unavailable(self.name))
        if isinstance(error, PoolExhausted | TransactionLost | CommitOutcomeUnknown) or is_unreachable(error):
            return Failure(as_unavailable(error, self.name))
        raise error


def _expires_in(seconds: float) -> Mapping[str, object]:
    return {"$add": [_NOW, round(seconds * 1_000_000)]}


def _held_by(name: str, owner: str, token: int) -> Mapping[str, object]:
    return {"_id": name, "owner": owner, "token": token, "$expr": _NOT_EXPIRED}


def _starts_with(field: str, prefix: str) -> Mapping[str, object]:
    return {"$eq": [{"$indexOfBytes": [field, {"$literal": prefix}]}, 0]}
