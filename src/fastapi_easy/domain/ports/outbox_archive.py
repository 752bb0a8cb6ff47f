"""Where messages are kept after they have left the outbox."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.outbox.message import OutboxMessage


@runtime_checkable
class OutboxArchive(Protocol):
    """Keeps messages that are removed from an outbox."""

    async def keep(self, database: str, messages: Sequence[OutboxMessage], /) -> Outcome[None]:
        """Keep *messages* of the outbox of *database*, so that they survive a crash. Again changes nothing.

        Args:
            database: The name of the database.

            messages: At least one; each has a position, and they ascend.

        Fails with:
            Unavailable: They could not be kept.
        """
        ...
