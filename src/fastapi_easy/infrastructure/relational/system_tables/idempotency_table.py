"""The table of the records of calls with an idempotency key."""

from typing import Final

from sqlalchemy import Column, Index, MetaData, String, Table, Text
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR

from fastapi_easy.infrastructure.relational.column_types import ColumnType, UtcDateTime

_MYSQL: Final = ("mysql", "mariadb")
_BYTEWISE: Final = "utf8mb4_bin"
_DIGEST: Final = 64
_NAME: Final = 255


def _short(length: int) -> ColumnType:
    return String(length).with_variant(VARCHAR(length, collation=_BYTEWISE), *_MYSQL)


CALLS: Final = Table(
    "fe_idempotency",
    MetaData(),
    Column("id", _short(_DIGEST), primary_key=True),
    # For people only.
    Column("resource", _short(_NAME), nullable=False),
    Column("action", _short(_NAME), nullable=False),
    Column("fingerprint", _short(_DIGEST), nullable=False),
    # Null only inside the transaction of the call.
    Column("answer", Text().with_variant(LONGTEXT(collation=_BYTEWISE), *_MYSQL)),
    Column("expires_at", UtcDateTime(timezone=True), nullable=False),
    mysql_engine="InnoDB",
)

_ = Index("fe_idempotency_expires_at", CALLS.c.expires_at)
