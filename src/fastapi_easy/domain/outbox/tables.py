"""The tables of the outbox and the inbox."""

from enum import IntEnum
from typing import Final

from fastapi_easy.domain.changes.journal import SystemIndex, SystemTable
from fastapi_easy.domain.field import Field, Kind


class MessageState(IntEnum):
    """How far a message has come on its way to the broker. Below `PUBLISHED` it holds back those behind it."""

    WAITING = 0
    PARKED = 1
    PUBLISHED = 2
    DROPPED = 3


_UNPUBLISHED: Final = ("state", int(MessageState.PUBLISHED))

OUTBOX: Final = SystemTable(
    name="fe_outbox",
    fields=(
        Field(name="id", kind=Kind.UUID),
        Field(name="number", kind=Kind.INTEGER),
        Field(name="resource", kind=Kind.TEXT, max_length=200),
        Field(name="verb", kind=Kind.TEXT, max_length=20),
        Field(name="entity", kind=Kind.TEXT, max_length=64),
        Field(name="key", kind=Kind.JSON, nullable=True),
        Field(name="version", kind=Kind.TEXT, nullable=True),
        Field(name="tenant", kind=Kind.TEXT, nullable=True),
        Field(name="actor", kind=Kind.TEXT),
        Field(name="by_system", kind=Kind.BOOLEAN),
        Field(name="correlation_id", kind=Kind.TEXT),
        Field(name="trace", kind=Kind.TEXT, max_length=55),
        Field(name="occurred_at", kind=Kind.DATETIME),
        Field(name="values", kind=Kind.JSON, nullable=True),
        Field(name="changed", kind=Kind.JSON, nullable=True),
        Field(name="before", kind=Kind.JSON, nullable=True),
        # What follows is changed by the `Outbox`, and never again by a journal. Times are microseconds since 1970, by
        # the clock of the database.
        Field(name="state", kind=Kind.INTEGER),
        Field(name="attempts", kind=Kind.INTEGER),
        Field(name="not_before", kind=Kind.INTEGER, nullable=True),
        Field(name="claim", kind=Kind.UUID, nullable=True),
        Field(name="claim_until", kind=Kind.INTEGER, nullable=True),
        Field(name="error", kind=Kind.TEXT, nullable=True),
        Field(name="parked_at", kind=Kind.INTEGER, nullable=True),
        Field(name="position", kind=Kind.INTEGER, nullable=True),
    ),
    key=("id",),
    number="number",
    number_within=("resource", "entity"),
    indexes=(
        SystemIndex(("state", "number"), below=_UNPUBLISHED),
        SystemIndex(("state", "resource", "entity", "number"), below=_UNPUBLISHED),
        ("position", "number"),
    ),
)
"""A row for each message. `entity` is what `entity_of` makes of its key."""

OUTBOX_HEAD: Final = SystemTable(
    name="fe_outbox_head",
    fields=(
        Field(name="name", kind=Kind.TEXT, max_length=20),
        Field(name="position", kind=Kind.INTEGER),
    ),
    key=("name",),
)
"""One row, named `POSITIONS`: the highest position that was ever assigned. Whoever assigns some locks it."""

POSITIONS: Final = "positions"

INBOX: Final = SystemTable(
    name="fe_inbox",
    fields=(
        Field(name="consumer", kind=Kind.TEXT, max_length=200),
        Field(name="message_id", kind=Kind.TEXT, max_length=200),
        Field(name="seen_at", kind=Kind.INTEGER),
    ),
    key=("consumer", "message_id"),
    indexes=(("seen_at",),),
)
"""A row for each message that a consumer has handled; `seen_at` is microseconds since 1970."""
