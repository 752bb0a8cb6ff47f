"""A resource with a value of every kind, which refers to itself; once as a table and once as documents."""

import datetime
import enum
import uuid
from decimal import Decimal
from typing import Annotated, Any

import pydantic
from pydantic.alias_generators import to_camel
from sqlalchemy import (
    JSON,
    BigInteger,
    Computed,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Identity,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    Sequence,
    String,
    Time,
    Uuid,
    func,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Fields, Schemas


class Colour(enum.Enum):
    """Known by a word."""

    RED = "red"
    DEEP_BLUE = "deep blue"


class Tables(DeclarativeBase):
    """The tables of this module."""


class Sample(Tables):
    """Kept in a table, whose keys PostgreSQL always generates."""

    __tablename__ = "samples"

    id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("samples.id"))
    text: Mapped[str | None] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(80))
    number: Mapped[int | None]
    amount: Mapped[Decimal | None] = mapped_column(Numeric(12, 4))
    weight: Mapped[float | None] = mapped_column(Float(53))
    active: Mapped[bool | None]
    day: Mapped[datetime.date | None]
    alarm: Mapped[datetime.time | None] = mapped_column(Time)
    moment: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))
    lasts: Mapped[datetime.timedelta | None] = mapped_column(Interval)
    token: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    colour: Mapped[Colour | None] = mapped_column(
        Enum(Colour, values_callable=lambda members: [each.value for each in members], name="sample_colour")
    )
    document: Mapped[Any | None] = mapped_column(JSON)
    created_at: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    version: Mapped[int] = mapped_column(default=1)
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))


class Parcel(Tables):
    """Has a column that the store computes."""

    __tablename__ = "parcels"

    id: Mapped[int] = mapped_column(primary_key=True)
    width: Mapped[int]
    height: Mapped[int]
    area: Mapped[int | None] = mapped_column(Computed("width * height"))


_TICKETS, _INVOICES = Sequence("ticket_numbers"), Sequence("Invoice Numbers")


class Ticket(Tables):
    """Is numbered by a sequence that only SQLAlchemy knows of."""

    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(_TICKETS, primary_key=True)
    name: Mapped[str] = mapped_column(String(9), default="new")


class Invoice(Tables):
    """Is numbered by the default of its column, whose names need quotes."""

    __tablename__ = "Invoices"

    id: Mapped[int] = mapped_column(
        'x") VALUES (', BigInteger, _INVOICES, server_default=_INVOICES.next_value(), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(9), default="new")


class Countdown(Tables):
    """Is numbered backwards."""

    __tablename__ = "countdowns"

    id: Mapped[int] = mapped_column(
        Sequence("countdown", start=99, increment=-3, minvalue=-9999, maxvalue=99), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(9), default="new")


class SampleDocument(pydantic.BaseModel):
    """Kept as a document, or in memory."""

    __collection__ = "samples"

    id: int | None = None
    parent_id: int | None = None
    text: Annotated[str, pydantic.Field(max_length=80)] | None = None
    name: Annotated[str, pydantic.Field(max_length=80)]
    number: int | None = None
    amount: Annotated[Decimal, pydantic.Field(max_digits=12, decimal_places=4)] | None = None
    weight: float | None = None
    active: bool | None = None
    day: datetime.date | None = None
    alarm: datetime.time | None = None
    moment: datetime.datetime | None = None
    lasts: datetime.timedelta | None = None
    token: uuid.UUID | None = None
    raw: bytes | None = None
    colour: Colour | None = None
    document: Any | None = None
    created_at: datetime.datetime = pydantic.Field(
        default_factory=lambda: datetime.datetime.now(datetime.UTC)
    )
    version: int = 1
    deleted_at: datetime.datetime | None = None


class Tag(pydantic.BaseModel):
    """Is called otherwise outside, and has a key that the store makes up."""

    model_config = pydantic.ConfigDict(alias_generator=to_camel, populate_by_name=True)

    tag_id: uuid.UUID | None = None
    long_name: str
    __key__ = ("tag_id",)


