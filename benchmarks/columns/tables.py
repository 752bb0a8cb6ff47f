"""The tables as SQLAlchemy describes them; `by_hand`, `fastcrud` and the kernel's columns declare the same."""

import datetime
import os
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, Numeric, String, TypeDecorator, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

URL: Final = os.environ.get("BENCH_DATABASE_URL", "postgresql+asyncpg://localhost/bench")
"""Where the column under load keeps its rows; `benchmarks.serving` sets it."""

POOL: Final = 10
"""Connections of each column."""

_Key = BigInteger().with_variant(Integer, "sqlite")
_Json = JSONB().with_variant(JSON, "sqlite")


class InUtc(TypeDecorator[datetime.datetime]):
    """Times in UTC where the database keeps no offset, as SQLAlchemy's documentation writes it."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(
        self, value: datetime.datetime | None, dialect: Dialect
    ) -> datetime.datetime | None:
        """Without the offset."""
        return None if value is None else value.astimezone(datetime.UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime.datetime | None:
        """With it again."""
        return None if value is None else value.replace(tzinfo=datetime.UTC)


_Time = DateTime(timezone=True).with_variant(InUtc(), "sqlite")


class Base(DeclarativeBase):
    """Of the tables below."""


class Item(Base):
    """A row of the plain table."""

    __tablename__ = "items"

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    price: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    attributes: Mapped[dict[str, Any]] = mapped_column(_Json)
    created_at: Mapped[datetime.datetime] = mapped_column(_Time, server_default=func.current_timestamp())
    owner_id: Mapped[int] = mapped_column(BigInteger, index=True)


class VersionedItem(Base):
    """The same with a version, in a table of its own."""

    __tablename__ = "versioned_items"

    id: Mapped[int] = mapped_column(_Key, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    price: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    attributes: Mapped[dict[str, Any]] = mapped_column(_Json)
    created_at: Mapped[datetime.datetime] = mapped_column(_Time, server_default=func.current_timestamp())
    owner_id: Mapped[int] = mapped_column(BigInteger, index=True)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
