"""The timeouts and the pool size of MongoDB clients."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions:
    """The limits of one pool. All times in seconds.

    Attributes:
        pool_size: Connections at most; a hard limit.

        pool_timeout: How long a call waits for a free connection.

        queue_time: A call that would wait longer than this is rejected at once (load shedding).

        connect_timeout: How long to wait for a new connection, and for a server that can be written to.

        statement_timeout: After this the server gives up on an operation; a stream has as long for each batch.

        lock_timeout: How long a unit of work waits for others that write the same entities.

        recycle: A connection that was idle for so long is replaced.
    """

    pool_size: int = 10
    pool_timeout: float = 2.0
    queue_time: float = 0.5
    connect_timeout: float = 3.0
    statement_timeout: float = 10.0
    lock_timeout: float = 3.0
    recycle: int = 1800
