"""What an application depends on, for health checks and metrics."""

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.locks.renewal import RenewalFigures
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


@runtime_checkable
class ReportsReadOnly(Protocol):
    """A dependency that can tell whether it takes changes."""

    @property
    def is_read_only(self) -> bool:
        """Whether it took no changes when it was checked last: a standby, a file that may only be read."""
        ...


@runtime_checkable
class ReportsRenewals(Protocol):
    """A dependency that keeps leases, and can tell how they are renewed."""

    @property
    def renewals(self) -> RenewalFigures:
        """How the leases of this process are renewed."""
        ...


class CallQueue(Protocol):
    """The calls that wait for a dependency."""

    @property
    def waiters(self) -> Collection[object]:
        """Those who wait: always the same object, so that a look at it costs nothing while there are none."""
        ...

    def refuses(self) -> bool:
        """Return whether a call would be rejected at this moment, and count it as rejected if so."""
        ...


@runtime_checkable
class ShedsLoad(Protocol):
    """A dependency that rejects calls when too many wait for it."""

    @property
    def queue(self) -> CallQueue:
        """The calls that wait."""
        ...
