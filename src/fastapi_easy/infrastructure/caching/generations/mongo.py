"""Generations of a MongoDB database, in a collection beside those whose changes they mark."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo.errors import DuplicateKeyError
from returns.result import Success

from fastapi_easy.domain.changes.generation import GENERATIONS, new_generation
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import collection_of
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import FindOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import Session
from fastapi_easy.infrastructure.persistence.mongo.driver.transaction import Transaction
from fastapi_easy.infrastructure.persistence.mongo.errors import DATABASE_ERRORS
from fastapi_easy.infrastructure.persistence.mongo.journal import unavailable

SHARDS: Final = 16
"""Documents of one generation: of two transactions that raise the same one, one is replayed."""


class MongoGenerations:
    """Implements `Generations` in *database*, which has to have transactions."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database

    def table_of(self, resource: Resource[Any]) -> str:
        """Return the name of the collection of *resource*."""
        return collection_of(resource.stored)

    def association_of(self, relation: Relation) -> str | None:
        """Return `None`: there are no association tables in MongoDB."""
        return None

    async def prepare(self, names: Sequence[str]) -> Outcome[Sequence[str]]:
        """Check that the server has transactions, and raise the generations *names*."""
        try:
            if not await self._database.has_transactions():
                return Success((_NO_TRANSACTIONS,))
            transaction = self._database.autocommit()
            for name in names:
                await self._raise(transaction, name)
        except DATABASE_ERRORS as error:
            return unavailable(error, self._database.name)
        return Success(())

    async def read(self, names: Sequence[str]) -> Outcome[Mapping[str, str]]:
        """Return the committed generations of *names*, in one query."""
        places = [_place(name, shard) for name in names for shard in range(SHARDS)]
        asked = FindOptions(match={"_id": {"$in": places}}, sort={"_id": 1}, limit=len(places))
        try:
            documents = await self._database.client.commands.find(GENERATIONS, asked)
        except DATABASE_ERRORS as error:
            return unavailable(error, self._database.name)
        found: dict[str, str] = {}
        for each in documents:
            name = str(each["name"])
            found[name] = f"{found.get(name, '')}{each['shard']}:{each['value']} "
        return Success(found)

    async def raise_in(self, work: Any, names: Sequence[str]) -> Outcome[None]:
        """Raise the generations *names* in the transaction of *work*, a unit of work of this database."""
        try:
            for name in names:
                await self._raise(work.transaction, name)
        except DATABASE_ERRORS as error:
            return unavailable(error, self._database.name)
        return Success(None)

    async def _raise(self, transaction: Transaction, name: str) -> None:
        client, shard = self._database.client, secrets.randbelow(SHARDS)
        place, change = _place(name, shard), {"name": name, "shard": shard, "value": new_generation()}

        async def write(session: Session) -> None:
            documents = client.collection(GENERATIONS)
            _ = await client.call(
                lambda: documents.update_one({"_id": place}, {"$set": change}, upsert=True, session=session),
                is_write=True,
            )

        try:
            await transaction.write(write)
        except DuplicateKeyError:
            # Two upserts of one document at one moment: the other one has inserted it, so this one can update it.
            await transaction.write(write)


def _place(name: str, shard: int) -> str:
    return f"{name} {shard}"


_NO_TRANSACTIONS: Final = (
    "answers can only be kept where a change and its generation are one transaction, which a stand-alone MongoDB "
    "server does not support: make it a replica set (one member is enough), or declare the resources without a cache"
)
