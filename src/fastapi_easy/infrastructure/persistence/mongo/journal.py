"""The journal of a MongoDB database: documents that are inserted in the transaction of a change."""

import datetime
import operator
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.domain.changes.journal import JournalRow, SystemTable
from fastapi_easy.domain.errors import Error, Outcome, OutcomeUnknown, Unavailable, Unsupported
from fastapi_easy.domain.values.plain_json import to_plain_json
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import Session
from fastapi_easy.infrastructure.persistence.mongo.driver.transaction import Transaction
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    DATABASE_ERRORS,
    CommitOutcomeUnknown,
    PoolExhausted,
    TransactionLost,
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
            documents = [_document(row) for row in those]
            collection = database.client.collection(table.name)

            async def insert(
                session: Session, into: Any = collection, given: Sequence[Document] = documents
            ) -> None:
                _ = await database.client.call(
                    lambda: into.insert_many(given, session=session), is_write=True
                )

            await transaction.write(insert)
    except DATABASE_ERRORS as error:
        return unavailable(error, database.name)
    return Success(None)


def unavailable(error: BaseException, database: str) -> Failure[Error]:
    """Return that *database* did not answer, where *error* says nothing else."""
    if isinstance(error, CommitOutcomeUnknown):
        return Failure(OutcomeUnknown(database))
    if isinstance(error, PoolExhausted | TransactionLost) or is_unreachable(error):
        return Failure(Unavailable(database))
    raise error


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