class NoteIn(pydantic.BaseModel):
    """What callers send."""

    text: str


class NoteOut(pydantic.BaseModel):
    """What callers are answered, with something that no store keeps."""

    id: str
    text: str
    author: str

    @pydantic.computed_field
    @property
    def length(self) -> int:
        """Of the text."""
        return len(self.text)


class Note(pydantic.BaseModel):
    """Is created and answered by schemas of its own; its key is a text that the store makes up."""

    id: str | None = None
    text: str
    author: str = "nobody"


class Seat(pydantic.BaseModel):
    """Has a key of two parts, which callers choose."""

    __key__ = ("hall", "number")

    hall: str
    number: int
    taken: bool = False


class Oddities(Container):
    """What is called or keyed in other ways."""

    tags = resource(Tag)
    notes = resource(
        Note, schemas=Schemas(create=NoteIn, read=NoteOut), fields=Fields(write=["text"], restore=["author"])
    )
    seats = resource(Seat)


class SampleTables(Container):
    """In a database with tables."""

    samples = resource(Sample, version="version", soft_delete="deleted_at")
    parcels = resource(Parcel)


class NumberedTables(Container):
    """On a server that has sequences."""

    tickets = resource(Ticket)
    invoices = resource(Invoice)
    countdowns = resource(Countdown)


class SampleDocuments(Container):
    """In a database of documents, or in memory."""

    samples = resource(SampleDocument, version="version", soft_delete="deleted_at")


_NOTHING: dict[str, Any] = dict.fromkeys(
    [
        each
        for each in SampleDocument.model_fields
        if each not in {"id", "name", "created_at", "version", "deleted_at"}
    ]
)

SAMPLES: list[dict[str, Any]] = [
    {**_NOTHING, "name": "nothing"},
    {
        "parent_id": None,
        "text": "",
        "name": 'a "quoted", name',
        "number": 0,
        "amount": "0.0000",
        "weight": 0.0,
        "active": False,
        "day": "0001-01-01",
        "alarm": "00:00:00",
        "moment": "1970-01-01T00:00:00Z",
        "lasts": "PT0S",
        "token": "00000000-0000-0000-0000-000000000000",
        "raw": "",
        "colour": "red",
        "document": {},
    },
    {
        "parent_id": 3,
        "text": "two\nlines\r\n, and a 'tail' ünïcödé 🜚 ",
        "name": "null",
        "number": -2147483648,
        "amount": "-99999999.9999",
        "weight": -1e-9,
        "active": True,
        "day": "9999-12-31",
        "alarm": "23:59:59.999999",
        "moment": "2026-11-30T23:59:59.123456+05:30",
        "lasts": "-P1DT0.000001S",
        "token": "5f0c7c0d-9f9b-4f0f-8a7d-ffffffffffff",
        "raw": "AAECA/8iLCIK",
        "colour": "deep blue",
        "document": {"a": [1, 2.5, "", None, {"b": 'x,"y"'}], "": True},
    },
    {
        **_NOTHING,
        "name": "",
        "document": [],
        "text": "null",
        "parent_id": 40,
        "weight": 0.1,
        "amount": "1.5000",
    },
    {**_NOTHING, "name": "=1+1", "document": "", "text": " ", "number": 1, "raw": "IA==", "weight": 1e22},
    {
        **_NOTHING,
        "name": "{}",
        "document": "null",
        "lasts": "P3DT4H5M6.789S",
        "moment": "2026-03-29T02:30:00.1Z",
    },
    {
        **_NOTHING,
        "name": "0",
        "document": 0,
        "day": "2024-02-29",
        "alarm": "12:30:00.1",
        "weight": 123456.789,
    },
    {**_NOTHING, "name": "false", "document": False, "amount": "0.0001", "weight": 5e-324},
]
"""Values as callers send them. Some refer to later ones."""
