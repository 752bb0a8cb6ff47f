"""A small shop whose resources lead to one another: with versions, soft delete and upsert, on any store."""

import datetime
from dataclasses import dataclass

from sqlmodel import Field, Relationship, SQLModel

from fastapi_easy.application import Context
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Failure, Fields, Key, Outcome, Patch, Row
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.domain.resources.options import EVERY_OPERATION, Operation, Version


class Writer(SQLModel, table=True):
    """Writes books, for a fee that is nobody's business."""

    __tablename__ = "library_writers"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(min_length=1, max_length=120)
    country: str | None = Field(default=None, max_length=2)
    fee: int = 0

    books: list["Work"] = Relationship(back_populates="author")


class Work(SQLModel, table=True):
    """A book."""

    __tablename__ = "library_works"

    id: int | None = Field(default=None, primary_key=True)
    isbn: str = Field(min_length=1, max_length=40, unique=True)
    title: str = Field(min_length=1, max_length=200)
    author_id: int | None = Field(default=None, foreign_key="library_writers.id")
    copies: int = Field(default=0, ge=0)
    version: int = 1
    deleted_at: datetime.datetime | None = None

    author: Writer | None = Relationship(back_populates="books")
    reviews: list["Opinion"] = Relationship(back_populates="book")


class Opinion(SQLModel, table=True):
    """What a reader says about a book."""

    __tablename__ = "library_opinions"

    id: int | None = Field(default=None, primary_key=True)
    book_id: int = Field(foreign_key="library_works.id")
    stars: int = Field(ge=1, le=5)

    book: Work = Relationship(back_populates="reviews")


@dataclass(frozen=True)
class LendWork:
    """Lend a copy."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Row]:
        """One copy less than there were when it was looked at."""
        books = work.repository("books")
        found = await books.read(key)
        if isinstance(found, Failure):
            return found
        return await books.update(key, Patch({"copies": found.unwrap().copies - 1}))


@dataclass(frozen=True)
class PraiseOpinion:
    """Give all stars."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Row]:
        """Five of them."""
        return await work.repository("reviews").update(key, Patch({"stars": 5}))


class Library(Container):
    """Authors, their books, and what readers say about those."""

    authors = resource(Writer, fields=Fields(hidden=["fee"]))
    books = resource(
        Work,
        operations=(*EVERY_OPERATION, Operation.PURGE),
        version="version",
        soft_delete="deleted_at",
        upsert=("isbn",),
        actions=[LendWork],
    )
    reviews = resource(Opinion, version=Version(required=True), actions=[PraiseOpinion])
