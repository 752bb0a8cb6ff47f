"""A market in memory: stalls, what they sell, and orders that can be cancelled."""

import datetime
import enum
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fastapi_easy.application import Context, Kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    CheckFailed,
    Failure,
    Key,
    Operation,
    Outcome,
    Patch,
    QueryRules,
    Row,
    to_many,
    to_one,
)
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.testing import in_memory


class State(enum.StrEnum):
    """How far an order has come."""

    OPEN = "open"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


@dataclass(kw_only=True)
class Stall:
    """Sells goods."""

    id: int | None = None
    name: str
    city: str | None = None


@dataclass(kw_only=True)
class Good:
    """Is sold."""

    id: int | None = None
    code: str = field(metadata={"unique": True})
    title: str
    price: Decimal
    stall_id: int | None = None
    added_at: datetime.datetime = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
    version: int = 1
    deleted_at: datetime.datetime | None = None


@dataclass(kw_only=True)
class Order:
    """Somebody wants goods."""

    id: int | None = None
    state: State = State.OPEN
    note: str | None = None
    expected_version: str = "a field that is called like an option"


@dataclass(frozen=True)
class CancelOrder:
    """Cancel an order that has not been shipped."""

    reason: str
    by: str = "customer"

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Row]:
        """Set the state, and keep the reason."""
        orders = work.repository("orders")
        found = await orders.read(key)
        if isinstance(found, Failure):
            return found
        if found.unwrap().state is State.SHIPPED:
            return Failure(CheckFailed("orders", ("state",), reason="A shipped order stays shipped."))
        note = f"{self.by} {context.principal.id}: {self.reason}"
        return await orders.update(key, Patch({"state": State.CANCELLED, "note": note}))


@dataclass(frozen=True)
class RebaseOrder:
    """Has a field that is called like an option."""

    expected_version: str

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Row]:
        """Keep it."""
        return await work.repository("orders").update(key, Patch({"note": self.expected_version}))


@dataclass(frozen=True)
class CountOrders:
    """Is called like a method."""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        """Do nothing."""
        return await work.repository("orders").read(key)


class Market(Container):
    """All of it in memory."""

    stalls = resource(Stall, relations={"goods": to_many("goods", by="stall_id")})
    goods = resource(
        Good,
        relations={"stall": to_one(Stall, by="stall_id")},
        query=QueryRules(search=["title"]),
        operations=[*Operation],
        version="version",
        soft_delete="deleted_at",
        upsert=("code",),
    )
    orders = resource(Order, actions=[CancelOrder, RebaseOrder, CountOrders])


PRICES = {"apple": "0.50", "bread": "3.20", "cheese": "8.75", "dill": "1.10"}


async def add_sample_data() -> Kernel:
    """A market with a stall in York that sells four goods, in the order of their prices' names."""
    kernel: Kernel = in_memory(Market).kernel()
    stall = (await kernel.stalls.create(name="Fruit", city="York")).unwrap()
    for code, price in PRICES.items():
        await kernel.goods.create(code=code, title=code.title(), price=Decimal(price), stall_id=stall.id)
    return kernel
