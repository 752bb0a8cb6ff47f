"""What the shop keeps."""

import datetime
import enum
import uuid
from decimal import Decimal

from sqlmodel import Field, SQLModel


def now() -> datetime.datetime:
    """The time of day: aware, UTC."""
    return datetime.datetime.now(datetime.UTC)


class Author(SQLModel, table=True):
    """Somebody who wrote books."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(min_length=1, max_length=120, index=True)
    country: str | None = Field(default=None, min_length=2, max_length=2, description="ISO 3166-1 alpha-2")
    born: datetime.date | None = None


class Binding(enum.StrEnum):
    """How a book is made."""

    PAPERBACK = "paperback"
    HARDCOVER = "hardcover"
    EBOOK = "ebook"


class Book(SQLModel, table=True):
    """A book on sale."""

    id: int | None = Field(default=None, primary_key=True)
    isbn: str = Field(
        min_length=10, max_length=13, unique=True, schema_extra={"pattern": r"^[0-9]{9,12}[0-9X]$"}
    )
    title: str = Field(min_length=1, max_length=200, index=True)
    author_id: int = Field(foreign_key="author.id", index=True)
    price: Decimal = Field(ge=0, max_digits=10, decimal_places=2)
    stock: int = Field(default=0, ge=0)
    binding: Binding = Binding.PAPERBACK
    published: datetime.date | None = None
    rating: float | None = Field(default=None, ge=0, le=5)
    in_print: bool = True
    added_at: datetime.datetime = Field(default_factory=now)
    supplier_note: str | None = Field(default=None, max_length=500)


class OrderStatus(enum.StrEnum):
    """How far an order has come."""

    OPEN = "open"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


class Order(SQLModel, table=True):
    """Somebody wants books."""

    __tablename__ = "purchase_order"

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    customer: str = Field(min_length=1, max_length=120, index=True)
    status: OrderStatus = OrderStatus.OPEN
    total: Decimal = Field(default=Decimal(0), ge=0, max_digits=12, decimal_places=2)
    note: str | None = Field(default=None, max_length=500)
    placed_at: datetime.datetime = Field(default_factory=now)


class OrderLine(SQLModel, table=True):
    """One book in an order; its key is the order and a number within it."""

    order_id: uuid.UUID = Field(foreign_key="purchase_order.id", primary_key=True)
    number: int = Field(primary_key=True, ge=1, le=1000)
    book_id: int = Field(foreign_key="book.id")
    quantity: int = Field(default=1, ge=1, le=1000)
    unit_price: Decimal = Field(ge=0, max_digits=10, decimal_places=2)
