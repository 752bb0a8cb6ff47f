"""The fence of a relational database: the newest token that has written there, for each name.

For leases that are kept elsewhere. Stamped before anything is read, and again before the commit: a late holder either
comes before the new one has stamped, and is seen by it, or is refused.
"""

import weakref
from typing import Any, Final

from returns.result import Failure, Success
from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import String

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.infrastructure.locks.relational.lease_connections import classify_unavailable
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS
from fastapi_easy.infrastructure.relational.system_tables.fence_table import FENCE
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
"""Those that have the table."""


async def stamp(
    work: TransactionalUnitOfWork[SqlAlchemyDatabase, Any], name: str, token: int
) -> Outcome[bool]:
    """Stamp *name* with *token* in the transaction of *work*; whether no larger one is there.

    Whoever stamps the same name waits until the transaction has ended.
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


async def _ensure_table(work: TransactionalUnitOfWork[SqlAlchemyDatabase, Any]) -> None:
    """Create the table unless it is there."""
    database = work.database
    if database in _databases_with_table:
        return
    if database.executor.engine.dialect.name == "sqlite":
        # Another connection would have to wait for this very transaction, which may yet be undone.
        _ = await work.transaction.execute(_CREATE, {}, writes=True)
        return
    try:
        _ = await database.executor.run_sync(lambda connection: connection.execute(_CREATE))
    except DBAPIError as error:
        # Two of PostgreSQL's who create it at once get in each other's way.
        if classify_unavailable(error, database.name) is not None:
            raise
        _ = await database.executor.run_sync(lambda connection: connection.execute(_CREATE))
    _databases_with_table.add(database)
