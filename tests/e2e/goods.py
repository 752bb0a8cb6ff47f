"""A resource with rules of every kind, once as a table and once as documents."""

import datetime
import enum
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar

import sqlmodel
from annotated_types import Ge, MinLen
from pydantic import BaseModel, Field, model_validator
from sqlalchemy import JSON, DateTime
from sqlmodel import SQLModel

from fastapi_easy.application import Context
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Fields, Key, Outcome, Patch, Row, Schemas
from fastapi_easy.domain.ports import UnitOfWork


class Colour(enum.Enum):
    """Known by a word."""

    RED = "red"
    BLUE = "blue"


class Goods(SQLModel, table=True):
    """Kept in a table."""

    __tablename__ = "validated_goods"

    id: int | None = sqlmodel.Field(default=None, primary_key=True)
    sku: str = sqlmodel.Field(min_length=1, max_length=40, unique=True)
    title: str = sqlmodel.Field(min_length=1, max_length=20)
    price: Decimal = sqlmodel.Field(ge=0, max_digits=8, decimal_places=2)
    stock: int = sqlmodel.Field(default=0, ge=0)
    rating: float | None = None
    active: bool = True
    published: datetime.date | None = None
    opens: datetime.time | None = None
    added: datetime.datetime | None = sqlmodel.Field(default=None, sa_type=DateTime(timezone=True))  # type: ignore[call-overload]
    lasts: datetime.timedelta | None = None
    code: uuid.UUID | None = None
    cover: bytes | None = sqlmodel.Field(default=None, max_length=8)
    colour: Colour = Colour.RED
    extra: dict[str, Any] = sqlmodel.Field(default_factory=dict, sa_type=JSON)
    secret: str = "kept"  # noqa: S105 (a field of that name)


class GoodsDocument(BaseModel):
    """Kept as a document."""

    __unique__: ClassVar = ("sku",)

    sku: str = Field(min_length=1, max_length=40)
    title: str = Field(min_length=1, max_length=20)
    price: Decimal = Field(ge=0, max_digits=8, decimal_places=2)
    stock: int = Field(default=0, ge=0)
    rating: float | None = None
    active: bool = True
    published: datetime.date | None = None
    opens: datetime.time | None = None
    added: datetime.datetime | None = None
    lasts: datetime.timedelta | None = None
    code: uuid.UUID | None = None
    cover: bytes | None = Field(default=None, max_length=8)
    colour: Colour = Colour.RED
    extra: dict[str, Any] = {}
    secret: str = "kept"  # noqa: S105 (a field of that name)
    id: int | None = None


class NewGoods(BaseModel):
    """What the user says of new ones."""

    sku: str = Field(min_length=3)
    title: str
    price: Decimal = Decimal(1)
    published: datetime.date | None = None
    stock: int = 1

    @model_validator(mode="after")
    def _cheap_ones_are_many(self) -> "NewGoods":
        if self.price < 1 and self.stock < 100:
            raise ValueError("What is cheap has to be many")
        return self


class ChangedGoods(BaseModel):
    """What the user says of changes."""

    title: str = Field(default="", max_length=5)


@dataclass(frozen=True)
class RepriceGoods:
    """Give it another price."""

    price: Annotated[Decimal, Ge(0)]
    reason: Annotated[str, MinLen(3)]
    since: datetime.date | None = None

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Row]:
        """Set it."""
        return await work.repository("goods").update(key, Patch({"price": self.price}))


class Tables(Container):
    """On a store of tables, or in memory."""

    goods = resource(Goods, fields=Fields(hidden=["secret"]), upsert=("sku",), actions=[RepriceGoods])


class Documents(Container):
    """On a store of documents."""

    goods = resource(GoodsDocument, fields=Fields(hidden=["secret"]), upsert=("sku",), actions=[RepriceGoods])


class OwnTables(Container):
    """With the user's own schemas."""

    goods = resource(
        Goods,
        fields=Fields(hidden=["secret"]),
        schemas=Schemas(create=NewGoods, update=ChangedGoods),
        upsert=("sku",),
    )


class OwnDocuments(Container):
    """With the user's own schemas."""

    goods = resource(
        GoodsDocument,
        fields=Fields(hidden=["secret"]),
        schemas=Schemas(create=NewGoods, update=ChangedGoods),
        upsert=("sku",),
    )
