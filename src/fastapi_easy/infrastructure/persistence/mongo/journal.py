"""The journal of a MongoDB database: documents beside a change, in its transaction."""

import datetime
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.domain.changes.journal import JournalRow, SystemTable
from fastapi_easy.domain.errors import Outcome, OutcomeUnknown, Unavailable, Unsupported
from fastapi_easy.domain.values.plain_json import to_plain_json
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.driver.transaction import Transaction
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    DATABASE_ERRORS,
    CommitOutcomeUnknown,
    PoolExhausted,
    TransactionLost,
    is_unreachable,
)


async def prepare(database: MongoDatabase, systems: Iterable[SystemTable]) -> Outcome[Sequence[str]]:
    """Look whether the server has transactions, without which there is no journal; collections come by themselves.

    Fails with:
        Unavailable: It did not answer.
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

        Unavailable: It did not answer, or had ended the transaction.
    """
    try:
        if not await transaction.is_transactional():
            return Failure(Unsupported(rows[0].table.name, "journal"))
        for table, those in groupby(sorted(rows, key=lambda row: row.table.name), lambda row: row.table):
            documents = [_document(row) for row in those]
            collection = database.client.collection(table.name)

            async def insert(
                session: Any, into: Any = collection, given: Sequence[dict[str, Any]] = documents
            ) -> None:
                _ = await database.client.call(lambda: into.insert_many(given, session=session), changes=True)

            await transaction.write(insert)
    except DATABASE_ERRORS as error:
        return unavailable(error, database.name)
    return Success(None)


def unavailable(error: BaseException, database: str) -> Failure[Any]:
    """Return that *database* did not answer, where *error* says nothing else."""
    if isinstance(error, CommitOutcomeUnknown):
        return Failure(OutcomeUnknown(database))
    if isinstance(error, PoolExhausted | TransactionLost) or is_unreachable(error):
        return Failure(Unavailable(database))
    raise error


def _document(row: JournalRow) -> dict[str, Any]:
    values = {field.name: _encode(row.values.get(field.name)) for field in row.table.fields}
    key = [values[name] for name in row.table.key]
    return {"_id": key[0] if len(key) == 1 else dict(zip(row.table.key, key, strict=True)), **values}


def _encode(value: Any) -> Any:
    # A time stays one; the server keeps milliseconds of it, and the text beside it, if there is one, all.
    if isinstance(value, datetime.datetime):
        return value
    return bytes(value) if isinstance(value, bytes) else to_plain_json(value)
