"""Claims of messages: which may be published next, and by whom."""

import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Executable,
    FromClause,
    Select,
    String,
    Update,
    bindparam,
    exists,
    null,
    select,
    update,
)

from fastapi_easy.domain.outbox.message import ClaimedMessage
from fastapi_easy.infrastructure.outbox.relational.connection import SystemConnection
from fastapi_easy.infrastructure.outbox.relational.terms import (
    MESSAGES,
    PARKED,
    PUBLISHED,
    WAITING,
    has_earlier,
    in_state,
    is_due,
    message_columns,
)
from fastapi_easy.infrastructure.outbox.stored_message import COLUMNS, from_record, to_microseconds
from fastapi_easy.infrastructure.relational.driver.executor import Record
from fastapi_easy.infrastructure.relational.system_tables.database_clock import now

_CLAIM = bindparam("given_claim", type_=MESSAGES.c.claim.type)
_NUMBERS = bindparam("numbers", type_=BigInteger(), expanding=True)


@dataclass(frozen=True, slots=True)
class _Statements:
    """The statements of one kind of database.

    Attributes:
        heads: Finds the messages that may be claimed; locks them where the database can skip what is locked.

        any_head: The same for one, without a lock.

        claim: Claims those, in one statement.

        blocked: Returns which of the messages *numbers* are behind another one.

        claim_numbers: Claims the messages *numbers*.

        mark: Marks messages as published.

        release: Gives messages back.
    """

    heads: Select[Any]
    any_head: Executable
    claim: Executable
    blocked: Executable
    claim_numbers: Executable
    mark: Executable
    release: Executable


class Claims:
    """Claims messages through *connection*.

    Of each entity only the first unpublished message can be claimed. Since the numbers of one entity ascend in the
    order of commits, whoever sees a message sees those before it.
    """

    def __init__(self, connection: SystemConnection) -> None:
        self._connection = connection
        self._statements = _statements(connection.dialect)

    async def claim(self, limit: int, lease: float) -> Sequence[ClaimedMessage]:
        """Claim at most *limit* messages for *lease* seconds."""
        claim = uuid.uuid4()
        given = {"given_claim": claim, "lease": to_microseconds(lease), "at_most": limit}
        match self._connection.dialect:
            case "mysql" | "mariadb":
                records = await self._claim_in_steps(given)
            case "sqlite":
                # A look that waits for nobody: most of the time there is nothing to do, and a claim locks all writers.
                if not (await self._connection.read(self._statements.any_head, {}))[0][0]:
                    return []
                records = (await self._connection.write(self._statements.claim, given)).rows
            case _:
                records = (await self._connection.write(self._statements.claim, given)).rows
        claimed = [
            ClaimedMessage(message=from_record(each), claim=claim, attempts=each[len(COLUMNS)])
            for each in records
        ]
        return sorted(claimed, key=lambda each: each.message.number)

    async def mark_published(self, claims: Sequence[ClaimedMessage]) -> int:
        """Mark as published what *claims* stand for."""
        return await self._change_all(self._statements.mark, claims)

    async def release(self, claims: Sequence[ClaimedMessage]) -> int:
        """Give back *claims* as if they had never been made."""
        return await self._change_all(self._statements.release, claims)

    async def retry_later(self, claim: ClaimedMessage, delay: float, error: str) -> bool:
        """Give *claim* back for *delay* seconds."""
        statement = _give_back(self._connection.dialect)
        return await self._change(statement, claim, delay=to_microseconds(delay), given_error=error)

    async def park(self, claim: ClaimedMessage, error: str) -> bool:
        """Park what *claim* stands for."""
        return await self._change(_park(self._connection.dialect), claim, given_error=error)

    async def _change_all(self, statement: Executable, claims: Sequence[ClaimedMessage]) -> int:
        changed = 0
        for claim in dict.fromkeys(each.claim for each in claims):
            numbers = sorted(each.message.number for each in claims if each.claim == claim)
            given = {"given_claim": claim, "numbers": numbers}
            changed += (await self._connection.write(statement, given)).affected
        return changed

    async def _change(self, statement: Executable, claim: ClaimedMessage, **given: object) -> bool:
        held = {"given_claim": claim.claim, "given_number": claim.message.number}
        return (await self._connection.write(statement, {**held, **given})).affected > 0

    async def _claim_in_steps(self, given: dict[str, object]) -> Sequence[Record]:
        # MySQL returns nothing from an update, and reads what is locked as it is now, but what it is compared with as
        # it was when the statement began: so another look, once everything before the locked messages can be seen.
        async with self._connection.transaction() as transaction:
            limit = {"at_most": given["at_most"]}
            heads = (await transaction.execute(self._statements.heads, limit)).rows
            number_at = COLUMNS.index("number")
            numbers = [each[number_at] for each in heads]
            if not numbers:
                return []
            behind = (await transaction.execute(self._statements.blocked, {"numbers": numbers})).rows
            blocked = {number for (number,) in behind}
            free = [each for each in heads if each[number_at] not in blocked]
            if free:
                chosen = {**given, "numbers": [each[number_at] for each in free]}
                del chosen["at_most"]
                _ = await transaction.execute(self._statements.claim_numbers, chosen, writes=True)
        return [[*each[:-1], each[-1] + 1] for each in free]


