"""Books whose fields callers call in camel case, once as tables and once as documents."""

import datetime
from decimal import Decimal
from typing import ClassVar

import sqlmodel
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlmodel import SQLModel

from fastapi_easy.container import Container, resource
from fastapi_easy.domain import QueryRules, to_one

CAMEL = ConfigDict(alias_generator=to_camel)


class Writer(SQLModel, table=True):
    """Writes books."""

    __tablename__ = "aliased_writers"
    model_config = CAMEL

    id: int | None = sqlmodel.Field(default=None, primary_key=True)
    full_name: str = sqlmodel.Field(min_length=1, max_length=50)


class Book(SQLModel, table=True):
    """Is written by somebody."""

    __tablename__ = "aliased_books"
    model_config = CAMEL

    id: int | None = sqlmodel.Field(default=None, primary_key=True)
    isbn_13: str = sqlmodel.Field(min_length=1, max_length=40, unique=True)
    title_text: str = sqlmodel.Field(min_length=1, max_length=20)
    unit_price: Decimal = sqlmodel.Field(ge=0, max_digits=8, decimal_places=2)
    copies_left: int = 0
    first_published: datetime.date | None = None
    writer_id: int | None = sqlmodel.Field(default=None, foreign_key="aliased_writers.id")

    writer: Writer | None = sqlmodel.Relationship()


class WriterDocument(BaseModel):
    """Writes books."""

    model_config = CAMEL

    id: int | None = None
    full_name: str = Field(min_length=1, max_length=50)


class BookDocument(BaseModel):
    """Is written by somebody."""

    model_config = CAMEL
    __unique__: ClassVar = ("isbn_13",)

    id: int | None = None
    isbn_13: str = Field(min_length=1, max_length=40)
    title_text: str = Field(min_length=1, max_length=20)
    unit_price: Decimal = Field(ge=0, max_digits=8, decimal_places=2)
    copies_left: int = 0
    first_published: datetime.date | None = None
    writer_id: int | None = None


RULES = QueryRules(search=["title_text"], order=["-unit_price"])


class Tables(Container):
    """On a store of tables, or in memory."""

    writers = resource(Writer)
    books = resource(Book, query=RULES, upsert=("isbn_13",))


class Documents(Container):
    """On a store of documents."""

    writers = resource(WriterDocument)
    books = resource(
        BookDocument,
        query=RULES,
        upsert=("isbn_13",),
        relations={"writer": to_one("writers", by="writer_id")},
    )
