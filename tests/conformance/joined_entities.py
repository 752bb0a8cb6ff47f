"""The suite's resources as SQLAlchemy classes that are stored in two tables each (joined inheritance).

The tables have names of their own: other columns of a server share its database.
"""

import datetime
import decimal
import uuid
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Numeric,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from fastapi_easy.testing.conformance import Colour


class Base(DeclarativeBase): ...


class AnyNote(Base):
    __tablename__ = "joined_any_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text, default="")
    remark: Mapped[str | None] = mapped_column(String(200))
    priority: Mapped[int] = mapped_column(default=0)
    rank: Mapped[int | None]
    views: Mapped[int] = mapped_column(BigInteger, default=0)
    price: Mapped[decimal.Decimal | None] = mapped_column(Numeric(15, 4))
    score: Mapped[float | None]


class Note(AnyNote):
    __tablename__ = "joined_notes"
    __table_args__ = (UniqueConstraint("shelf", "place"),)

    id: Mapped[int] = mapped_column(ForeignKey("joined_any_notes.id"), primary_key=True)
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


class AnySeat(Base):
    __tablename__ = "joined_any_seats"

    hall: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Seat(AnySeat):
    __tablename__ = "joined_seats"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "number"], ["joined_any_seats.hall", "joined_any_seats.number"]),
    )

    hall: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    guest: Mapped[str | None] = mapped_column(String(200))

    tickets: Mapped[list["Ticket"]] = relationship(back_populates="seat")


class AnyToken(Base):
    __tablename__ = "joined_any_tokens"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)


class Token(AnyToken):
    __tablename__ = "joined_tokens"

    id: Mapped[uuid.UUID] = mapped_column(ForeignKey("joined_any_tokens.id"), primary_key=True)
    label: Mapped[str] = mapped_column(String(200))


class AnyLabel(Base):
    __tablename__ = "joined_any_labels"

    id: Mapped[int] = mapped_column(primary_key=True)


class Label(AnyLabel):
    __tablename__ = "joined_labels"

    id: Mapped[int] = mapped_column(ForeignKey("joined_any_labels.id"), primary_key=True)
    tags: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


class Person(Base):
    __tablename__ = "joined_people"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    born: Mapped[datetime.date | None]


class Author(Person):
    __tablename__ = "joined_authors"

    person_id: Mapped[int] = mapped_column(ForeignKey("joined_people.id"), primary_key=True)
    country: Mapped[str | None] = mapped_column(String(64))
    mentor_id: Mapped[int | None] = mapped_column(ForeignKey("joined_authors.person_id", ondelete="SET NULL"))

    mentor: Mapped["Author | None"] = relationship(
        back_populates="pupils", remote_side=person_id, foreign_keys=mentor_id
    )
    pupils: Mapped[list["Author"]] = relationship(back_populates="mentor", foreign_keys=mentor_id)
    books: Mapped[list["Book"]] = relationship(back_populates="author")


class Item(Base):
    __tablename__ = "joined_items"
    __table_args__ = (UniqueConstraint("shelf", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    isbn: Mapped[str | None] = mapped_column(String(64), unique=True)
    shelf: Mapped[str | None] = mapped_column(String(64))
    place: Mapped[int | None]
    price: Mapped[decimal.Decimal | None] = mapped_column(Numeric(15, 4))
    version: Mapped[int] = mapped_column(default=1)
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))


class Book(Item):
    __tablename__ = "joined_books"

    id: Mapped[int] = mapped_column(ForeignKey("joined_items.id"), primary_key=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("joined_authors.person_id"))
    pages: Mapped[int | None]

    author: Mapped[Author | None] = relationship(back_populates="books")
    reviews: Mapped[list["Review"]] = relationship(back_populates="book")


class Review(Base):
    __tablename__ = "joined_reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("joined_books.id"))
    rating: Mapped[int]
    text: Mapped[str | None] = mapped_column(String(200))

    book: Mapped[Book] = relationship(back_populates="reviews")


class Ticket(Base):
    __tablename__ = "joined_tickets"
    __table_args__ = (ForeignKeyConstraint(["hall", "number"], ["joined_seats.hall", "joined_seats.number"]),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hall: Mapped[str | None] = mapped_column(String(64))
    number: Mapped[int | None]
    price: Mapped[decimal.Decimal | None] = mapped_column(Numeric(15, 4))

    seat: Mapped[Seat | None] = relationship(back_populates="tickets")


class Loan(Base):
    __tablename__ = "joined_loans"

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("joined_books.id", ondelete="CASCADE"))
    reader_id: Mapped[int | None] = mapped_column(ForeignKey("joined_authors.person_id", ondelete="SET NULL"))
    deposit_id: Mapped[str | None] = mapped_column(String(64), ForeignKey("joined_notes.code"))

    book: Mapped[Book] = relationship()
    reader: Mapped[Author | None] = relationship()
    deposit: Mapped[Note | None] = relationship()


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
