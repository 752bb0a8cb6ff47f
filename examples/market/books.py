"""What is sold, as SQLModel tables."""

from decimal import Decimal

from sqlalchemy.orm import registry
from sqlmodel import Field, Relationship, SQLModel


class Model(SQLModel, registry=registry()):
    """Of the market alone: other examples have books too, and relationships name their classes."""


class Publisher(Model, table=True):
    """Who makes books."""

    __tablename__ = "market_publisher"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=100, unique=True)
    books: list["Book"] = Relationship(back_populates="publisher")


class Book(Model, table=True):
    """Something to read."""

    __tablename__ = "market_book"

    id: int | None = Field(default=None, primary_key=True)
    isbn: str = Field(max_length=20, unique=True)
    title: str = Field(min_length=1, max_length=200, index=True)
    price: Decimal = Field(ge=0, max_digits=10, decimal_places=2)
    publisher_id: int | None = Field(default=None, foreign_key="market_publisher.id")
    version: int = Field(default=1)
    publisher: Publisher | None = Relationship(back_populates="books")
