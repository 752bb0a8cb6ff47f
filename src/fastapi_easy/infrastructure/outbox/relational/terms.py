"""Parts of the statements of an outbox."""

from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, FromClause, and_, exists, func, literal_column, or_, select
from sqlalchemy.sql.selectable import Exists

from fastapi_easy.domain.outbox.tables import OUTBOX, MessageState
from fastapi_easy.infrastructure.outbox.stored_message import COLUMNS
from fastapi_easy.infrastructure.relational.system_tables.database_clock import now
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of

Condition: TypeAlias = ColumnElement[bool]

MESSAGES: Final = table_of(OUTBOX)

# Written out and not bound, so that the database sees that its partial indexes hold these rows.
UNPUBLISHED: Final = str(int(MessageState.PUBLISHED))
WAITING: Final[ColumnElement[int]] = literal_column(str(int(MessageState.WAITING)))
PARKED: Final[ColumnElement[int]] = literal_column(str(int(MessageState.PARKED)))
PUBLISHED: Final[ColumnElement[int]] = literal_column(UNPUBLISHED)
DROPPED: Final[ColumnElement[int]] = literal_column(str(int(MessageState.DROPPED)))


def message_columns(table: FromClause) -> list[ColumnElement[Any]]:
    """Return the columns of *table* that a message is made of."""
    return [table.c[name] for name in COLUMNS]


def in_state(table: FromClause, *states: ColumnElement[Any]) -> Condition:
    """Return that a message of *table*, not yet published, is in one of *states*."""
    return and_(table.c.state < PUBLISHED, or_(*(table.c.state == each for each in states)))


def has_earlier(table: FromClause, *states: ColumnElement[Any]) -> Condition:
    """Return that before a message of *table* there is one of the same entity in one of *states*.

    MySQL and MariaDB look an entity up in the index of all only where the state is a single one.
    """
    return or_(*(_has_earlier(table, each) for each in states))


def _has_earlier(table: FromClause, state: ColumnElement[Any]) -> Exists:
    earlier = MESSAGES.alias("earlier")
    return exists(
        select(literal_column("1"))
        .select_from(earlier)
        .where(
            in_state(earlier, state),
            earlier.c.resource == table.c.resource,
            earlier.c.entity == table.c.entity,
            earlier.c.number < table.c.number,
        )
        .correlate(table)
    )


def is_due(table: FromClause, dialect: str) -> Condition:
    """Return that a message of *table* may be claimed now, as far as it is not behind another one."""
    moment = now(dialect)
    return and_(
        in_state(table, WAITING),
        or_(table.c.not_before.is_(None), table.c.not_before <= moment),
        or_(table.c.claim_until.is_(None), table.c.claim_until < moment),
    )


def count() -> ColumnElement[int]:
    """Return the number of rows."""
    return func.count()
