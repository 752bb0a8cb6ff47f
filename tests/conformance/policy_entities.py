"""The entities of the shop with a policy, in the form of each technology."""

import datetime
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, Field
from sqlalchemy import DateTime, ForeignKey, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlmodel import Field as Column
from sqlmodel import SQLModel
from tortoise import Model, fields


@dataclass
class GenreData:
    name: str
    id: int | None = None


@dataclass
class AuthorData:
    name: str
    owner: str = ""
    rival_id: int | None = None
    id: int | None = None


@dataclass
class BookData:
    __unique__: ClassVar = ("isbn",)
    isbn: str
    title: str
    author_id: int
    owner: str = ""
    genre_id: int | None = None
    cost: int = 5000
    rank: int = 0
    version: int = 1
    deleted_at: datetime.datetime | None = None
    id: int | None = None


class GenreDocument(BaseModel):
    id: int | None = None
    name: str = Field(max_length=60)


class AuthorDocument(BaseModel):
    id: int | None = None
    name: str = Field(max_length=60)
    owner: str = ""
    rival_id: int | None = None


class BookDocument(BaseModel):
    __unique__: ClassVar = ("isbn",)
    id: int | None = None
    isbn: str = Field(max_length=60)
    title: str = Field(max_length=60)
    author_id: int
    owner: str = ""
    genre_id: int | None = None
    cost: int = 5000
    rank: int = 0
    version: int = 1
    deleted_at: datetime.datetime | None = None


class GenreTable(SQLModel, table=True):
    __tablename__ = "guarded_genre"
    id: int | None = Column(default=None, primary_key=True)
    name: str = Column(max_length=60)


class AuthorTable(SQLModel, table=True):
    __tablename__ = "guarded_author"
    id: int | None = Column(default=None, primary_key=True)
    name: str = Column(max_length=60)
    owner: str = Column(default="", max_length=40)
    rival_id: int | None = Column(default=None, foreign_key="guarded_author.id")


class BookTable(SQLModel, table=True):
    __tablename__ = "guarded_book"
    id: int | None = Column(default=None, primary_key=True)
    isbn: str = Column(max_length=60, unique=True)
    title: str = Column(max_length=60)
    author_id: int = Column(foreign_key="guarded_author.id")
    owner: str = Column(default="", max_length=40)
    genre_id: int | None = Column(default=None, foreign_key="guarded_genre.id")
    cost: int = 5000
    rank: int = 0
    version: int = 1
    deleted_at: datetime.datetime | None = Column(default=None, sa_type=DateTime(timezone=True))


class Base(DeclarativeBase):
    metadata = MetaData()


class GenreRow(Base):
    __tablename__ = "kept_genre"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))


class AuthorRow(Base):
    __tablename__ = "kept_author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    owner: Mapped[str] = mapped_column(String(40), default="")
    rival_id: Mapped[int | None] = mapped_column(ForeignKey("kept_author.id"))


class BookRow(Base):
    __tablename__ = "kept_book"
    id: Mapped[int] = mapped_column(primary_key=True)
    isbn: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[str] = mapped_column(String(60))
    author_id: Mapped[int] = mapped_column(ForeignKey("kept_author.id"))
    owner: Mapped[str] = mapped_column(String(40), default="")
    genre_id: Mapped[int | None] = mapped_column(ForeignKey("kept_genre.id"))
    cost: Mapped[int] = mapped_column(default=5000)
    rank: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))


def tortoise_family(label: str) -> tuple[type[Model], type[Model], type[Model]]:
    """Models of their own for one kind of database: Tortoise keeps what it knows about a class once per process."""

    class Genre(Model):
        id = fields.IntField(primary_key=True)
        name = fields.CharField(max_length=60)

        class Meta:
            app = label
            table = f"{label}_genre"

    class Author(Model):
        id = fields.IntField(primary_key=True)
        name = fields.CharField(max_length=60)
        owner = fields.CharField(max_length=40, default="")
        rival_id = fields.IntField(null=True)

        class Meta:
            app = label
            table = f"{label}_author"

    class Book(Model):
        id = fields.IntField(primary_key=True)
        isbn = fields.CharField(max_length=60, unique=True)
        title = fields.CharField(max_length=60)
        author_id = fields.IntField()
        owner = fields.CharField(max_length=40, default="")
        genre_id = fields.IntField(null=True)
        cost = fields.IntField(default=5000)
        rank = fields.IntField(default=0)
        version = fields.IntField(default=1)
        deleted_at = fields.DatetimeField(null=True)

        class Meta:
            app = label
            table = f"{label}_book"

    return Genre, Author, Book
