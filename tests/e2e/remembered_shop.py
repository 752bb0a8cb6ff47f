"""A shop that remembers what its entities were, with rules about who may know of it."""

import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2
from fastapi import Request
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import EVERY_OPERATION, Cache, Fields, Principal, QueryRules
from fastapi_easy.domain.resources.recording import Audit
from fastapi_easy.policies import Where, allow, principal
from fastapi_easy.settings import Settings
from fastapi_easy.testing import FrozenClock
from tests.e2e.audited_shop import KEY, PERSONAL_KEY
from tests.e2e.serving import client_of


class Account(SQLModel, table=True):
    __tablename__ = "remembered_account"
    id: int | None = Column(default=None, primary_key=True)
    owner_id: str = Column(max_length=20)
    email: str = Column(default="", max_length=60)
    balance: Decimal = Column(default=Decimal(0), max_digits=8, decimal_places=2)
    rating: int = 0
    pin: str = Column(default="", max_length=20)


class Parcel(SQLModel, table=True):
    __tablename__ = "remembered_parcel"
    id: int | None = Column(default=None, primary_key=True)
    org: str = Column(max_length=20)
    weight: int = 0
    place: str | None = Column(default=None, max_length=20)
    deleted_at: datetime.datetime | None = Column(default=None)


class Note(SQLModel, table=True):
    __tablename__ = "remembered_note"
    id: int | None = Column(default=None, primary_key=True)
    text: str = Column(max_length=40)


ACCOUNT_RULES = [
    allow(
        "*", to="owner", rows=Where("owner_id") == principal.id, fields=["id", "owner_id", "email", "balance"]
    ),
    allow("read", to="reader"),
    allow("*", to="admin"),
]


class Shop(Container):
    accounts = resource(
        Account,
        audit=Audit(personal=["email"]),
        fields=Fields(hidden=["pin"]),
        policy=ACCOUNT_RULES,
    )
    parcels = resource(
        Parcel,
        audit=True,
        tenant="org",
        fields=Fields(hidden=["org"]),
        soft_delete="deleted_at",
        cache=Cache(),
        operations=(*EVERY_OPERATION, "purge"),
        query=QueryRules(limit=2, max_limit=5),
        policy=[allow("*", to="owner")],
    )
    notes = resource(Note, policy=[allow("*", to="owner")])


@dataclass(frozen=True)
class Remembered:
    """An open shop.

    Attributes:
        shop: The container.

        client: Talks to it.

        clock: Its clock.
    """

    shop: Any
    client: httpx2.AsyncClient
    clock: FrozenClock

    def now(self) -> str:
        """The time of the clock as it is written in a query, which then moves on by a minute."""
        moment = self.clock.now()
        self.clock.advance(60)
        return moment.isoformat().replace("+00:00", "Z")

    async def do(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Make a change as *who*, which succeeds and takes a minute."""
        answer = await self.client.request(method, path, json=body, headers={**called(who), **headers})
        assert answer.is_success, answer.text
        self.clock.advance(60)
        return answer.json() if answer.content else None

    async def ask(self, who: str, path: str) -> httpx2.Response:
        """Read as *who*."""
        return await self.client.get(path, headers=called(who))

    async def told(self, who: str, path: str) -> list[tuple[str, str, Any]]:
        """Who did what, the newest first, as *who* is told."""
        answer = await self.ask(who, path)
        assert answer.status_code == 200, answer.text
        return [(each["actor"], each["action"], each["changes"]) for each in answer.json()["items"]]


def called(who: str) -> dict[str, str]:
    """The headers of `admin:ann`, or of `owner:ann@acme`."""
    role, _, name = who.partition(":")
    name, _, tenant = name.partition("@")
    return {"x-role": role, "x-user": name, "x-tenant": tenant}


def caller_of(request: Request) -> Principal:
    headers = request.headers
    role, tenant = headers.get("x-role", ""), headers.get("x-tenant", "")
    return Principal(
        id=headers.get("x-user", ""), roles=frozenset({role} if role else ()), tenant=tenant or None
    )


@asynccontextmanager
async def remembered(url: str, kind: type[Any] = Shop, **audit: Any) -> AsyncIterator[Remembered]:
    """A shop of *kind* in the database at *url*."""
    clock = FrozenClock()
    settings = Settings.model_validate(
        {
            "databases": {"default": {"url": url, "migrations": "auto"}},
            "audit": {"keys": {"k1": KEY}, "personal_key": PERSONAL_KEY, **audit},
        }
    )
    shop = kind(settings=settings, clock=clock)
    async with client_of(create_app(shop, principal=caller_of)) as client:
        yield Remembered(shop, client, clock)
