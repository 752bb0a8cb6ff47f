"""What a driver raised → what SQLAlchemy would have raised, for statements that were not run through it."""

import asyncio
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import StatementError


def refusal_of(connection: Connection, error: BaseException) -> BaseException:
    """*error*, which the driver raised on *connection*, as SQLAlchemy raises it.

    A connection that broke is invalidated, and so are those that were made before it. What is no driver's
    exception comes back as it is; what some drivers make of a cancellation, as the cancellation.
    """
    if isinstance(error, OverflowError):
        # An integer of more than 64 bits, to which SQLite's driver has no name to give.
        return StatementError("a value cannot be sent", None, None, error)
    translated = _as_dbapi(connection, error)
    if not isinstance(translated, connection.dialect.loaded_dbapi.Error):
        return translated
    if was_cancelled():
        return asyncio.CancelledError()
    try:
        # Does everything that has to be done, as it would have been done there.
        connection._handle_dbapi_exception(translated, None, None, None, None)  # noqa: SLF001
    except BaseException as refusal:  # noqa: BLE001 - it always raises, and what it raises is the answer
        return refusal


def was_cancelled() -> bool:
    """Whether somebody has asked the current task to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _as_dbapi(connection: Connection, error: BaseException) -> BaseException:
    adapted: Any = connection.connection.dbapi_connection
    if not isinstance(error, Exception) or adapted is None:
        return error
    try:
        # asyncpg's exceptions are not those of the DBAPI; SQLAlchemy's adapter of the driver knows which are meant.
        adapted._handle_exception(error)  # noqa: SLF001
    except Exception as translated:  # noqa: BLE001 - likewise
        return translated
    return error
