"""What operators ask of outboxes: how far behind, what is parked, try it again, give it up."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from returns.result import Failure, Success

from fastapi_easy.application.context import NOBODY, Context
from fastapi_easy.domain.errors import NotFound, Outcome
from fastapi_easy.domain.outbox.events import MessageDropped, MessageRetried
from fastapi_easy.domain.outbox.message import OutboxLag, ParkedMessage
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.ports.outbox import Outbox

_Decision: TypeAlias = type[MessageRetried | MessageDropped]

_OUTBOX: Final = "outbox"

MOST_PARKED: Final = 1000
"""Parked messages that are listed of each outbox, and tried again by one call."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A parked message, and where it is.

    Attributes:
        database: The name of the database in whose outbox it is.

        parked: The message.
    """

    database: str
    parked: ParkedMessage


class OutboxOperations:
    """Looks after the outboxes of an application. It asks no policy: who calls it decides who may.

    Args:
        outboxes: By the name of the database.

        clock: Dates the events.

        events: Are told of each message that is tried again or given up.
    """

    def __init__(self, outboxes: Mapping[str, Outbox], clock: Clock, events: EventBus) -> None:
        self._outboxes = outboxes
        self._clock = clock
        self._events = events

    async def lag(self) -> Outcome[Mapping[str, OutboxLag]]:
        """Return what has not been published yet, by database.

        Fails with:
            Unavailable: A database does not answer.
        """
        lags: dict[str, OutboxLag] = {}
        for database, outbox in self._outboxes.items():
            asked = await outbox.lag()
            if isinstance(asked, Failure):
                return asked
            lags[database] = asked.unwrap()
        return Success(lags)

    async def list_parked(self, *, limit: int = MOST_PARKED) -> Outcome[Sequence[Parked]]:
        """Return the parked messages, the oldest of each database first.

        Args:
            limit: The number of messages of each database at most.

        Fails with:
            Unavailable: A database does not answer.
        """
        found: list[Parked] = []
        for database, outbox in self._outboxes.items():
            asked = await outbox.find_parked(limit)
            if isinstance(asked, Failure):
                return asked
            found += [Parked(database, each) for each in asked.unwrap()]
        return Success(found)

    async def retry(self, message_id: uuid.UUID, *, context: Context = NOBODY) -> Outcome[None]:
        """Have a parked message published as if it had never been tried, and then those that wait behind it.

        Publishes `MessageRetried`.

        Fails with:
            NotFound: No message with this id is parked.

            Unavailable: A database does not answer.
        """
        return await self._decide(
            MessageRetried, message_id, lambda each: each.retry_parked(message_id), context
        )

    async def retry_all(self, *, context: Context = NOBODY) -> Outcome[int]:
        """Have every parked message published as if it had never been tried; return their number.

        Publishes `MessageRetried` for each.

        Fails with:
            Unavailable: A database does not answer; some may be tried again already.
        """
        number = 0
        while True:
            listed = await self.list_parked()
            if isinstance(listed, Failure):
                return listed
            before = number
            for each in listed.unwrap():
                # One by one, so that each is announced, and only what was parked when it was read.
                retried = await self._outboxes[each.database].retry_parked(each.parked.message.id)
                if isinstance(retried, Failure):
                    return retried
                if retried.unwrap():
                    number += 1
                    await self._announce(MessageRetried, each.database, each.parked.message.id, context)
            if number == before or len(listed.unwrap()) < MOST_PARKED:
                return Success(number)

    async def drop(self, message_id: uuid.UUID, *, context: Context = NOBODY) -> Outcome[None]:
        """Give up a parked message: it is never published, and those that wait behind it are.

        It stays in the change feed. Publishes `MessageDropped`.

        Fails with:
            NotFound: No message with this id is parked.

            Unavailable: A database does not answer.
        """
        return await self._decide(
            MessageDropped, message_id, lambda each: each.drop_parked(message_id), context
        )

    async def _decide(
        self,
        event: _Decision,
        message_id: uuid.UUID,
        carry_out: Callable[[Outbox], Awaitable[Outcome[int]]],
        context: Context,
    ) -> Outcome[None]:
        """Carry out a decision about a parked message, in whichever outbox it is, and announce *event*."""
        for database, outbox in self._outboxes.items():
            decided = await carry_out(outbox)
            if isinstance(decided, Failure):
                return decided
            if decided.unwrap():
                await self._announce(event, database, message_id, context)
                return Success(None)
        return Failure(NotFound(_OUTBOX, str(message_id)))

    async def _announce(
        self,
        event: _Decision,
        database: str,
        message_id: uuid.UUID,
        context: Context,
    ) -> None:
        happened = event(
            key=message_id,
            database=database,
            actor=context.principal.id,
            tenant=context.tenant,
            correlation_id=context.correlation_id,
            occurred_at=self._clock.now(),
        )
        await self._events.publish([happened])
