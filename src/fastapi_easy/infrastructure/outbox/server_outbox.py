"""What the outboxes of all servers have in common: three parts, and how calls on them fail."""

import datetime
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.outbox.message import ClaimedMessage, OutboxLag, OutboxMessage, ParkedMessage

T = TypeVar("T")


class Attempt(Protocol):
    """Returns the result of a call, or why there is none."""

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> Outcome[T]: ...


class Claiming(Protocol):
    """Says who publishes what. Each method is that of `Outbox`, and raises what the driver raises."""

    async def claim(self, limit: int, lease: float, /) -> Sequence[ClaimedMessage]: ...

    async def mark_published(self, claims: Sequence[ClaimedMessage], /) -> int: ...

    async def release(self, claims: Sequence[ClaimedMessage], /) -> int: ...

    async def retry_later(self, claim: ClaimedMessage, delay: float, error: str, /) -> bool: ...

    async def park(self, claim: ClaimedMessage, error: str, /) -> bool: ...


class Parking(Protocol):
    """Looks after what was not published; as `Claiming`."""

    async def lag(self) -> OutboxLag: ...

    async def find(self, limit: int, /) -> Sequence[ParkedMessage]: ...

    async def retry(self, message_id: uuid.UUID | None, /) -> int: ...

    async def drop(self, message_id: uuid.UUID, /) -> bool: ...


class Positioning(Protocol):
    """Assigns positions, and reads along them; as `Claiming`."""

    async def assign(self, limit: int, /) -> int: ...

    async def read_after(self, position: int, limit: int, /) -> tuple[Sequence[OutboxMessage], bool]: ...

    async def last(self) -> int: ...

    async def first(self) -> int: ...

    async def read_expired(
        self, before: datetime.datetime, limit: int, *, published: bool
    ) -> Sequence[OutboxMessage]: ...

    async def remove(self, message_ids: Sequence[uuid.UUID], /) -> int: ...


class ServerOutbox:
    """Implements `Outbox`, all but `prepare`.

    Args:
        attempt: Turns what a driver raises into a failure.

        claims: Says who publishes what.

        parked: Looks after what was not published.

        positions: Assigns positions.
    """

    def __init__(self, attempt: Attempt, claims: Claiming, parked: Parking, positions: Positioning) -> None:
        self._attempt = attempt
        self._claims = claims
        self._parked = parked
        self._positions = positions

    async def claim(self, limit: int, lease: float, /) -> Outcome[Sequence[ClaimedMessage]]:
        """Claim the oldest message of each entity, as far as it is due."""
        return await self._attempt(lambda: self._claims.claim(limit, lease))

    async def mark_published(self, claims: Sequence[ClaimedMessage], /) -> Outcome[int]:
        """Mark as published what *claims* stand for."""
        return await self._attempt(lambda: self._claims.mark_published(claims))

    async def release(self, claims: Sequence[ClaimedMessage], /) -> Outcome[int]:
        """Give back *claims* as if they had never been made."""
        return await self._attempt(lambda: self._claims.release(claims))

    async def retry_later(self, claim: ClaimedMessage, delay: float, error: str, /) -> Outcome[bool]:
        """Give *claim* back for *delay* seconds."""
        return await self._attempt(lambda: self._claims.retry_later(claim, delay, error))

    async def park(self, claim: ClaimedMessage, error: str, /) -> Outcome[bool]:
        """Park what *claim* stands for."""
        return await self._attempt(lambda: self._claims.park(claim, error))

    async def lag(self) -> Outcome[OutboxLag]:
        """Count what has not been published yet, in one statement."""
        return await self._attempt(self._parked.lag)

    async def find_parked(self, limit: int, /) -> Outcome[Sequence[ParkedMessage]]:
        """Return parked messages."""
        return await self._attempt(lambda: self._parked.find(limit))

    async def retry_parked(self, message_id: uuid.UUID | None, /) -> Outcome[int]:
        """Have parked messages published as if never tried."""
        return await self._attempt(lambda: self._parked.retry(message_id))

    async def drop_parked(self, message_id: uuid.UUID, /) -> Outcome[bool]:
        """Never publish a parked message."""
        return await self._attempt(lambda: self._parked.drop(message_id))

    async def assign_positions(self, limit: int, /) -> Outcome[int]:
        """Give positions to messages, under the lock of the head row."""
        return await self._attempt(lambda: self._positions.assign(limit))

    async def read_after(self, position: int, limit: int, /) -> Outcome[tuple[Sequence[OutboxMessage], bool]]:
        """Return messages after *position*."""
        return await self._attempt(lambda: self._positions.read_after(position, limit))

    async def last_position(self) -> Outcome[int]:
        """Return the highest position that was ever assigned."""
        return await self._attempt(self._positions.last)

    async def first_position(self) -> Outcome[int]:
        """Return the lowest position that is still there."""
        return await self._attempt(self._positions.first)

    async def read_expired(
        self, before: datetime.datetime, limit: int, *, published: bool
    ) -> Outcome[Sequence[OutboxMessage]]:
        """Return messages that occurred before *before*."""
        return await self._attempt(lambda: self._positions.read_expired(before, limit, published=published))

    async def remove(self, message_ids: Sequence[uuid.UUID], /) -> Outcome[int]:
        """Remove messages."""
        return await self._attempt(lambda: self._positions.remove(message_ids))
