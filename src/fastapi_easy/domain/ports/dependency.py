"""What an application depends on, for health checks and metrics."""

from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.database import Pool


@runtime_checkable
class Dependency(Protocol):
    """Something that may be down while the application is up. Every `Database` is one."""

    @property
    def name(self) -> str:
        """The name that reports and breakers use."""
        ...

    @property
    def technology(self) -> str:
        """The technology, for people."""
        ...

    @property
    def pool(self) -> Pool | None:
        """Its connections; `None` when it needs none."""
        ...

    async def check(self) -> Outcome[None]:
        """Ask whether it responds, within seconds.

        Fails with:
            Unavailable: It does not.
        """
        ...
