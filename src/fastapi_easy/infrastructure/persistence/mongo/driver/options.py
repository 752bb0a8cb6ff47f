"""How long to wait for MongoDB, and how many connections to keep."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions:
    """The limits of one pool. All times in seconds.

    Attributes:
        pool_size: Connections at most, a hard number.

        pool_timeout: Wait for a free connection.

        queue_time: Who would have to wait longer for one is sent away at once.

        connect_timeout: Wait for a new connection to stand, and for a server that can be written to.

        statement_timeout: The server gives up on an operation; a stream has this long for each of its parts.

        lock_timeout: A unit of work waits for others that write the same entities.

        recycle: A connection that was idle for so long is replaced.
    """

    pool_size: int = 10
    pool_timeout: float = 2.0
    queue_time: float = 0.5
    connect_timeout: float = 3.0
    statement_timeout: float = 10.0
    lock_timeout: float = 3.0
    recycle: int = 1800
