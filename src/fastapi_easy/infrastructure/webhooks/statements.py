"""The statements of webhooks in a relational database."""

import functools
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Executable, and_, bindparam, delete, insert, select, update

from fastapi_easy.domain.webhooks.table import WEBHOOKS
from fastapi_easy.infrastructure.relational.system_tables.database_clock import now
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of
from fastapi_easy.infrastructure.webhooks.stored_values import FRESH, UNCLAIMED

COLUMN_NAMES: Final = [each.name for each in WEBHOOKS.fields]
"""The columns of what is read, in their order."""

_TABLE: Final = table_of(WEBHOOKS)
_COLUMNS: Final = _TABLE.c
_CHANGED: Final = ("url", "events", "tenant", "secrets", "disabled")
_HAS_ID: Final = _COLUMNS.id == bindparam("webhook")
_IS_HELD: Final = and_(_HAS_ID, _COLUMNS.claim == bindparam("held"))

INSERT: Final = insert(_TABLE)
FIND_ALL: Final = select(_TABLE).order_by(_COLUMNS.created_at, _COLUMNS.id)
CHANGE: Final = (
    update(_TABLE)
    .where(_HAS_ID)
    .values(
        {
            **FRESH,
            **{name: bindparam(f"new_{name}", type_=_COLUMNS[name].type) for name in _CHANGED},
        }
    )
)
REPLACE_SECRETS: Final = (
    update(_TABLE)
    .where(_HAS_ID, _COLUMNS.secrets == bindparam("seen_secrets", type_=_COLUMNS.secrets.type))
    .values(secrets=bindparam("new_secrets", type_=_COLUMNS.secrets.type))
)
REMOVE: Final = delete(_TABLE).where(_HAS_ID)
ADVANCE: Final = (
    update(_TABLE)
    .where(_IS_HELD, _COLUMNS.disabled.is_(False))
    .values({"position": bindparam("new_position"), **FRESH})
)
RELEASE: Final = update(_TABLE).where(_IS_HELD).values(UNCLAIMED)


@functools.cache
def find_due(dialect: str) -> Executable:
    """Return what reads one webhook that is behind `last_position` and due, on *dialect*."""
    return (
        select(_TABLE)
        .where(_COLUMNS.position < bindparam("last_position"), _is_due(dialect))
        .order_by(_COLUMNS.claimed_at, _COLUMNS.id)
        .limit(1)
    )


@functools.cache
def claim(dialect: str) -> Executable:
    """Return what claims a webhook that was read, on *dialect*, unless somebody has claimed it since."""
    until = now(dialect) + bindparam("lease", type_=_COLUMNS.claimed_until.type)
    return (
        update(_TABLE)
        .where(
            _HAS_ID,
            _COLUMNS.claimed_at == bindparam("seen"),
            _COLUMNS.position == bindparam("seen_position"),
            _is_due(dialect),
        )
        .values(claim=bindparam("new_claim"), claimed_at=now(dialect), claimed_until=until)
    )


@functools.cache
def retry_later(dialect: str, *, disable: bool) -> Executable:
    """Return what gives a claim back after a failure, on *dialect*."""
    failed: Mapping[str, Any] = {
        "attempts": _COLUMNS.attempts + 1,
        "retry_at": now(dialect) + bindparam("delay", type_=_COLUMNS.retry_at.type),
        "error": bindparam("new_error"),
        **UNCLAIMED,
    }
    values = {**failed, "disabled": True} if disable else failed
    return update(_TABLE).where(_IS_HELD).values(values)


def _is_due(dialect: str) -> Any:
    return and_(
        _COLUMNS.disabled.is_(False),
        _COLUMNS.retry_at <= now(dialect),
        _COLUMNS.claimed_until <= now(dialect),
    )
