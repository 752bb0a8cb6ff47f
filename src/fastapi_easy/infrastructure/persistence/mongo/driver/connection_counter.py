"""How many connections there are, as the driver tells."""

import threading
from typing import Any

from pymongo.monitoring import ConnectionPoolListener


class ConnectionCounter(ConnectionPoolListener):
    """Counts connections; Motor's driver tells it from its own threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connecting: set[Any] = set()
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

    def connection_created(self, event: Any) -> None:
        with self._lock:
            self._open += 1
            self._connecting.add((event.address, event.connection_id))

    def connection_ready(self, event: Any) -> None:
        with self._lock:
            self._connecting.discard((event.address, event.connection_id))

    def connection_closed(self, event: Any) -> None:
        with self._lock:
            self._open -= 1
            self._connecting.discard((event.address, event.connection_id))

    def connection_checked_out(self, event: Any) -> None: ...

    def connection_checked_in(self, event: Any) -> None: ...

    def pool_created(self, event: Any) -> None: ...

    def pool_ready(self, event: Any) -> None: ...

    def pool_cleared(self, event: Any) -> None: ...

    def pool_closed(self, event: Any) -> None: ...

    def connection_check_out_started(self, event: Any) -> None: ...

    def connection_check_out_failed(self, event: Any) -> None: ...
