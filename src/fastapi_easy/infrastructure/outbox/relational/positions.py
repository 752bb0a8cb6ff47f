"""Positions: an order of all messages in which nothing appears later before what was read already."""

import datetime
import functools
import uuid
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Executable,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    true,
    update,
)

from fastapi_easy.domain.outbox.message import OutboxMessage
from fastapi_easy.domain.outbox.tables import OUTBOX_HEAD, POSITIONS
from fastapi_easy.infrastructure.outbox.relational.connection import SystemConnection
from fastapi_easy.infrastructure.outbox.relational.terms import MESSAGES, PUBLISHED, message_columns
from fastapi_easy.infrastructure.outbox.stored_message import COLUMNS, from_record
from fastapi_easy.infrastructure.relational.driver.error_classification import classify_error
from fastapi_easy.infrastructure.relational.error_codes import ErrorCause
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of
from fastapi_easy.infrastructure.relational.transaction import Transaction

_HEAD: Final = table_of(OUTBOX_HEAD)
_IS_HEAD: Final = _HEAD.c.name == POSITIONS
_READ_HEAD: Final = select(_HEAD.c.position).where(_IS_HEAD)
_LOCK_HEAD: Final = _READ_HEAD.with_for_update()
_ADD_HEAD: Final = insert(_HEAD).values(name=POSITIONS, position=0)
_MOVE_HEAD: Final = (
    update(_HEAD)
    .where(_IS_HEAD)
    .values(position=_HEAD.c.position + bindparam("given_number", type_=BigInteger()))
)
_AT_MOST: Final = bindparam("at_most", type_=BigInteger())
_NUMBERS: Final = bindparam("numbers", type_=BigInteger(), expanding=True)
_NEW: Final = (
    select(MESSAGES.c.number).where(MESSAGES.c.position.is_(None)).order_by(MESSAGES.c.number).limit(_AT_MOST)
)
_FIRST: Final = select(func.min(MESSAGES.c.position))
_REMOVE: Final = delete(MESSAGES).where(
    MESSAGES.c.id.in_(bindparam("ids", type_=MESSAGES.c.id.type, expanding=True))
)


class Positions:
    """Assigns positions, and reads along them, through *connection*."""

    def __init__(self, connection: SystemConnection) -> None:
        self._connection = connection

    async def add_head(self) -> None:
        """Add the row that is locked by whoever assigns positions, where it is missing."""
        if await self._connection.read(_READ_HEAD, {}):
            return
        try:
            _ = await self._connection.write(_ADD_HEAD, {})
        except DATABASE_ERRORS as error:
            classified = classify_error(error)
            # Another process was faster.
            if classified is None or classified.cause is not ErrorCause.UNIQUE:
                raise

    async def assign(self, limit: int) -> int:
        """Give positions to at most *limit* messages that have none."""
        async with self._connection.transaction() as transaction:
            lock = _READ_HEAD if self._connection.dialect == "sqlite" else _LOCK_HEAD
            heads = (await transaction.execute(lock, {})).rows
            if heads:
                return await self._assign_behind(transaction, int(heads[0][0]), limit)
        await self.add_head()
        return await self.assign(limit)

    async def read_after(self, position: int, limit: int) -> tuple[Sequence[OutboxMessage], bool]:
        """Return messages after *position*, and whether some have none."""
        records = await self._connection.read(_read_after(), {"after": position, "at_most": limit})
        found = [from_record(each) for each in records if each[0] is not None]
        return found, bool(records[0][len(COLUMNS)])

    async def last(self) -> int:
        """Return the highest position that was ever assigned."""
        heads = await self._connection.read(_READ_HEAD, {})
        return int(heads[0][0]) if heads else 0

    async def first(self) -> int:
        """Return the lowest position that is there."""
        # In this order: what is assigned in between is not taken for removed.
        last = await self.last()
        lowest = (await self._connection.read(_FIRST, {}))[0][0]
        return last + 1 if lowest is None else int(lowest)

    async def read_expired(
        self, before: datetime.datetime, limit: int, *, published: bool
    ) -> Sequence[OutboxMessage]:
        """Return messages that occurred before *before*."""
        given = {"moment": before, "at_most": limit}
        return [
            from_record(each)
            for each in await self._connection.read(_read_expired(published=published), given)
        ]

    async def remove(self, message_ids: Sequence[uuid.UUID]) -> int:
        """Remove messages."""
        if not message_ids:
            return 0
        return (await self._connection.write(_REMOVE, {"ids": list(message_ids)})).affected

    async def _assign_behind(self, transaction: Transaction, last: int, limit: int) -> int:
        given: dict[str, object] = {"last": last}
        if self._connection.dialect in {"mysql", "mariadb"}:
            # An update that looks for them itself would wait for messages that are not committed.
            numbers = [number for (number,) in (await transaction.execute(_NEW, {"at_most": limit})).rows]
            if not numbers:
                return 0
            given["numbers"] = numbers
        else:
            given["at_most"] = limit
        answer = await transaction.execute(_assign(self._connection.dialect), given, writes=True)
        _ = await transaction.execute(_MOVE_HEAD, {"given_number": answer.affected}, writes=True)
        return answer.affected


@functools.cache
def _assign(dialect: str) -> Executable:
    if dialect in {"mysql", "mariadb"}:
        chosen: Any = select(MESSAGES.c.number).where(MESSAGES.c.number.in_(_NUMBERS)).subquery("chosen")
    elif dialect == "sqlite":
        chosen = _NEW.subquery("chosen")
    else:
        chosen = _NEW.with_for_update().cte("chosen")
    rank = func.row_number().over(order_by=chosen.c.number)
    ranked = select(chosen.c.number, rank.label("place")).subquery("ranked")
    return (
        update(MESSAGES)
        .where(MESSAGES.c.number == ranked.c.number)
        .values(position=bindparam("last", type_=BigInteger()) + ranked.c.place)
    )


@functools.cache
def _read_after() -> Select[Any]:
    found = (
        select(*message_columns(MESSAGES))
        .where(MESSAGES.c.position > bindparam("after", type_=BigInteger()))
        .order_by(MESSAGES.c.position)
        .limit(_AT_MOST)
        .subquery("found")
    )
    unread = exists(select(literal_column("1")).select_from(MESSAGES).where(MESSAGES.c.position.is_(None)))
    # One row at least, which says whether there are messages without a position.
    one = select(unread.label("is_more")).subquery("one")
    joined = one.outerjoin(found, true())
    columns = [*message_columns(found), one.c.is_more]
    return select(*columns).select_from(joined).order_by(found.c.position)


@functools.cache
def _read_expired(*, published: bool) -> Select[Any]:
    found = (
        select(*message_columns(MESSAGES))
        .where(
            MESSAGES.c.position.is_not(None),
            MESSAGES.c.occurred_at < bindparam("moment", type_=MESSAGES.c.occurred_at.type),
        )
        .order_by(MESSAGES.c.position)
        .limit(_AT_MOST)
    )
    return found.where(MESSAGES.c.state >= PUBLISHED) if published else found
