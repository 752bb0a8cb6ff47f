"""A shop whose entities belong to tenants, in the classes of every store, and stores to keep it in."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from pydantic import BaseModel
from sqlalchemy import DateTime, UniqueConstraint
from sqlmodel import Field as Column
from sqlmodel import SQLModel
from tortoise import Model, fields

from fastapi_easy.application import Context
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import EVERY_OPERATION, Key, Outcome, Patch, Principal, QueryRules, to_many, to_one
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.settings import Settings
from tests.e2e.stores import empty_store


@dataclass(frozen=True)
class RenameCustomer:
    """Give a customer another name."""

    to: str

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        return await work.repository("customers").update(key, Patch({"name": self.to}))


class SqlCustomer(SQLModel, table=True):
    __tablename__ = "tenant_customer"
    __table_args__ = (UniqueConstraint("org_id", "code"),)
    id: int | None = Column(default=None, primary_key=True)
    org_id: str = Column(max_length=40, index=True)
    code: str = Column(max_length=20)
    name: str = Column(default="", max_length=40)
    deleted_at: datetime | None = Column(default=None, sa_type=DateTime(timezone=True))  # type: ignore[call-overload]


class SqlOrder(SQLModel, table=True):
    __tablename__ = "tenant_order"
    __table_args__ = (UniqueConstraint("org_id", "number"),)
    id: int | None = Column(default=None, primary_key=True)
    org_id: str = Column(max_length=40, index=True)
    number: str = Column(max_length=20)
    total: int = 0
    customer_id: int | None = Column(default=None, foreign_key="tenant_customer.id")


class TortoiseCustomer(Model):
    id = fields.IntField(primary_key=True)
    org_id = fields.CharField(max_length=40)
    code = fields.CharField(max_length=20)
    name = fields.CharField(max_length=40, default="")
    deleted_at = fields.DatetimeField(null=True)

    class Meta:
        unique_together = (("org_id", "code"),)


class TortoiseOrder(Model):
    id = fields.IntField(primary_key=True)
    org_id = fields.CharField(max_length=40)
    number = fields.CharField(max_length=20)
    total = fields.IntField(default=0)
    customer = fields.ForeignKeyField("models.TortoiseCustomer", related_name="orders", null=True)

    class Meta:
        unique_together = (("org_id", "number"),)


class PlainCustomer(BaseModel):
    __unique__: ClassVar[Any] = (("org_id", "code"),)
    id: int | None = None
    org_id: str
    code: str
    name: str = ""
    deleted_at: datetime | None = None


class PlainOrder(BaseModel):
    __unique__: ClassVar[Any] = (("org_id", "number"),)
    id: int | None = None
    org_id: str
    number: str
    total: int = 0
    customer_id: int | None = None


_CUSTOMERS: Any = {
    "tenant": "org_id",
    "operations": (*EVERY_OPERATION, "purge"),
    "soft_delete": "deleted_at",
    "actions": [RenameCustomer],
    "query": QueryRules(search=["name"]),
}
_ORDERS: Any = {"tenant": "org_id", "upsert": ["number"], "query": QueryRules(limit=2)}
_TO_ORDERS = {"orders": to_many("orders", by="customer_id")}
_TO_CUSTOMER = {"customer": to_one("customers", by="customer_id")}


class SqlShop(Container):
    customers = resource(SqlCustomer, relations=_TO_ORDERS, **_CUSTOMERS)
    orders = resource(SqlOrder, relations=_TO_CUSTOMER, **_ORDERS)


class TortoiseShop(Container):
    customers = resource(TortoiseCustomer, **_CUSTOMERS)
    orders = resource(TortoiseOrder, **_ORDERS)


class PlainShop(Container):
    customers = resource(PlainCustomer, relations=_TO_ORDERS, **_CUSTOMERS)
    orders = resource(PlainOrder, relations=_TO_CUSTOMER, **_ORDERS)


COLUMNS = {
    "memory": ("memory", "", PlainShop),
    "sqlite": ("sqlite", "", SqlShop),
    "postgres, asyncpg": ("postgres", "postgresql+asyncpg", SqlShop),
    "postgres, psycopg": ("postgres", "postgresql+psycopg", SqlShop),
    "mariadb": ("mariadb", "", SqlShop),
    "mongo": ("mongo", "", PlainShop),
    "tortoise": ("sqlite", "", TortoiseShop),
}
"""Of each column of the suite: the store, its driver, and the container."""


@contextmanager
def settings_of(column: str, folder: Path) -> Iterator[Settings]:
    """Settings with an empty database for *column*."""
    store, scheme, _ = COLUMNS[column]
    with empty_store(store, folder) as url:
        address = f"{scheme}:{url.partition(':')[2]}" if scheme else url
        yield Settings.model_validate({"databases": {"default": {"url": address, "migrations": "auto"}}})


class Tenant:
    """One tenant of an open shop, whose name no other test uses.

    Attributes:
        name: What principals carry.

        kernel: The kernel for a caller in it.
    """

    def __init__(self, kernel: Any, name: str | None = None, **how: Any) -> None:
        self.name = name or uuid4().hex
        self.kernel = kernel.acting_as(Principal(id="ada", tenant=self.name), **how)
        self.customers, self.orders = self.kernel.customers, self.kernel.orders

    async def customer(self, code: str = "c1", name: str = "") -> Any:
        return (await self.customers.create(code=code, name=name)).unwrap()

    async def order(self, number: str = "1", **values: Any) -> Any:
        return (await self.orders.create(number=number, **values)).unwrap()

    async def everything(self) -> list[Any]:
        """What there is, by every way of reading that shows rows."""
        customers = (await self.customers.list(limit=100)).unwrap().items
        orders = (await self.orders.list(limit=100, sort="id")).unwrap().items
        exported = [row async for chunk in (await self.orders.export(sort="id")).unwrap() for row in chunk]
        assert exported == list(orders)
        assert (await self.orders.count()).unwrap() == len(orders)
        return [*customers, *orders]


class Statements:
    """Implements `Tracer`: keeps the names of the spans."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @contextmanager
    def span(self, name: str, attributes: Any, *, is_client: bool = False) -> Iterator[Any]:
        self.names.append(name)
        yield self

    def fail(self, code: str, *, broken: bool) -> None:
        """Nothing is kept of failures."""


@dataclass
class OpenShop:
    """A container in use, and its kernel."""

    container: Any
    kernel: Any

    def tenants(self, **how: Any) -> tuple[Tenant, Tenant]:
        return Tenant(self.kernel, **how), Tenant(self.kernel, **how)

    @property
    def nobody(self) -> Tenant:
        """A caller without a tenant."""
        made = Tenant(self.kernel)
        made.kernel = self.kernel.acting_as(Principal(id="ada"))
        made.customers, made.orders = made.kernel.customers, made.kernel.orders
        return made


@asynccontextmanager
async def open_shop(column: str, folder: Path, **overriding: Any) -> AsyncIterator[OpenShop]:
    """The shop of *column* on an empty database."""
    container: Any = COLUMNS[column][2]
    with settings_of(column, folder) as settings:
        shop = container(settings=settings, **overriding)
        async with open_kernel(shop) as kernel:
            yield OpenShop(shop, kernel)
