"""Exceptions of drivers → what SQLAlchemy would have raised, for statements that bypass it."""

import asyncio
import sqlite3

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, StatementError

from fastapi_easy.infrastructure.relational.sqlalchemy_internals import dbapi_error, wrapped_error


def to_sqlalchemy_error(connection: Connection, error: BaseException) -> BaseException:
    """Return *error*, which the driver raised on *connection*, as SQLAlchemy would raise it.

    A broken connection is invalidated, and so are those that were opened before it. An exception that is not of the
    driver is returned as it is; one that a driver raises for a cancellation, as the cancellation.
    """
    if isinstance(error, OverflowError):
        # sqlite3 raises it for an integer of more than 64 bits; it is no class of the DBAPI.
        return StatementError("a value cannot be sent to the database", None, None, error)
    if connection.closed and isinstance(error, Exception):
        # The pool was closed meanwhile, which closes the connections that are in use too.
        return ConnectionError("the connection was closed while it was in use")
    # asyncpg's exceptions are not those of the DBAPI; SQLAlchemy's adapter for it translates them.
    translated = dbapi_error(connection, error) if isinstance(error, Exception) else error
    if not isinstance(translated, connection.dialect.loaded_dbapi.Error):
        return translated
    if was_cancelled():
        return asyncio.CancelledError()
    return wrapped_error(connection, translated)


def was_cancelled() -> bool:
    """Return whether the current task is being cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def file_is_locked() -> OperationalError:
    """Return what SQLite raises when another writer has kept it waiting for too long, for waits of our own."""
    locked = sqlite3.OperationalError("database is locked")
    locked.sqlite_errorname = "SQLITE_BUSY"
    locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return OperationalError("BEGIN IMMEDIATE", {}, locked)
