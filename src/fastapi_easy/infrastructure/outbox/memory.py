"""The outbox of a database in memory."""

import datetime
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final, TypeAlias

from returns.result import Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.outbox.message import ClaimedMessage, OutboxLag, OutboxMessage, ParkedMessage
from fastapi_easy.domain.outbox.tables import OUTBOX, OUTBOX_HEAD, MessageState
from fastapi_easy.infrastructure.outbox.stored_message import (
    from_microseconds,
    from_stored,
    to_microseconds,
)
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase

_Row: TypeAlias = dict[str, Any]

_NOTHING: Final = {"claim": None, "claim_until": None}


class MemoryOutbox:
    """Implements `Outbox` in *database*.

    Args:
        database: The database.

        now: Returns the seconds since 1970.
    """

    def __init__(self, database: MemoryDatabase, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Do nothing."""
        return Success(())

    async def claim(self, limit: int, lease: float, /) -> Outcome[Sequence[ClaimedMessage]]:
        """Claim the oldest message of each entity, as far as it is due."""
        now, claim = to_microseconds(self._now()), uuid.uuid4()
        claimed: list[ClaimedMessage] = []
        for row in self._heads():
            if len(claimed) == limit:
                break
            is_free = row["claim_until"] is None or row["claim_until"] < now
            if row["state"] == MessageState.WAITING and is_free and (row["not_before"] or 0) <= now:
                row["attempts"] += 1
                row.update(claim=claim, claim_until=now + to_microseconds(lease))
                claimed.append(
                    ClaimedMessage(message=from_stored(row), claim=claim, attempts=row["attempts"])
                )
        return Success(claimed)

    async def mark_published(self, claims: Sequence[ClaimedMessage], /) -> Outcome[int]:
        """Mark as published what *claims* stand for."""
        held = self._held(claims)
        for row in held:
            row.update(_NOTHING, state=int(MessageState.PUBLISHED))
        return Success(len(held))

    async def release(self, claims: Sequence[ClaimedMessage], /) -> Outcome[int]:
        """Give back *claims* as if they had never been made."""
        held = self._held(claims)
        for row in held:
            row.update(_NOTHING, attempts=row["attempts"] - 1)
        return Success(len(held))

    async def retry_later(self, claim: ClaimedMessage, delay: float, error: str, /) -> Outcome[bool]:
        """Give *claim* back for *delay* seconds."""
        return self._change(claim, not_before=to_microseconds(self._now() + delay), error=error)

    async def park(self, claim: ClaimedMessage, error: str, /) -> Outcome[bool]:
        """Park what *claim* stands for."""
        parked_at = to_microseconds(self._now())
        return self._change(claim, state=int(MessageState.PARKED), error=error, parked_at=parked_at)

    async def lag(self) -> Outcome[OutboxLag]:
        """Count what has not been published yet."""
        blocked: set[tuple[str, str]] = set()
        waiting: list[_Row] = []
        parked = behind = 0
        for row in self._unpublished():
            entity = row["resource"], row["entity"]
            if row["state"] == MessageState.PARKED:
                parked += 1
                blocked.add(entity)
            elif entity in blocked:
                behind += 1
            else:
                waiting.append(row)
        oldest = min((row["occurred_at"].timestamp() for row in waiting), default=None)
        seconds = 0.0 if oldest is None else max(0.0, self._now() - oldest)
        return Success(OutboxLag(waiting=len(waiting), oldest=seconds, parked=parked, behind_parked=behind))

    async def find_parked(self, limit: int, /) -> Outcome[Sequence[ParkedMessage]]:
        """Return parked messages."""
        waiting: Counter[tuple[str, str]] = Counter()
        found: list[ParkedMessage] = []
        for row in reversed(list(self._unpublished())):
            entity = row["resource"], row["entity"]
            if row["state"] == MessageState.WAITING:
                waiting[entity] += 1
                continue
            found.append(
                ParkedMessage(
                    message=from_stored(row),
                    attempts=row["attempts"],
                    error=row["error"],
                    parked_at=from_microseconds(row["parked_at"]),
                    waiting=waiting[entity],
                )
            )
        return Success(found[::-1][:limit])

    async def retry_parked(self, message_id: uuid.UUID | None, /) -> Outcome[int]:
        """Have parked messages published as if never tried."""
        parked = self._parked(message_id)
        for row in parked:
            row.update(
                state=int(MessageState.WAITING), attempts=0, not_before=None, error=None, parked_at=None
            )
        return Success(len(parked))

    async def drop_parked(self, message_id: uuid.UUID, /) -> Outcome[bool]:
        """Never publish a parked message."""
        parked = self._parked(message_id)
        for row in parked:
            row["state"] = int(MessageState.DROPPED)
        return Success(bool(parked))

    async def assign_positions(self, limit: int, /) -> Outcome[int]:
        """Give positions to messages; their order is that of their commits already."""
        last, new = self._last(), [row for row in self._rows if row["position"] is None][:limit]
        for position, row in enumerate(new, start=last + 1):
            row["position"] = position
        self._database.system_table(OUTBOX_HEAD)[:] = [{"position": last + len(new)}]
        return Success(len(new))

    async def read_after(self, position: int, limit: int, /) -> Outcome[tuple[Sequence[OutboxMessage], bool]]:
        """Return messages after *position*."""
        found = [from_stored(row) for row in self._positioned() if row["position"] > position]
        return Success((found[:limit], any(row["position"] is None for row in reversed(self._rows))))

    async def last_position(self) -> Outcome[int]:
        """Return the highest position that was ever assigned."""
        return Success(self._last())

    async def first_position(self) -> Outcome[int]:
        """Return the lowest position that is still there."""
        return Success(next((row["position"] for row in self._positioned()), self._last() + 1))

    async def read_expired(
        self, before: datetime.datetime, limit: int, *, published: bool
    ) -> Outcome[Sequence[OutboxMessage]]:
        """Return messages that occurred before *before*."""
        found = [
            from_stored(row)
            for row in self._positioned()
            if row["occurred_at"] < before
            and (not published or row["state"] in {MessageState.PUBLISHED, MessageState.DROPPED})
        ]
        return Success(found[:limit])

    async def remove(self, message_ids: Sequence[uuid.UUID], /) -> Outcome[int]:
        """Remove messages."""
        gone: Collection[uuid.UUID] = set(message_ids)
        rows = self._rows
        kept = [row for row in rows if row["id"] not in gone]
        removed = len(rows) - len(kept)
        rows[:] = kept
        return Success(removed)

    @property
    def _rows(self) -> list[_Row]:
        """In the order of their numbers."""
        return self._database.system_table(OUTBOX)

    def _unpublished(self) -> Iterator[_Row]:
        return (row for row in self._rows if row["state"] < MessageState.PUBLISHED)

    def _heads(self) -> Iterator[_Row]:
        seen: set[tuple[str, str]] = set()
        for row in self._unpublished():
            entity = row["resource"], row["entity"]
            if entity not in seen:
                seen.add(entity)
                yield row

    def _positioned(self) -> Iterator[_Row]:
        # Assigned in their order, so that those without one are the last.
        return (row for row in self._rows if row["position"] is not None)

    def _parked(self, message_id: uuid.UUID | None) -> list[_Row]:
        return [
            row
            for row in self._rows
            if row["state"] == MessageState.PARKED and message_id in {None, row["id"]}
        ]

    def _held(self, claims: Sequence[ClaimedMessage]) -> list[_Row]:
        wanted = {(each.message.id, each.claim) for each in claims}
        return [
            row
            for row in self._rows
            if row["state"] == MessageState.WAITING and (row["id"], row["claim"]) in wanted
        ]

    def _change(self, claim: ClaimedMessage, **values: object) -> Outcome[bool]:
        held = self._held([claim])
        for row in held:
            row.update(_NOTHING, **values)
        return Success(bool(held))

    def _last(self) -> int:
        heads = self._database.system_table(OUTBOX_HEAD)
        return int(heads[0]["position"]) if heads else 0
