"""A database of the application, and its lifespan."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.domain.resources.resource import Resource, Shape


class SchemaMode(enum.StrEnum):
    """What happens to the stored schema at start."""

    CREATE = "create"
    """Create what is missing; then as CHECK."""

    FRESH = "fresh"
    """Create everything where nothing that is declared exists yet; else as CHECK."""

    CHECK = "check"
    """Refuse to start when the stored schema differs from the declarations."""

    OFF = "off"
    """Do not look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The connection pool of one database, at this moment.

    Attributes:
        limit: How many there may be.

        open: How many there are.

        in_use: How many of them are handed out.

        waiting: How many calls wait for one; `None` where nobody counts them.

        shed: How many calls were refused so far, because they would have waited for too long.

        waits: How many calls have waited for a connection so far, also in vain.

        wait_seconds: How long those have waited, together.

        leaked: How many were checked out and never given back so far; they were closed.
    """

    limit: int
    open: int
    in_use: int
    waiting: int | None = None
    shed: int = 0
    waits: int = 0
    wait_seconds: float = 0.0
    leaked: int = 0


@runtime_checkable
class Database(Protocol):
    """One store and its pool of connections. Made without I/O; usable between `open` and `close`."""

    @property
    def name(self) -> str:
        """Its name in the settings."""
        ...

    @property
    def technology(self) -> str:
        """The technology, for people: `SQLite`, `PostgreSQL`, `memory`."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        ...

    @property
    def pool(self) -> Pool | None:
        """Its connections; `None` when it needs none."""
        ...

    def narrow_shape(self, name: str, shape: Shape) -> tuple[Shape, list[str]]:
        """Narrow *shape* to what this store can hold.

        Args:
            name: The name of the resource, for the sentences.

            shape: As read from the user's class.

        Returns:
            The shape with tighter bounds where the store has them, and what it cannot hold at all, each a
            sentence with the way to mend it.
        """
        ...

    async def open(self) -> None:
        """Make the store usable. Once; a store that is down does not keep it from opening."""
        ...

    async def close(self) -> None:
        """Give back every connection. Twice does nothing."""
        ...

    async def check(self) -> Outcome[None]:
        """Ask whether the store responds, within a second or two.

        Fails with:
            Unavailable: It does not.
        """
        ...

    async def prepare(self, resources: Sequence[Resource[Any]], mode: SchemaMode) -> Outcome[Sequence[str]]:
        """Create or compare the stored schema of *resources*, as *mode* says. Safe when many start at once.

        Returns:
            Every difference left between declarations and store, each a sentence; empty when they agree.

        Fails with:
            Unavailable: The store does not answer.
        """
        ...
