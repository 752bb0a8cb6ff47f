"""Whole-number keys that the store makes: gaps are allowed, the same number twice is not.

A counter is a document of its own, raised outside of any transaction, so that nobody waits for anybody and nobody's
rollback takes a number back.
"""

from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from fastapi_easy.infrastructure.persistence.mongo.client import Client
from fastapi_easy.infrastructure.persistence.mongo.mapping import BOOKKEEPING, KEY, Plan

_LAST = "last"


class Counters:
    """The counters of one database."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def reserve(self, plan: Plan[Any], many: int) -> range:
        """*many* numbers that nobody else gets."""
        while many:
            raised = await self._client.call(
                lambda: self._counters.find_one_and_update(
                    {KEY: _name(plan)}, {"$inc": {_LAST: many}}, return_document=ReturnDocument.AFTER
                ),
                changes=True,
            )
            if raised is not None:
                last = int(raised[_LAST])
                return range(last - many + 1, last + 1)
            # The first number: behind those that are there already, whoever put them there.
            await self.raise_to(plan, await self._largest(plan))
        return range(0)

    async def raise_to(self, plan: Plan[Any], number: int) -> None:
        """Let what is reserved from now on be larger than *number*."""
        try:
            _ = await self._client.call(
                lambda: self._counters.update_one({KEY: _name(plan)}, {"$max": {_LAST: number}}, upsert=True),
                changes=True,
            )
        except DuplicateKeyError:
            # Made by somebody else at the same moment; now it is there.
            await self.raise_to(plan, number)

    async def _largest(self, plan: Plan[Any]) -> int:
        found = await self._client.aggregate(
            plan.collection,
            [
                {"$match": {KEY: {"$type": ["int", "long"]}}},
                {"$sort": {KEY: -1}},
                {"$limit": 1},
                {"$project": {KEY: 1}},
            ],
        )
        return max(0, int(found[0][KEY])) if found else 0

    @property
    def _counters(self) -> Any:
        return self._client.collection(BOOKKEEPING)


def _name(plan: Plan[Any]) -> str:
    return f"counter:{plan.collection}"
