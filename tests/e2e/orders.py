"""Orders that are placed once, however often they are sent, and coupons that are redeemed once, whoever does so."""

import datetime
import enum
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import httpx2
from fastapi import Header
from pydantic import BaseModel
from pydantic import Field as PydanticField
from sqlalchemy import JSON
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.application import Context
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Failure, Fields, Key, Outcome, Patch, Principal
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of
from tests.e2e.stores import empty_store

STORES = ("memory", "sqlite", "postgres", "mariadb", "mongo")

SERVERS = ("postgres", "mariadb", "mongo")
"""The stores that several processes share."""


class Status(enum.StrEnum):
    OPEN = "open"
    PAID = "paid"


class SqlOrder(SQLModel, table=True):
    __tablename__ = "retried_order"
    id: int | None = Column(default=None, primary_key=True)
    number: str = Column(max_length=40, unique=True)
    total: Decimal = Column(default=Decimal(1), max_digits=10, decimal_places=2)
    status: Status = Status.OPEN
    # Another one each time, although the caller sends the same.
    reference: uuid.UUID = Column(default_factory=uuid.uuid4)
    details: dict[str, Any] | None = Column(default=None, sa_type=JSON)
    secret: str = Column(default="hush", max_length=40)
    placed_at: datetime.datetime | None = Column(default=None)
    deleted_at: datetime.datetime | None = Column(default=None)
    version: int = 1


class SqlRedemption(SQLModel, table=True):
    __tablename__ = "retried_redemption"
    id: int | None = Column(default=None, primary_key=True)
    coupon: str = Column(max_length=40, unique=True)


class PlainOrder(BaseModel):
    __unique__ = ("number",)
    id: int | None = None
    number: Annotated[str, PydanticField(max_length=40)]
    total: Annotated[Decimal, PydanticField(max_digits=10, decimal_places=2)] = Decimal(1)
    status: Status = Status.OPEN
    reference: uuid.UUID = PydanticField(default_factory=uuid.uuid4)
    details: dict[str, Any] | None = None
    secret: str = "hush"  # noqa: S105 (a field, and no password)
    placed_at: datetime.datetime | None = None
    deleted_at: datetime.datetime | None = None
    version: int = 1


class PlainRedemption(BaseModel):
    __unique__ = ("coupon",)
    id: int | None = None
    coupon: str


@dataclass(frozen=True)
class PayOrder:
    """Pay an order; each payment makes it dearer by one."""

    note: str = ""

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        orders = work.repository("orders")
        found = await orders.read(key)
        if isinstance(found, Failure):
            return found
        total = found.unwrap().total + 1
        return await orders.update(key, Patch({"total": total, "status": Status.PAID}))


def container_of(store: str, **options: Any) -> type[Container]:
    is_plain = store in {"memory", "mongo"}

    class Orders(Container):
        orders = resource(
            PlainOrder if is_plain else SqlOrder,
            actions=[PayOrder],
            upsert=("number",),
            version="version",
            soft_delete="deleted_at",
            fields=Fields(hidden=("secret",)),
            **options,
        )
        redemptions = resource(PlainRedemption if is_plain else SqlRedemption)

    return Orders


async def caller(x_user: Annotated[str | None, Header()] = None) -> Principal | None:
    """`ada@acme` is Ada, of the tenant acme."""
    if x_user is None:
        return None
    name, _, tenant = x_user.partition("@")
    return Principal(id=name, tenant=tenant or None)


def settings_for(url: str, options: Any = MappingProxyType({}), **more: Any) -> Settings:
    return Settings.model_validate({"databases": {"default": {"url": url, **options}}, **more})


@asynccontextmanager
async def opened(container: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application with *container*, open."""
    async with client_of(create_app(container, principal=caller)) as client:
        yield client


@asynccontextmanager
async def orders(
    store: str, folder: Path, options: Any = MappingProxyType({}), **more: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of orders on an empty *store*; *more* are other settings."""
    make: Any = container_of(store)
    with empty_store(store, folder) as url:
        async with opened(make(settings=settings_for(url, options, **more))) as client:
            yield client


def key(name: str | None = None, **headers: str) -> dict[str, str]:
    """The headers of a call with the idempotency key *name*, a new one unless given."""
    named = {each.replace("_", "-"): value for each, value in headers.items()}
    return {"Idempotency-Key": name or uuid.uuid4().hex, **named}


def order(**values: Any) -> dict[str, Any]:
    return {"number": uuid.uuid4().hex, "total": "9.50", **values}
