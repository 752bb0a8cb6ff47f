"""The outbox of one database, as relays and readers of the change feed use it."""

import datetime
import uuid
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.outbox.message import ClaimedMessage, OutboxLag, OutboxMessage, ParkedMessage


@runtime_checkable
class Outbox(Protocol):
    """Messages that were committed with the changes they tell of.

    They get there as rows of a journal (`domain.outbox.tables`). Every method fails with `Unavailable` when the
    database does not answer. Times are those of the database, so that the clocks of several relays do not matter.
    """

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Make the database ready; return why it cannot hold an outbox, each a sentence with the way to mend it."""
        ...

    async def claim(self, limit: int, lease: float, /) -> Outcome[Sequence[ClaimedMessage]]:
        """Claim at most *limit* messages, the oldest first, for *lease* seconds.

        Of each entity only the oldest that is not published yet, and only if it is not claimed by another relay, not
        parked and not to be tried later: so the messages of one entity are published one after the other. A claim
        that has expired is as if it had never been. Any number of relays may call it at the same time.
        """
        ...

    async def mark_published(self, claims: Sequence[ClaimedMessage], /) -> Outcome[int]:
        """Mark as published what *claims* stand for; return the number of those whose claim still held."""
        ...

    async def release(self, claims: Sequence[ClaimedMessage], /) -> Outcome[int]:
        """Give back *claims* that were not tried, as if they had never been made; return how many still held.

        They can be claimed again at once, and their attempts are what they were before.
        """
        ...

    async def retry_later(self, claim: ClaimedMessage, delay: float, error: str, /) -> Outcome[bool]:
        """Give *claim* back, to be claimed again after *delay* seconds; return whether it still held."""
        ...

    async def park(self, claim: ClaimedMessage, error: str, /) -> Outcome[bool]:
        """Park what *claim* stands for because of *error*; return whether it still held."""
        ...

    async def lag(self) -> Outcome[OutboxLag]:
        """Return what has not been published yet."""
        ...

    async def find_parked(self, limit: int, /) -> Outcome[Sequence[ParkedMessage]]:
        """Return at most *limit* parked messages, the oldest first."""
        ...

    async def retry_parked(self, message_id: uuid.UUID | None, /) -> Outcome[int]:
        """Have the parked message with *message_id*, or all, published as if never tried; return their number."""
        ...

    async def drop_parked(self, message_id: uuid.UUID, /) -> Outcome[bool]:
        """Never publish the parked message with *message_id*, so that those behind it are; return whether it was there.

        It stays in the change feed.
        """
        ...

    async def assign_positions(self, limit: int, /) -> Outcome[int]:
        """Give positions to at most *limit* committed messages that have none; return their number.

        One transaction after the other does so: whoever reads after a position misses nothing, whichever transaction
        of a change was slow. Any number of processes may call it at the same time.
        """
        ...

    async def read_after(self, position: int, limit: int, /) -> Outcome[tuple[Sequence[OutboxMessage], bool]]:
        """Return messages after *position* in one statement: at most *limit*, ascending by position.

        Returns:
            The messages that have a position, and whether there are messages that have none yet.
        """
        ...

    async def last_position(self) -> Outcome[int]:
        """Return the highest position that was ever assigned; 0 when there was none."""
        ...

    async def first_position(self) -> Outcome[int]:
        """Return the lowest position that is still there; one more than the highest ever assigned when none is."""
        ...

    async def read_expired(
        self, before: datetime.datetime, limit: int, *, published: bool
    ) -> Outcome[Sequence[OutboxMessage]]:
        """Return at most *limit* messages with a position that occurred before *before*, in the order of positions.

        Args:
            before: Aware, UTC.

            limit: The number of messages at most.

            published: Only those that were published or dropped, not those that wait for a broker.
        """
        ...

    async def remove(self, message_ids: Sequence[uuid.UUID], /) -> Outcome[int]:
        """Remove messages for good, for retention; return their number."""
        ...
