"""Give the messages of an outbox their places in the change feed."""

from typing import Final

from returns.result import Failure

from fastapi_easy.application.events.outbox_outage import OutboxOutage
from fastapi_easy.domain.ports.outbox import Outbox

_BATCH: Final = 1000
"""Messages at once: so long other relays wait for the same."""


class AssignPositions:
    """A `RelayTask`: gives positions to the messages of one outbox, for the change feed, webhooks and retention.

    Args:
        database: The name of the database whose outbox it is, for logs.

        outbox: Holds the messages.
    """

    def __init__(self, database: str, outbox: Outbox) -> None:
        self.name = f"positions {database}"
        self._outbox = outbox
        self._outage = OutboxOutage(self.name)

    async def run_once(self) -> bool:
        """Give positions to a batch of messages; return whether there may be more."""
        assigned = await self._outbox.assign_positions(_BATCH)
        if isinstance(assigned, Failure):
            self._outage.goes_on(assigned.failure().code)
            return False
        self._outage.is_over()
        return assigned.unwrap() >= _BATCH
