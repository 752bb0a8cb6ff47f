"""How the store of the leases stands, for health and metrics."""

from typing import Any, Final, Protocol

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.domain.ports.lease_store import LeaseStore

LOCK_STORE: Final = "locks"
"""What reports, metrics and commands call the store of the leases, and its breaker; no database is called so."""


class StoreCaller(Protocol):
    """Asks the store within limits."""

    @property
    def store(self) -> LeaseStore:
        """The store."""
        ...

    async def call_store(self, call: Any, /, *, bypass_breaker: bool) -> Outcome[Any]:
        """The answer to *call*, or `Unavailable`; who *bypass_breaker* is not refused by the breaker."""
        ...


class LockStoreDependency:
    """Implements `Dependency`.

    Args:
        caller: Asks the store.
    """

    name: Final = LOCK_STORE

    def __init__(self, caller: StoreCaller) -> None:
        self._caller = caller

    @property
    def technology(self) -> str:
        """What it is, for people."""
        return self._caller.store.name

    @property
    def pool(self) -> Pool | None:
        """Its connections."""
        return self._caller.store.pool

    async def check(self) -> Outcome[None]:
        """Whether it answers, whatever the breaker thinks of it."""
        return await self._caller.call_store(self._caller.store.answers(), bypass_breaker=True)
