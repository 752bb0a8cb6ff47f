"""One connection of a pool: how it is opened, how long it is lent, and how it is aborted."""

import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine

from fastapi_easy.domain import deadline
from fastapi_easy.domain.ports.breaker import Breaker
from fastapi_easy.infrastructure.relational.driver.sockets import enable_keepalive


@dataclass(slots=True, eq=False)
class PooledConnection:
    """One connection, with what a pool remembers of it. Times are those of `time.monotonic`.

    Attributes:
        connection: SQLAlchemy's.

        driver: The driver's own connection behind it.

        connected_at: When it was opened.

        lent_at: When it was lent last.

        reported_at: The `lent_at` for which a long checkout was logged, so that each is logged once.

        breaker: Told how the borrower fared; `None` when there is no breaker.

        permit: The permit that the breaker gave for it.

        is_writing: It is lent to a writer whose turn ends with its return.

        prepared: The names of the statements that were prepared on it with `PREPARE`.
    """

    connection: Connection
    driver: Any
    connected_at: float
    lent_at: float = 0.0
    reported_at: float = 0.0
    breaker: Breaker | None = None
    permit: int = 0
    is_writing: bool = False
    prepared: set[str] = field(default_factory=set)

    def abort(self) -> None:
        """Close the connection at once, without telling the server. A closed one stays closed."""
        connection = self.connection
        if not connection.closed:
            if not connection.invalidated:
                connection.invalidate()
            connection.close()

    def was_slow(self, limit: float) -> bool:
        """Return whether it has been lent for more than *limit* seconds, to a call with a deadline.

        Calls without one, such as migrations and exports, take long by design and say nothing about the database.
        """
        return time.monotonic() - self.lent_at > limit and deadline.remaining_seconds() is not None


def open_connection(engine: Engine) -> PooledConnection:
    """Open a connection; called inside of a greenlet, as everything of SQLAlchemy's that talks to a driver.

    Raises:
        ConnectionError: The server hung up meanwhile, and the driver calls it something else.
    """
    try:
        connection = engine.connect()
    except RuntimeError as error:
        # asyncmy under uvloop asks a transport that has closed for its socket.
        raise ConnectionError(str(error)) from error
    driver = connection.connection.driver_connection
    enable_keepalive(engine.dialect.driver, driver)
    return PooledConnection(connection, driver, time.monotonic())
