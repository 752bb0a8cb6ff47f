"""The fence of a relational database: the newest token that has written there, by name.

It protects writes under leases that are kept elsewhere. A holder stamps it before anything is read, and again before
the commit: a late holder has either committed before the new one stamped, which then sees its writes, or is rejected.
"""

import weakref
from typing import Final

from returns.result import Failure, Success
from sqlalchemy import BigInteger, Connection, bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import String

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.infrastructure.locks.relational.lease_connections import classify_unavailable
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS
from fastapi_easy.infrastructure.relational.system_tables.fence_table import FENCE
from fastapi_easy.infrastructure.relational.transaction import Transaction
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork

_CREATE: Final = CreateTable(FENCE, if_not_exists=True)
_PARAMETERS: Final = (bindparam("name", type_=String()), bindparam("token", type_=BigInteger()))
_STAMP: Final = text(
    "INSERT INTO fe_fence AS f (name, token) VALUES (:name, :token) ON CONFLICT (name) DO UPDATE "
    "SET token = excluded.token WHERE f.token <= excluded.token RETURNING token"
).bindparams(*_PARAMETERS)
_STAMP_MYSQL: Final = text(
    "INSERT INTO fe_fence (name, token) VALUES (UNHEX(:name), :token) "
    "ON DUPLICATE KEY UPDATE token = GREATEST(token, VALUES(token))"
).bindparams(*_PARAMETERS)
_READ_MYSQL: Final = text(
    "SELECT token FROM fe_fence WHERE name = UNHEX(:name) AND token = :token"
).bindparams(*_PARAMETERS)

_databases_with_table: "weakref.WeakSet[SqlAlchemyDatabase]" = weakref.WeakSet()
"""The databases that have the table, as far as this process knows."""


async def stamp(
    work: TransactionalUnitOfWork[SqlAlchemyDatabase, Transaction], name: str, token: int
) -> Outcome[bool]:
    """Stamp *name* with *token* in the transaction of *work*; return whether no larger one is there.

    Another transaction that stamps the same name waits until this one has ended.
    """
    try:
        await _ensure_table(work)
        if work.database.executor.engine.dialect.name in {"mysql", "mariadb"}:
            parameters = {"name": name.encode().hex(), "token": token}
            _ = await work.transaction.execute(_STAMP_MYSQL, parameters, writes=True)
            answer = await work.transaction.execute(_READ_MYSQL, parameters)
        else:
            answer = await work.transaction.execute(_STAMP, {"name": name, "token": token}, writes=True)
    except DATABASE_ERRORS as error:
        unavailable = classify_unavailable(error, work.database.name)
        if unavailable is None:
            raise
        return Failure(unavailable)
    return Success(bool(answer.rows))


def _create_table(connection: Connection) -> None:
    _ = connection.execute(_CREATE)


async def _ensure_table(work: TransactionalUnitOfWork[SqlAlchemyDatabase, Transaction]) -> None:
    """Create the table unless it is there."""
    database = work.database
    if database in _databases_with_table:
        return
    if database.executor.engine.dialect.name == "sqlite":
        # Another connection would have to wait for this very transaction, since SQLite has one writer at a time. It is
        # not remembered, because the transaction may be rolled back.
        _ = await work.transaction.execute(_CREATE, {}, writes=True)
        return
    try:
        await database.executor.run_sync(_create_table)
    except DBAPIError as error:
        # In PostgreSQL `IF NOT EXISTS` can still fail when two sessions create the table at once: then it is there.
        if classify_unavailable(error, database.name) is not None:
            raise
        await database.executor.run_sync(_create_table)
    _databases_with_table.add(database)