@functools.cache
def _statements(dialect: str) -> _Statements:
    message = MESSAGES.alias("message")
    due = (is_due(message, dialect), ~has_earlier(message, WAITING, PARKED))
    at_most = bindparam("at_most", type_=BigInteger())
    heads = select(message.c.number).where(*due).order_by(message.c.number).limit(at_most)
    is_mysql = dialect in {"mysql", "mariadb"}
    if is_mysql:
        heads = heads.with_only_columns(*message_columns(message), message.c.attempts)
    if dialect != "sqlite":
        heads = heads.with_for_update(skip_locked=True, of=None if is_mysql else message)
    claimed = update(MESSAGES).values(
        claim=_CLAIM,
        claim_until=now(dialect) + bindparam("lease", type_=BigInteger()),
        attempts=MESSAGES.c.attempts + 1,
    )
    found: FromClause = heads.cte("heads") if dialect == "postgresql" else heads.subquery("heads")
    mark = update(MESSAGES).values(state=PUBLISHED, claim=null(), claim_until=null())
    release = update(MESSAGES).values(attempts=MESSAGES.c.attempts - 1, claim=null(), claim_until=null())
    return _Statements(
        heads=heads,
        any_head=select(exists(select(message.c.number).where(*due))),
        claim=claimed.where(MESSAGES.c.number == found.c.number).returning(
            *message_columns(MESSAGES), MESSAGES.c.attempts
        ),
        blocked=select(message.c.number).where(
            message.c.number.in_(_NUMBERS), has_earlier(message, WAITING, PARKED)
        ),
        claim_numbers=claimed.where(MESSAGES.c.number.in_(_NUMBERS)),
        mark=_of_claim(mark, dialect),
        release=_of_claim(release, dialect),
    )


def _of_claim(change: Update, dialect: str) -> Executable:
    """Limit *change* to the messages *numbers* of one claim, as far as it still holds."""
    held = (in_state(MESSAGES, WAITING), MESSAGES.c.claim == _CLAIM)
    if dialect != "postgresql":
        return change.where(MESSAGES.c.number.in_(_NUMBERS), *held)
    # Locked in the order in which others lock several, so that nobody waits for each other.
    those = select(MESSAGES.c.number).where(MESSAGES.c.number.in_(_NUMBERS), *held)
    mine = those.order_by(MESSAGES.c.number).with_for_update().cte("mine")
    return change.where(MESSAGES.c.number == mine.c.number)


def _held() -> tuple[Any, ...]:
    return (
        in_state(MESSAGES, WAITING),
        MESSAGES.c.number == bindparam("given_number", type_=BigInteger()),
        MESSAGES.c.claim == _CLAIM,
    )


@functools.cache
def _give_back(dialect: str) -> Executable:
    return (
        update(MESSAGES)
        .where(*_held())
        .values(
            not_before=now(dialect) + bindparam("delay", type_=BigInteger()),
            error=bindparam("given_error", type_=String()),
            claim=null(),
            claim_until=null(),
        )
    )


@functools.cache
def _park(dialect: str) -> Executable:
    return (
        update(MESSAGES)
        .where(*_held())
        .values(
            state=PARKED,
            error=bindparam("given_error", type_=String()),
            parked_at=now(dialect),
            claim=null(),
            claim_until=null(),
        )
    )
