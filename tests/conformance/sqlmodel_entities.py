"""The suite's resources as SQLModel tables, with as little said about columns as SQLModel allows."""

import datetime
import decimal
import uuid
from typing import Any

from sqlalchemy import ARRAY, JSON, BigInteger, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from fastapi_easy.testing.conformance import Colour


class Note(SQLModel, table=True):
    __tablename__ = "sqlmodel_notes"
    __table_args__ = (UniqueConstraint("shelf", "place"),)

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=200)
    body: str = Field(default="", sa_type=Text)
    remark: str | None = Field(default=None, max_length=200)
    priority: int = 0
    rank: int | None = None
    views: int = Field(default=0, sa_type=BigInteger)
    price: decimal.Decimal | None = Field(default=None, max_digits=15, decimal_places=4)
    score: float | None = None
    done: bool = False
    due: datetime.date | None = None
    alarm: datetime.time | None = None
    seen_at: datetime.datetime | None = None
    token: uuid.UUID = Field(default_factory=uuid.uuid4)
    colour: Colour = Colour.GREEN
    extra: Any = Field(default=None, sa_type=JSON, nullable=True)
    code: str | None = Field(default=None, max_length=64, unique=True)
    shelf: str | None = Field(default=None, max_length=64)
    place: int | None = None


class Seat(SQLModel, table=True):
    __tablename__ = "sqlmodel_seats"

    hall: str = Field(max_length=64, primary_key=True)
    number: int = Field(primary_key=True)
    guest: str | None = Field(default=None, max_length=200)


class Token(SQLModel, table=True):
    __tablename__ = "sqlmodel_tokens"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    label: str = Field(max_length=200)


class Label(SQLModel, table=True):
    __tablename__ = "sqlmodel_labels"

    id: int | None = Field(default=None, primary_key=True)
    tags: list[str] | None = Field(default=None, sa_type=ARRAY(Text))


ENTITIES: dict[str, type[Any]] = {"notes": Note, "seats": Seat, "tokens": Token}
WITH_ARRAYS: dict[str, type[Any]] = {**ENTITIES, "labels": Label}
