"""The tables of the audit trail.

The bytes of an entry are kept as they were hashed. The columns beside them are copies to search by, and prove nothing;
they are null, as the body is, once an entry was archived.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, String, Table, Text
from sqlalchemy.dialects.mysql import LONGBLOB, LONGTEXT, VARBINARY, VARCHAR

from fastapi_easy.domain.audit.sealing import MAX_COLUMN
from fastapi_easy.infrastructure.relational.column_types import ColumnType, UtcDateTime

AUDIT_TABLES: Final = MetaData()

_MYSQL: Final = ("mysql", "mariadb")
_BYTEWISE: Final = "utf8mb4_bin"
_HASH: Final = 32
_KEY_ID: Final = 64
_SUBJECT: Final = 64
_TIME: Final = 27


def _short(length: int) -> ColumnType:
    return String(length).with_variant(VARCHAR(length, collation=_BYTEWISE), *_MYSQL)


def _hash() -> ColumnType:
    return LargeBinary().with_variant(VARBINARY(_HASH), *_MYSQL)


def _bytes() -> ColumnType:
    return LargeBinary().with_variant(LONGBLOB(), *_MYSQL)


ENTRIES: Final = Table(
    "fe_audit",
    AUDIT_TABLES,
    # Of two entries with one number in one chain, which a fork would be, the second is refused.
    Column("stream", _short(MAX_COLUMN), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("occurred_at", _short(_TIME)),
    Column("actor", _short(MAX_COLUMN)),
    Column("action", _short(MAX_COLUMN)),
    Column("resource", _short(MAX_COLUMN)),
    Column("key", _short(MAX_COLUMN)),
    Column("outcome", _short(MAX_COLUMN)),
    Column("tenant", _short(MAX_COLUMN)),
    Column("body", _bytes()),
    Column("leaf", _hash(), nullable=False),
    Column("mac", _hash(), nullable=False),
    Column("key_id", _short(_KEY_ID), nullable=False),
    mysql_engine="InnoDB",
)

_ = Index("fe_audit_entity", ENTRIES.c.resource, ENTRIES.c.key)

HEADS: Final = Table(
    "fe_audit_head",
    AUDIT_TABLES,
    Column("stream", _short(MAX_COLUMN), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("leaf", _hash(), nullable=False),
    mysql_engine="InnoDB",
)

CHECKPOINTS: Final = Table(
    "fe_audit_checkpoint",
    AUDIT_TABLES,
    Column("stream", _short(MAX_COLUMN), primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    # A chain in which nothing happens is stated again now and then.
    Column("created_at", UtcDateTime(timezone=True), primary_key=True),
    Column("root", _hash(), nullable=False),
    Column("note", Text().with_variant(LONGTEXT(collation=_BYTEWISE), *_MYSQL), nullable=False),
    mysql_engine="InnoDB",
)

SUBJECTS: Final = Table(
    "fe_audit_subject",
    AUDIT_TABLES,
    Column("subject", _short(_SUBJECT), primary_key=True),
    # Null once it was erased.
    Column("wrapped", _bytes()),
    mysql_engine="InnoDB",
)

FIXED: Final = ("stream", "seq", "leaf", "mac", "key_id")
"""The columns of an entry that stay as they are also when its body is archived."""

AUDIT_NAMES: Final = frozenset(AUDIT_TABLES.tables)
