"""Books with authors, sequels and subjects, and a shelf mark that repeats: what relations can be between tables."""

import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, String, Table, delete
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.queries.specification import Everything
from tests.unit.infrastructure.sqlalchemy.relational import Relational, relational


class Base(DeclarativeBase): ...


# Without a key: nothing keeps it from holding a pair twice.
about = Table(
    "library_about",
    Base.metadata,
    Column("book", ForeignKey("library_books.id")),
    Column("subject", ForeignKey("library_subjects.code")),
)


class Subject(Base):
    __tablename__ = "library_subjects"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    label: Mapped[str] = mapped_column(String(100))
    books: Mapped[list["Book"]] = relationship(secondary=about, back_populates="subjects")


class Author(Base):
    __tablename__ = "library_authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    books: Mapped[list["Book"]] = relationship(back_populates="author")
    # Nothing in the tables says that there is one only.
    portrait: Mapped["Portrait | None"] = relationship(back_populates="author")


class Portrait(Base):
    __tablename__ = "library_portraits"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("library_authors.id"))
    painter: Mapped[str] = mapped_column(String(100))
    gone_at: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))
    author: Mapped[Author | None] = relationship(back_populates="portrait")


class Book(Base):
    __tablename__ = "library_books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    isbn: Mapped[str | None] = mapped_column(String(20), unique=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("library_authors.id"))
    sequel_of_id: Mapped[int | None] = mapped_column(ForeignKey("library_books.id"))
    version: Mapped[int]
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))
    author: Mapped[Author | None] = relationship(back_populates="books")
    sequel_of: Mapped["Book | None"] = relationship(remote_side="Book.id", back_populates="sequels")
    sequels: Mapped[list["Book"]] = relationship(back_populates="sequel_of")
    subjects: Mapped[list[Subject]] = relationship(secondary=about, back_populates="books")


ENTITIES: dict[str, type[Any]] = {
    "subjects": Subject,
    "authors": Author,
    "portraits": Portrait,
    "books": Book,
}
OPTIONS = {
    "books": {"version": "version", "soft_delete": "deleted_at"},
    "portraits": {"soft_delete": "gone_at"},
}


@asynccontextmanager
async def empty_library(url: str) -> AsyncIterator[Relational]:
    """All of it in the database at *url*, without a single row."""
    async with relational(url, ENTITIES, options=OPTIONS) as world:
        await world.say(delete(about))
        released = await world["books"].update_where(
            Everything(), Patch({"sequel_of_id": None}), max_affected=99
        )
        _ = released.unwrap()
        for name in ("portraits", "books", "authors", "subjects"):
            _ = (await world[name].remove_where(Everything(), max_affected=99)).unwrap()
        yield world
