"""What was not published: how much of it there is, and what becomes of parked messages."""

import functools
import uuid
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Executable, bindparam, func, literal_column, null, select, update

from fastapi_easy.domain.outbox.message import OutboxLag, ParkedMessage
from fastapi_easy.domain.outbox.tables import MessageState
from fastapi_easy.infrastructure.outbox.relational.connection import SystemConnection
from fastapi_easy.infrastructure.outbox.relational.terms import (
    DROPPED,
    MESSAGES,
    PARKED,
    WAITING,
    count,
    has_earlier,
    in_state,
    message_columns,
)
from fastapi_easy.infrastructure.outbox.stored_message import (
    COLUMNS,
    from_microseconds,
    from_record,
    to_microseconds,
)
from fastapi_easy.infrastructure.relational.system_tables.database_clock import now

_ID: Final = MESSAGES.c.id == bindparam("message_id", type_=MESSAGES.c.id.type)
_RETRY_ALL: Final = (
    update(MESSAGES)
    .where(in_state(MESSAGES, PARKED))
    .values(state=WAITING, attempts=literal_column("0"), not_before=null(), error=null(), parked_at=null())
)
_RETRY: Final = _RETRY_ALL.where(_ID)
_DROP: Final = update(MESSAGES).where(in_state(MESSAGES, PARKED), _ID).values(state=DROPPED)


def _find() -> Executable:
    parked, behind = MESSAGES.alias("parked"), MESSAGES.alias("behind")
    waiting = (
        select(count())
        .select_from(behind)
        .where(
            in_state(behind, WAITING),
            behind.c.resource == parked.c.resource,
            behind.c.entity == parked.c.entity,
            behind.c.number > parked.c.number,
        )
        .correlate(parked)
        .scalar_subquery()
    )
    return (
        select(*message_columns(parked), parked.c.attempts, parked.c.error, parked.c.parked_at, waiting)
        .where(in_state(parked, PARKED))
        .order_by(parked.c.number)
        .limit(bindparam("at_most", type_=BigInteger()))
    )


_FIND: Final = _find()


class ParkedMessages:
    """Looks after what has not been published, through *connection*."""

    def __init__(self, connection: SystemConnection) -> None:
        self._connection = connection

    async def lag(self) -> OutboxLag:
        """Count what has not been published."""
        records = await self._connection.read(_lag(self._connection.dialect), {})
        numbers = {(int(state), bool(blocked)): int(number) for state, blocked, number, _, _ in records}
        seconds = [
            (moment - to_microseconds(oldest.timestamp())) / 1_000_000
            for state, blocked, _, oldest, moment in records
            if state == MessageState.WAITING and not blocked
        ]
        parked = (numbers.get((int(MessageState.PARKED), each), 0) for each in (False, True))
        return OutboxLag(
            waiting=numbers.get((int(MessageState.WAITING), False), 0),
            # Written by the clock of the process.
            oldest=max([0.0, *seconds]),
            parked=sum(parked),
            behind_parked=numbers.get((int(MessageState.WAITING), True), 0),
        )

    async def find(self, limit: int) -> Sequence[ParkedMessage]:
        """Return parked messages."""
        records = await self._connection.read(_FIND, {"at_most": limit})
        first = len(COLUMNS)
        return [
            ParkedMessage(
                message=from_record(each),
                attempts=each[first],
                error=each[first + 1],
                parked_at=from_microseconds(each[first + 2]),
                waiting=each[first + 3],
            )
            for each in records
        ]

    async def retry(self, message_id: uuid.UUID | None) -> int:
        """Have parked messages published as if never tried."""
        if message_id is None:
            return (await self._connection.write(_RETRY_ALL, {})).affected
        return (await self._connection.write(_RETRY, {"message_id": message_id})).affected

    async def drop(self, message_id: uuid.UUID) -> bool:
        """Never publish a parked message."""
        return (await self._connection.write(_DROP, {"message_id": message_id})).affected > 0


@functools.cache
def _lag(dialect: str) -> Executable:
    message = MESSAGES.alias("message")
    each: Any = (
        select(message.c.state, message.c.occurred_at, has_earlier(message, PARKED).label("blocked"))
        .where(in_state(message, WAITING, PARKED))
        .subquery("each")
    )
    return select(each.c.state, each.c.blocked, count(), func.min(each.c.occurred_at), now(dialect)).group_by(
        each.c.state, each.c.blocked
    )
