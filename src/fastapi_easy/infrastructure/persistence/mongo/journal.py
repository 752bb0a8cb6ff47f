"""The journal of a MongoDB database: documents that are inserted in the transaction of a change."""

import datetime
import operator
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError
from returns.result import Failure, Success

from fastapi_easy.domain.changes.journal import JournalRow, SystemTable
from fastapi_easy.domain.errors import Error, Outcome, OutcomeUnknown, Unavailable, Unsupported
from fastapi_easy.domain.ports.breaker import CallNotPermitted
from fastapi_easy.domain.values.plain_json import to_plain_json
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.driver.client import Client
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import FindOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import Session
from fastapi_easy.infrastructure.persistence.mongo.driver.transaction import Transaction
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    DATABASE_ERRORS,
    CommitOutcomeUnknown,
    PoolExhausted,
    TransactionLost,
    as_unavailable,
    is_unreachable,
)


async def prepare(database: MongoDatabase, systems: Iterable[SystemTable]) -> Outcome[Sequence[str]]:
    """Check that the server has transactions, without which there is no journal; collections are made by inserts.

    Fails with:
        Unavailable: The server did not answer.
    """
    try:
        if await database.has_transactions():
            return Success(())
    except DATABASE_ERRORS as error:
        return unavailable(error, database.name)
    return Success(
        [
            (
                "a journal needs transactions, which a stand-alone MongoDB server does not support: make it a replica "
                "set (one member is enough)"
            )
        ]
    )


async def keep(
    database: MongoDatabase, transaction: Transaction, rows: Sequence[JournalRow]
) -> Outcome[None]:
    """Insert *rows* in *transaction*, those of one table together; `_id` is the key of a row.

    Fails with:
        Unsupported: The server stands alone, and has no transactions.

        Unavailable: The server did not answer, or has aborted the transaction.
    """
    try:
        if not await transaction.is_transactional():
            return Failure(Unsupported(rows[0].table.name, "journal"))
        for table, those in groupby(sorted(rows, key=_table_name), operator.attrgetter("table")):
            insert = partial(_insert, database.client, table, [_document(row) for row in those])
            try:
                await transaction.write(insert)
            except (DuplicateKeyError, BulkWriteError):
                if table.number is None:
                    raise
                # Two transactions have begun to count at one moment: the other one has committed its counter.
                await transaction.write(insert)
    except DATABASE_ERRORS as error:
        return unavailable(error, database.name)
    return Success(None)


def unavailable(error: BaseException, database: str) -> Failure[Error]:
    """Return that *database* did not answer, where *error* says nothing else."""
    if isinstance(error, CommitOutcomeUnknown):
        return Failure(OutcomeUnknown(database))
    if isinstance(error, CallNotPermitted):
        return Failure(as_unavailable(error, database))
    if isinstance(error, PoolExhausted | TransactionLost) or is_unreachable(error):
        return Failure(Unavailable(database))
    raise error


async def _insert(
    client: Client, table: SystemTable, documents: Sequence[Document], session: Session
) -> None:
    if table.number is not None:
        await _number(client, table, table.number, documents, session)
    collection = client.collection(table.name)
    _ = await client.call(lambda: collection.insert_many(documents, session=session), is_write=True)


async def _number(
    client: Client, table: SystemTable, number: str, documents: Sequence[Document], session: Session
) -> None:
    """Number *documents*: those that belong together by one counter, which no two transactions raise at once."""
    places = [":".join(str(each[name]) for name in table.number_within) for each in documents]
    counters, needed = client.collection(f"{table.name}_number"), Counter(places)
    raised = [
        UpdateOne({"_id": each}, {"$inc": {number: more}}, upsert=True) for each, more in needed.items()
    ]
    _ = await client.call(lambda: counters.bulk_write(raised, session=session), is_write=True)
    asked = FindOptions(match={"_id": {"$in": list(needed)}}, limit=len(needed))
    found = await client.commands.find(f"{table.name}_number", asked, session)
    used = {each["_id"]: int(each[number]) - needed[each["_id"]] for each in found}
    for place, document in zip(places, documents, strict=True):
        used[place] += 1
        document[number] = used[place]


def _table_name(row: JournalRow) -> str:
    return row.table.name


def _document(row: JournalRow) -> Document:
    values = {field.name: _encode(row.values.get(field.name)) for field in row.table.fields}
    key = [values[name] for name in row.table.key]
    return {"_id": key[0] if len(key) == 1 else dict(zip(row.table.key, key, strict=True)), **values}


def _encode(value: object) -> object:
    # A time stays a date, for queries and expiry; the server keeps its milliseconds. Where a row needs all of it, it
    # holds a text beside it.
    if isinstance(value, datetime.datetime):
        return value
    return bytes(value) if isinstance(value, bytes) else to_plain_json(value)
