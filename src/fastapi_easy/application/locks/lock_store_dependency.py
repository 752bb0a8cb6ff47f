"""The lease store as a dependency, for health checks and metrics."""

from collections.abc import Coroutine
from typing import Final, Protocol, TypeVar

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.locks.renewal import RenewalFigures
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.domain.ports.lease_store import LeaseStore

T = TypeVar("T")

LOCK_STORE: Final = "locks"
"""The name of the lease store and its breaker in reports, metrics and commands; reserved among databases."""


class StoreCaller(Protocol):
    """Calls the store, with a timeout."""

    @property
    def store(self) -> LeaseStore:
        """The lease store."""
        ...

    @property
    def renewals(self) -> RenewalFigures:
        """How the leases of this process are renewed."""
        ...

    async def call_store(
        self, call: Coroutine[object, object, Outcome[T]], /, *, bypass_breaker: bool
    ) -> Outcome[T]:
        """Return the answer to *call*, or `Unavailable`; with *bypass_breaker* an open breaker does not refuse it."""
        ...


class LockStoreDependency:
    """Implements `Dependency` and `ReportsRenewals`.

    Args:
        caller: Asks the store.
    """

    name: Final = LOCK_STORE

    def __init__(self, caller: StoreCaller) -> None:
        self._caller = caller

    @property
    def technology(self) -> str:
        """The name of the technology, for people."""
        return self._caller.store.name

    @property
    def pool(self) -> Pool | None:
        """The connection pool of the store."""
        return self._caller.store.pool

    @property
    def renewals(self) -> RenewalFigures:
        """How the leases of this process are renewed."""
        return self._caller.renewals

    async def check(self) -> Outcome[None]:
        """Check that the store answers, past the circuit breaker."""
        return await self._caller.call_store(self._caller.store.answers(), bypass_breaker=True)
