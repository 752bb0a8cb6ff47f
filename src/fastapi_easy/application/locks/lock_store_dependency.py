"""How the store of the leases stands, for health and metrics."""

from typing import Any, Final, Protocol

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.domain.ports.lease_store import LeaseStore

LOCKS: Final = "locks"
"""What reports, metrics and commands call the store of the leases, and its breaker; no database is called so."""


class Questioner(Protocol):
    """Asks the store within limits."""

    @property
    def store(self) -> LeaseStore:
        """The store."""
        ...

    async def ask(self, question: Any, /, *, insists: bool) -> Outcome[Any]:
        """The answer to *question*, or `Unavailable`; who *insists* is not refused by the breaker."""
        ...


class Standing:
    """Implements `Dependency`.

    Args:
        questioner: Asks the store.
    """

    name: Final = LOCKS

    def __init__(self, questioner: Questioner) -> None:
        self._questioner = questioner

    @property
    def technology(self) -> str:
        """What it is, for people."""
        return self._questioner.store.name

    @property
    def pool(self) -> Pool | None:
        """Its connections."""
        return self._questioner.store.pool

    async def check(self) -> Outcome[None]:
        """Whether it answers, whatever the breaker thinks of it."""
        return await self._questioner.ask(self._questioner.store.answers(), insists=True)
