"""What a driver raised → what SQLAlchemy would have raised, for statements that were not run through it."""

import asyncio

from sqlalchemy import Connection
from sqlalchemy.exc import StatementError

from fastapi_easy.infrastructure.relational.sqlalchemy_internals import dbapi_error, wrapped_error


def to_sqlalchemy_error(connection: Connection, error: BaseException) -> BaseException:
    """Return *error*, which the driver raised on *connection*, as SQLAlchemy would raise it.

    A connection that broke is invalidated, and so are those that were made before it. What is no driver's
    exception comes back as it is; what some drivers make of a cancellation, as the cancellation.
    """
    if isinstance(error, OverflowError):
        # An integer of more than 64 bits, to which SQLite's driver has no name to give.
        return StatementError("a value cannot be sent to the database", None, None, error)
    # asyncpg's exceptions are not those of the DBAPI; SQLAlchemy's adapter of the driver knows which are meant.
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
