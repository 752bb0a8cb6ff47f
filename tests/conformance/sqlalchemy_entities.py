"""The suite's resources as SQLAlchemy declarative classes."""

import datetime
import decimal
import uuid
from typing import Any

from sqlalchemy import ARRAY, JSON, BigInteger, DateTime, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.testing.conformance import Colour


class Base(DeclarativeBase): ...


class Note(Base):
    __tablename__ = "notes"
    __table_args__ = (UniqueConstraint("shelf", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text, default="")
    remark: Mapped[str | None] = mapped_column(String(200))
    priority: Mapped[int] = mapped_column(default=0)
    rank: Mapped[int | None]
    views: Mapped[int] = mapped_column(BigInteger, default=0)
    price: Mapped[decimal.Decimal | None] = mapped_column(Numeric(15, 4))
    score: Mapped[float | None]
    done: Mapped[bool] = mapped_column(default=False)
    due: Mapped[datetime.date | None]
    alarm: Mapped[datetime.time | None]
    seen_at: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))
    token: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4)
    colour: Mapped[Colour] = mapped_column(default=Colour.GREEN)
    extra: Mapped[Any | None] = mapped_column(JSON)
    code: Mapped[str | None] = mapped_column(String(64), unique=True)
    shelf: Mapped[str | None] = mapped_column(String(64))
    place: Mapped[int | None]


class Seat(Base):
    __tablename__ = "seats"

    hall: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    guest: Mapped[str | None] = mapped_column(String(200))


class Token(Base):
    __tablename__ = "tokens"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    label: Mapped[str] = mapped_column(String(200))


class Label(Base):
    __tablename__ = "labels"

    id: Mapped[int] = mapped_column(primary_key=True)
    tags: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


ENTITIES: dict[str, type[Any]] = {"notes": Note, "seats": Seat, "tokens": Token}
WITH_ARRAYS: dict[str, type[Any]] = {**ENTITIES, "labels": Label}
