"""A shop whose changes, reads and refusals are audited, in the classes of every store."""

import datetime
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel
from pydantic import Field as PydanticField
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.application import Context
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import EVERY_OPERATION, Key, Outcome, Patch, Principal
from fastapi_easy.domain.audit.entry import AuditEntry
from fastapi_easy.domain.audit.sealing import open_entry
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.domain.resources.recording import Audit
from fastapi_easy.settings import Settings
from tests.e2e.stores import MONGO, empty_store

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
PERSONAL_KEY = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="

ADA = Context(principal=Principal(id="ada"), correlation_id="call-1")


@dataclass(frozen=True)
class ReduceGood:
    """Lower the price of a good, and count it as the system."""

    to: str

    async def perform(self, key: Key, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        _ = await work.as_system().repository("notes").add({"id": key, "text": "reduced"})
        return await work.repository("goods").update(key, Patch({"price": Decimal(self.to)}))


class SqlGood(SQLModel, table=True):
    __tablename__ = "audited_good"
    id: int = Column(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Column(max_length=40)
    price: Decimal = Column(max_digits=10, decimal_places=2)
    pin: str = Column(default="", max_length=200)
    deleted_at: datetime.datetime | None = Column(default=None)


class SqlNote(SQLModel, table=True):
    __tablename__ = "audited_note"
    id: int = Column(primary_key=True, sa_column_kwargs={"autoincrement": False})
    text: str = Column(max_length=40)


class SqlPerson(SQLModel, table=True):
    __tablename__ = "audited_person"
    id: int = Column(primary_key=True, sa_column_kwargs={"autoincrement": False})
    email: str = Column(max_length=100)
    city: str = Column(default="", max_length=40)


class Good(BaseModel):
    id: int
    name: str
    price: Annotated[Decimal, PydanticField(max_digits=10, decimal_places=2)]
    pin: str = ""
    deleted_at: datetime.datetime | None = None


class Note(BaseModel):
    id: int
    text: str


class Person(BaseModel):
    id: int
    email: str
    city: str = ""


def _declared(good: type[Any], note: type[Any], person: type[Any]) -> dict[str, Any]:
    return {
        "goods": resource(
            good,
            operations=EVERY_OPERATION,
            soft_delete="deleted_at",
            audit=Audit(fields=["name", "price"]),
            actions=[ReduceGood],
        ),
        "notes": resource(note, audit=True),
        "people": resource(person, audit=Audit(personal=["email"], reads=True)),
    }


SqlShop = type("SqlShop", (Container,), _declared(SqlGood, SqlNote, SqlPerson))
PlainShop = type("PlainShop", (Container,), _declared(Good, Note, Person))


def make_shop(store: str, url: str, **overriding: Any) -> Any:
    settings = Settings(
        databases={"default": {"url": url}}, audit={"keys": {"k1": KEY}, "personal_key": PERSONAL_KEY}
    )
    kind: Any = PlainShop if store == MONGO else SqlShop
    return kind(settings=settings, **overriding)


@asynccontextmanager
async def audited_shop(store: str, folder: Path, **overriding: Any) -> AsyncIterator[tuple[Any, Any]]:
    """A shop on *store*, and its kernel."""
    with empty_store(store, folder) as url:
        shop = make_shop(store, url, **overriding)
        async with open_kernel(shop) as kernel:
            yield shop, kernel.acting_as(ADA.principal, correlation_id=ADA.correlation_id)


async def entries_of(shop: Any, *, stream: str | None = None) -> Sequence[AuditEntry]:
    """Every entry of *shop*, or those of one stream, by time."""
    sink = shop.audit_trail().sinks["default"]
    found = []
    for head in (await sink.heads()).unwrap():
        if stream in {None, head.stream}:
            stored = (await sink.read(head.stream, 0, 10_000)).unwrap()
            found += [open_entry(each.sealed.body) for each in stored]
    return [each.entry for each in sorted(found, key=lambda each: (each.entry.occurred_at, each.seq))]
