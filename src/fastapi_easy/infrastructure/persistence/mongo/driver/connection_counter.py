"""Counting the connections that the driver opens and closes."""

import threading
from typing import TypeAlias

from pymongo.monitoring import (
    ConnectionClosedEvent,
    ConnectionCreatedEvent,
    ConnectionPoolListener,
    ConnectionReadyEvent,
)

_Address: TypeAlias = tuple[str, int | None]


class ConnectionCounter(ConnectionPoolListener):
    """Counts connections. Thread-safe: Motor's driver calls it from its own threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connecting: set[tuple[_Address, int]] = set()
        self._open = 0

    @property
    def open(self) -> int:
        """The number of connections, those that are being made among them."""
        return self._open

    def has_capacity_for(self, calls: int) -> bool:
        """Return whether there are connections for *calls* calls, those in progress among them, without a new one."""
        return self._open - len(self._connecting) >= calls

    @property
    def connecting(self) -> int:
        """The number of connections that are being made."""
        return len(self._connecting)

    def connection_created(self, event: ConnectionCreatedEvent) -> None:
        with self._lock:
            self._open += 1
            self._connecting.add((event.address, event.connection_id))

    def connection_ready(self, event: ConnectionReadyEvent) -> None:
        with self._lock:
            self._connecting.discard((event.address, event.connection_id))

    def connection_closed(self, event: ConnectionClosedEvent) -> None:
        with self._lock:
            self._open -= 1
            self._connecting.discard((event.address, event.connection_id))

    # The listener has to have every method; what the others report is not counted.

    def connection_checked_out(self, event: object) -> None: ...

    def connection_checked_in(self, event: object) -> None: ...

    def pool_created(self, event: object) -> None: ...

    def pool_ready(self, event: object) -> None: ...

    def pool_cleared(self, event: object) -> None: ...

    def pool_closed(self, event: object) -> None: ...

    def connection_check_out_started(self, event: object) -> None: ...

    def connection_check_out_failed(self, event: object) -> None: ...
