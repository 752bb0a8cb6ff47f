"""Messages as they are stored."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain.outbox.message import OutboxMessage

COLUMNS: Final = (
    "id",
    "number",
    "position",
    "resource",
    "verb",
    "entity",
    "key",
    "version",
    "tenant",
    "actor",
    "by_system",
    "correlation_id",
    "trace",
    "occurred_at",
    "values",
    "changed",
    "before",
)
"""The columns that a message is made of, in the order in which `from_record` takes them."""


def from_record(record: Sequence[Any]) -> OutboxMessage:
    """Return the message whose `COLUMNS` are *record*; what follows them is left out."""
    return from_stored(dict(zip(COLUMNS, record, strict=False)))


def from_stored(row: Mapping[str, Any]) -> OutboxMessage:
    """Return the message of *row*, which may have other columns too."""
    message_id, occurred_at = row["id"], row["occurred_at"]
    return OutboxMessage(
        id=message_id if isinstance(message_id, uuid.UUID) else uuid.UUID(str(message_id)),
        number=row["number"],
        position=row["position"],
        resource=row["resource"],
        verb=row["verb"],
        # A digest of the key alone is the same for two resources.
        entity=f"{row['resource']}:{row['entity']}",
        key=row["key"],
        version=row["version"],
        tenant=row["tenant"],
        actor=row["actor"],
        by_system=bool(row["by_system"]),
        correlation_id=row["correlation_id"],
        trace=row["trace"],
        # Some drivers of MongoDB answer times without a zone.
        occurred_at=occurred_at.replace(tzinfo=datetime.UTC) if occurred_at.tzinfo is None else occurred_at,
        values=row["values"],
        changed=tuple(row["changed"] or ()),
        before=row["before"],
    )


def from_microseconds(moment: int) -> datetime.datetime:
    """Return the time that is *moment* microseconds after 1970."""
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=moment)


def to_microseconds(seconds: float) -> int:
    """Return *seconds* as whole microseconds."""
    return round(seconds * 1_000_000)
