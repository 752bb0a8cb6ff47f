"""API keys in SQLite, PostgreSQL, MySQL and MariaDB."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final

from returns.result import Failure, Success
from sqlalchemy import Executable, bindparam, insert, or_, select, update

from fastapi_easy.domain.authentication.api_key import API_KEYS, ApiKey
from fastapi_easy.domain.errors import AlreadyExists, Outcome, OutcomeUnknown
from fastapi_easy.infrastructure.authentication.api_keys.stored_values import from_stored, to_stored
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.journal import ensure_tables
from fastapi_easy.infrastructure.relational.driver.error_classification import classify_error
from fastapi_easy.infrastructure.relational.error_codes import ErrorCause
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS, as_unavailable
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of
from fastapi_easy.infrastructure.relational.transaction import CommitOutcomeUnknown

_TABLE: Final = table_of(API_KEYS)
_NAMES: Final = [each.name for each in API_KEYS.fields]
_COLUMNS: Final = _TABLE.c
_ORDERED: Final = select(_TABLE).order_by(_COLUMNS.created_at, _COLUMNS.id)
_INSERT: Final = insert(_TABLE)
_FIND: Final = select(_TABLE).where(_COLUMNS.id == bindparam("key_id"))
_FIND_OF_OWNER: Final = _ORDERED.where(_COLUMNS.owner == bindparam("of_owner"))
_REVOKE: Final = (
    update(_TABLE)
    .where(_COLUMNS.id == bindparam("key_id"), _COLUMNS.revoked_at.is_(None))
    .values(revoked_at=bindparam("moment", type_=_COLUMNS.revoked_at.type))
)
_NOTE_USE: Final = (
    update(_TABLE)
    .where(
        _COLUMNS.id == bindparam("key_id"),
        or_(
            _COLUMNS.last_used_at.is_(None),
            _COLUMNS.last_used_at < bindparam("moment", type_=_COLUMNS.last_used_at.type),
        ),
    )
    .values(last_used_at=bindparam("moment", type_=_COLUMNS.last_used_at.type))
)


class RelationalApiKeyStore:
    """Implements `ApiKeyStore` in a relational database, whose connections it borrows.

    Args:
        database: The database.
    """

    def __init__(self, database: SqlAlchemyDatabase) -> None:
        self._database = database

    async def add(self, key: ApiKey, /) -> Outcome[None]:
        """Store *key*."""
        added = await self._write(_INSERT, to_stored(key))
        return added if isinstance(added, Failure) else Success(None)

    async def find_by_id(self, key_id: str, /) -> Outcome[ApiKey | None]:
        """Return the key with *key_id*, or `None`."""
        found = await self._read(_FIND, {"key_id": key_id})
        return found if isinstance(found, Failure) else Success(next(iter(found.unwrap()), None))

    async def find_all(self, owner: str | None = None, /) -> Outcome[Sequence[ApiKey]]:
        """Return every key, or those of *owner*."""
        if owner is None:
            return await self._read(_ORDERED, {})
        return await self._read(_FIND_OF_OWNER, {"of_owner": owner})

    async def revoke(self, key_id: str, at: datetime.datetime, /) -> Outcome[bool]:
        """Revoke the key with *key_id*."""
        return await self._write(_REVOKE, {"key_id": key_id, "moment": at})

    async def note_use(self, key_id: str, at: datetime.datetime, /) -> Outcome[None]:
        """Remember the use of the key with *key_id*."""
        noted = await self._write(_NOTE_USE, {"key_id": key_id, "moment": at})
        return noted if isinstance(noted, Failure) else Success(None)

    async def aclose(self) -> None:
        """Leave the database open, which belongs to the application."""

    async def _read(
        self, statement: Executable, parameters: Mapping[str, object]
    ) -> Outcome[Sequence[ApiKey]]:
        try:
            # Creates the folder of a temporary SQLite file.
            _ = self._database.begin()
            await ensure_tables(self._database, (API_KEYS,))
            answer = await self._database.executor.read(statement, parameters)
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success([from_stored(dict(zip(_NAMES, row, strict=True))) for row in answer.rows])

    async def _write(self, statement: Executable, parameters: Mapping[str, object]) -> Outcome[bool]:
        """Run *statement* in a transaction of its own; return whether it changed a row."""
        try:
            transaction = self._database.begin(may_autocommit=True)
            await ensure_tables(self._database, (API_KEYS,))
            try:
                answer = await transaction.execute(statement, parameters, writes=True, last=True)
                await transaction.commit()
            finally:
                await transaction.close()
        except CommitOutcomeUnknown:
            return Failure(OutcomeUnknown(self._database.name))
        except DATABASE_ERRORS as error:
            classified = classify_error(error)
            if classified is not None and classified.cause is ErrorCause.UNIQUE:
                return Failure(AlreadyExists(API_KEYS.name, ("id",)))
            return self._unavailable(error)
        return Success(answer.affected > 0)

    def _unavailable(self, error: BaseException) -> Failure[Any]:
        unavailable = as_unavailable(error, self._database.name)
        if unavailable is None:
            raise error
        return Failure(unavailable)
