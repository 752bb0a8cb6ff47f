"""Entities that know nothing of the class that says how they are stored."""

import decimal
from dataclasses import dataclass

import pydantic
import pytest
from sqlalchemy import Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlmodel import Field, SQLModel

from fastapi_easy.domain.errors import Stale
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import describe as of_sqlalchemy
from fastapi_easy.infrastructure.persistence.sqlmodel.mapping import describe as of_sqlmodel
from tests.unit.infrastructure.sqlalchemy.relational import relational


@dataclass(frozen=True, slots=True)
class Order:
    """Of the domain."""

    customer: str
    total: decimal.Decimal
    id: int | None = None
    version: int = 0


class OrderModel(pydantic.BaseModel):
    """Of the domain too."""

    id: int | None = None
    customer: str
    total: decimal.Decimal
    version: int = 0


class Base(DeclarativeBase): ...


class OrderRow(Base):
    __tablename__ = "stored_as_order_rows"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column("client", String(50))
    total: Mapped[decimal.Decimal] = mapped_column(Numeric(10, 2))
    version: Mapped[int]


class OrderTable(SQLModel, table=True):
    __tablename__ = "stored_as_order_tables"
    id: int | None = Field(default=None, primary_key=True)
    customer: str = Field(max_length=50)
    total: decimal.Decimal = Field(max_digits=10, decimal_places=2)
    version: int


@pytest.mark.parametrize(("stored", "describe"), [(OrderRow, of_sqlalchemy), (OrderTable, of_sqlmodel)])
@pytest.mark.parametrize("entity", [Order, OrderModel])
async def test_gives_and_takes_the_class_of_the_domain(url, entity, stored, describe):
    options = {"orders": {"stored": stored, "version": "version"}}
    async with relational(url, {"orders": entity}, options=options, describe=describe) as world:
        assert world.differences == []
        repository, entities = world["orders"], world.entities("orders")
        _ = (await repository.remove_where(Everything(), max_affected=9)).unwrap()

        saved = (await entities.save(entity(customer="Ada", total=decimal.Decimal("10.50")))).unwrap()
        found = (await entities.find_by_id(saved.id)).unwrap()
        changed = entity(id=saved.id, customer="Bob", total=decimal.Decimal(7), version=found.version)
        second = (await entities.save(changed)).unwrap()
        late = (await entities.save(changed)).failure()
        listed = (await entities.find_all(Query(order=(Sort("id"),)))).unwrap().items

        first = entity(id=saved.id, customer="Ada", total=decimal.Decimal("10.50"), version=1)
        assert saved == found == first
        assert type(found) is entity
        assert second == entity(id=saved.id, customer="Bob", total=decimal.Decimal("7.00"), version=2)
        assert late == Stale("orders", saved.id, "2")
        assert list(listed) == [second]
        assert (await repository.read(saved.id, ("customer",))).unwrap() == {"customer": "Bob"}
