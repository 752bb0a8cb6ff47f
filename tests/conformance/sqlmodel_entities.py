"""The suite's resources as SQLModel tables, with as little said about columns as SQLModel allows."""

import datetime
import decimal
import uuid
from typing import Any, Optional

from sqlalchemy import ARRAY, JSON, BigInteger, ForeignKeyConstraint, Text, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, Relationship, SQLModel

from fastapi_easy.testing.conformance import Colour


class Model(SQLModel, registry=registry()):
    """Of a registry apart: other tests have authors and books too, and relationships name their classes."""


class Note(Model, table=True):
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


class Seat(Model, table=True):
    __tablename__ = "sqlmodel_seats"

    hall: str = Field(max_length=64, primary_key=True)
    number: int = Field(primary_key=True)
    guest: str | None = Field(default=None, max_length=200)

    tickets: list["Ticket"] = Relationship(back_populates="seat")


class Token(Model, table=True):
    __tablename__ = "sqlmodel_tokens"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    label: str = Field(max_length=200)


class Label(Model, table=True):
    __tablename__ = "sqlmodel_labels"

    id: int | None = Field(default=None, primary_key=True)
    tags: list[str] | None = Field(default=None, sa_type=ARRAY(Text))


class Author(Model, table=True):
    __tablename__ = "sqlmodel_authors"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200)
    country: str | None = Field(default=None, max_length=64)
    born: datetime.date | None = None
    mentor_id: int | None = Field(default=None, foreign_key="sqlmodel_authors.id", ondelete="SET NULL")

    mentor: Optional["Author"] = Relationship(
        back_populates="pupils", sa_relationship_kwargs={"remote_side": "Author.id"}
    )
    pupils: list["Author"] = Relationship(back_populates="mentor")
    books: list["Book"] = Relationship(back_populates="author")


class Book(Model, table=True):
    __tablename__ = "sqlmodel_books"
    __table_args__ = (UniqueConstraint("shelf", "place"),)

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=200)
    isbn: str | None = Field(default=None, max_length=64, unique=True)
    shelf: str | None = Field(default=None, max_length=64)
    place: int | None = None
    author_id: int | None = Field(default=None, foreign_key="sqlmodel_authors.id")
    price: decimal.Decimal | None = Field(default=None, max_digits=15, decimal_places=4)
    pages: int | None = None
    version: int = 1
    deleted_at: datetime.datetime | None = None

    author: Author | None = Relationship(back_populates="books")
    reviews: list["Review"] = Relationship(back_populates="book")


class Review(Model, table=True):
    __tablename__ = "sqlmodel_reviews"

    id: int | None = Field(default=None, primary_key=True)
    book_id: int = Field(foreign_key="sqlmodel_books.id")
    rating: int
    text: str | None = Field(default=None, max_length=200)

    book: Book = Relationship(back_populates="reviews")


class Ticket(Model, table=True):
    __tablename__ = "sqlmodel_tickets"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "number"], ["sqlmodel_seats.hall", "sqlmodel_seats.number"]),
    )

    id: int | None = Field(default=None, primary_key=True)
    hall: str | None = Field(default=None, max_length=64)
    number: int | None = None
    price: decimal.Decimal | None = Field(default=None, max_digits=15, decimal_places=4)

    seat: Seat | None = Relationship(back_populates="tickets")


class Loan(Model, table=True):
    __tablename__ = "sqlmodel_loans"

    id: int | None = Field(default=None, primary_key=True)
    book_id: int = Field(foreign_key="sqlmodel_books.id", ondelete="CASCADE")
    reader_id: int | None = Field(default=None, foreign_key="sqlmodel_authors.id", ondelete="SET NULL")
    deposit_id: str | None = Field(default=None, max_length=64, foreign_key="sqlmodel_notes.code")

    book: Book = Relationship()
    reader: Author | None = Relationship()
    deposit: Note | None = Relationship()


ENTITIES: dict[str, type[Any]] = {
    "notes": Note,
    "seats": Seat,
    "tokens": Token,
    "authors": Author,
    "books": Book,
    "reviews": Review,
    "tickets": Ticket,
    "loans": Loan,
}
WITH_ARRAYS: dict[str, type[Any]] = {**ENTITIES, "labels": Label}
