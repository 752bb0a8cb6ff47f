"""The suite's resources as dataclasses and as pydantic models."""

import datetime
import decimal
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from annotated_types import MaxLen
from pydantic import BaseModel, Field

from fastapi_easy.testing.conformance import Colour

Int64 = Annotated[int, "64 bits"]
Price = Annotated[decimal.Decimal, Field(max_digits=15, decimal_places=4)]
Short = Annotated[str, MaxLen(64)]
Long = Annotated[str, MaxLen(200)]


@dataclass(kw_only=True)
class Note:
    __unique__: ClassVar = (("shelf", "place"),)

    id: int | None = None
    title: Long
    body: str = ""
    remark: Long | None = None
    priority: int = 0
    rank: int | None = None
    views: int = 0
    price: Price | None = None
    score: float | None = None
    done: bool = False
    due: datetime.date | None = None
    alarm: datetime.time | None = None
    seen_at: datetime.datetime | None = None
    token: uuid.UUID = field(default_factory=uuid.uuid4)
    colour: Colour = Colour.GREEN
    extra: Any | None = None
    code: Short | None = field(default=None, metadata={"unique": True})
    shelf: Short | None = None
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    hall: Short = field(metadata={"key": True})
    number: int = field(metadata={"key": True})
    guest: Long | None = None


@dataclass(frozen=True, slots=True)
class Token:
    label: Long
    id: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass
class Label:
    id: int | None = None
    tags: list[str] | None = None


@dataclass(kw_only=True)
class Author:
    id: int | None = None
    name: Long
    country: Short | None = None
    born: datetime.date | None = None
    mentor_id: int | None = None


@dataclass(kw_only=True)
class Book:
    __unique__: ClassVar = ("isbn", ("shelf", "place"))

    id: int | None = None
    title: Long
    isbn: Short | None = None
    shelf: Short | None = None
    place: int | None = None
    author_id: int | None = None
    price: Price | None = None
    pages: int | None = None
    version: int = 1
    deleted_at: datetime.datetime | None = None


@dataclass(kw_only=True)
class Review:
    id: int | None = None
    book_id: int
    rating: int
    text: Long | None = None


@dataclass(kw_only=True)
class Ticket:
    id: int | None = None
    hall: Short | None = None
    number: int | None = None
    price: Price | None = None


@dataclass(kw_only=True)
class Loan:
    id: int | None = None
    book_id: int
    reader_id: int | None = None
    deposit_id: Short | None = None


DATACLASSES: dict[str, type[Any]] = {
    "notes": Note,
    "seats": Seat,
    "tokens": Token,
    "labels": Label,
    "authors": Author,
    "books": Book,
    "reviews": Review,
    "tickets": Ticket,
    "loans": Loan,
}


class NoteModel(BaseModel):
    __unique__: ClassVar = ("code", ("shelf", "place"))

    id: int | None = None
    title: str = Field(max_length=200)
    body: str = ""
    remark: str | None = Field(default=None, max_length=200)
    priority: int = 0
    rank: int | None = None
    views: int = 0
    price: decimal.Decimal | None = Field(default=None, max_digits=15, decimal_places=4)
    score: float | None = None
    done: bool = False
    due: datetime.date | None = None
    alarm: datetime.time | None = None
    seen_at: datetime.datetime | None = None
    token: uuid.UUID = Field(default_factory=uuid.uuid4)
    colour: Colour = Colour.GREEN
    extra: Any | None = None
    code: str | None = Field(default=None, max_length=64)
    shelf: str | None = Field(default=None, max_length=64)
    place: int | None = None


class SeatModel(BaseModel):
    __key__: ClassVar = ("hall", "number")

    hall: str = Field(max_length=64)
    number: int
    guest: str | None = Field(default=None, max_length=200)


class TokenModel(BaseModel):
    id: uuid.UUID = Field(default_factory=uuid.uuid4)
    label: str = Field(max_length=200)


class LabelModel(BaseModel):
    id: int | None = None
    tags: list[str] | None = None


class AuthorModel(BaseModel):
    id: int | None = None
    name: str = Field(max_length=200)
    country: str | None = Field(default=None, max_length=64)
    born: datetime.date | None = None
    mentor_id: int | None = None


class BookModel(BaseModel):
    __unique__: ClassVar = ("isbn", ("shelf", "place"))

    id: int | None = None
    title: str = Field(max_length=200)
    isbn: str | None = Field(default=None, max_length=64)
    shelf: str | None = Field(default=None, max_length=64)
    place: int | None = None
    author_id: int | None = None
    price: decimal.Decimal | None = Field(default=None, max_digits=15, decimal_places=4)
    pages: int | None = None
    version: int = 1
    deleted_at: datetime.datetime | None = None


class ReviewModel(BaseModel):
    id: int | None = None
    book_id: int
    rating: int
    text: str | None = Field(default=None, max_length=200)


class TicketModel(BaseModel):
    id: int | None = None
    hall: str | None = Field(default=None, max_length=64)
    number: int | None = None
    price: decimal.Decimal | None = Field(default=None, max_digits=15, decimal_places=4)


class LoanModel(BaseModel):
    id: int | None = None
    book_id: int
    reader_id: int | None = None
    deposit_id: str | None = Field(default=None, max_length=64)


MODELS: dict[str, type[Any]] = {
    "notes": NoteModel,
    "seats": SeatModel,
    "tokens": TokenModel,
    "labels": LabelModel,
    "authors": AuthorModel,
    "books": BookModel,
    "reviews": ReviewModel,
    "tickets": TicketModel,
    "loans": LoanModel,
}
