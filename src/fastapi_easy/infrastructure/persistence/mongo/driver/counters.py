"""Whole-number keys that the store generates: gaps are allowed, the same number twice is not.

A counter is a document of its own, raised outside of any transaction, so that no insert waits for the commit of
another and no rollback takes a number back. Inserts that come while it is being raised wait, and are then served
together with one raise: the server makes changes of one document one after the other anyway.
"""

import asyncio
from dataclasses import dataclass, field

from pymongo.errors import DuplicateKeyError

from fastapi_easy.domain import deadline
from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import SYSTEM_COLLECTION, Plan
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import Call, Commands
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import DriverDatabase
from fastapi_easy.infrastructure.persistence.mongo.errors import PoolExhausted

_LAST_FIELD = "last"


@dataclass(slots=True)
class _Queue:
    """The callers that wait for numbers of one counter.

    Attributes:
        lock: Held by the caller that raises the counter.

        wanted: How many numbers all callers want that have none yet.

        reserved: Numbers that were reserved for the callers that wait.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0
    reserved: range = range(0)


class Counters:
    """The counters of one database.

    Args:
        call: Runs each call of the driver (`Client.call`).

        database: The driver's database.

        commands: The commands that nearly every request needs.

        turn_timeout: Seconds to wait until earlier callers are served.
    """

    def __init__(self, call: Call, database: DriverDatabase, commands: Commands, turn_timeout: float) -> None:
        self._call = call
        self._counters = database[SYSTEM_COLLECTION]
        self._commands = commands
        self._turn_timeout = turn_timeout
        self._queues: dict[str, _Queue] = {}

    async def reserve(self, plan: Plan, many: int) -> range:
        """Reserve *many* numbers that nobody else gets.

        Raises:
            PoolExhausted: It was nobody's turn in time.
        """
        if not many:
            return range(0)
        queue = self._queues.setdefault(plan.collection, _Queue())
        queue.wanted += many
        try:
            await self._acquire_turn(queue, many)
            try:
                if len(queue.reserved) < many:
                    queue.reserved = await self._increment(plan, queue.wanted)
                mine, queue.reserved = queue.reserved[:many], queue.reserved[many:]
                return mine
            finally:
                queue.lock.release()
        finally:
            queue.wanted -= many
            if not queue.wanted:
                # A number kept for later could be a key that a caller chooses until then.
                queue.reserved = range(0)

    async def ensure_at_least(self, plan: Plan, number: int) -> None:
        """Raise the counter to *number* at least, so that what is reserved from now on is larger."""
        try:
            _ = await self._call(
                lambda: self._counters.update_one(
                    {KEY: _counter_id(plan)}, {"$max": {_LAST_FIELD: number}}, upsert=True
                ),
                is_write=True,
            )
        except DuplicateKeyError:
            # Two upserts of one document at one moment: the other one has inserted it, so this one can update it.
            await self.ensure_at_least(plan, number)

    async def _acquire_turn(self, queue: _Queue, many: int) -> None:
        if queue.wanted == many:
            # No other caller waits: the usual case needs no timer.
            _ = await queue.lock.acquire()
            return
        try:
            async with asyncio.timeout(deadline.within(self._turn_timeout)):
                _ = await queue.lock.acquire()
        except TimeoutError:
            raise PoolExhausted from None

    async def _increment(self, plan: Plan, many: int) -> range:
        while True:
            raised = await self._commands.find_and_modify(
                SYSTEM_COLLECTION, {KEY: _counter_id(plan)}, {"$inc": {_LAST_FIELD: many}}
            )
            if raised is not None:
                last = int(raised[_LAST_FIELD])
                return range(last - many + 1, last + 1)
            # There is no counter yet: begin after the keys that are there already, whoever inserted them.
            await self.ensure_at_least(plan, await self._find_max_key(plan))

    async def _find_max_key(self, plan: Plan) -> int:
        found = await self._commands.aggregate(
            plan.collection,
            [
                {"$match": {KEY: {"$type": ["int", "long"]}}},
                {"$sort": {KEY: -1}},
                {"$limit": 1},
                {"$project": {KEY: 1}},
            ],
        )
        return max(0, int(found[0][KEY])) if found else 0


def _counter_id(plan: Plan) -> str:
    return f"counter:{plan.collection}"
