"""The program of a chaos run, as `fastapi-easy run tests.faults.chaos.shop:app` serves it.

It has the same three resources on each store that `CHAOS_STORES` names: articles whose changes are published, counters,
and a mark for each increment of a counter, written in its transaction.
"""

import os
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlmodel import Field, SQLModel

from fastapi_easy.application import Context
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Failure, Outcome, Patch, Success
from fastapi_easy.domain.ports import UnitOfWork
from tests.faults.chaos.file_broker import FileBroker
from tests.faults.chaos.variables import STORES

LEASE = 3.0
"""Seconds after which the lease of a worker that was killed or stopped expires."""


class Article(SQLModel, table=True):
    """Nothing keeps two from having one name: a write that was made twice is two rows."""

    __tablename__ = "chaos_articles"
    # Else a key that was deleted is given again, and the events of two articles look like those of one.
    __table_args__ = {"sqlite_autoincrement": True}
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, index=True)
    note: str = Field(default="", max_length=80)
    amount: int = 0
    version: int = 1


class Counter(SQLModel, table=True):
    __tablename__ = "chaos_counters"
    id: int | None = Field(default=None, primary_key=True)
    value: int = 0


class Mark(SQLModel, table=True):
    __tablename__ = "chaos_marks"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    counter: int


class ArticleDocument(BaseModel):
    __collection__ = "chaos_articles"
    id: int | None = None
    name: str
    note: str = ""
    amount: int = 0
    version: int = 1


class CounterDocument(BaseModel):
    __collection__ = "chaos_counters"
    id: int | None = None
    value: int = 0


class MarkDocument(BaseModel):
    __collection__ = "chaos_marks"
    id: int | None = None
    name: str
    counter: int


def increment_in(store: str) -> type[Any]:
    """The action that counts on *store*, as only one may at a time."""

    @dataclass(frozen=True)
    class IncrementCounter:
        """Count up by one, under a lease that the transaction is bound to."""

        mark: str
        action_name = "increment"

        async def perform(self, key: Any, _: UnitOfWork, context: Context, /) -> Outcome[Any]:
            counters: Any = getattr(shop, f"{store}_counters")
            async with (
                shop.locks().hold(f"{store}:{key}", ttl=LEASE, wait=2 * LEASE) as lease,
                counters.unit_of_work() as work,
            ):
                work.bind(lease)
                guarded = await lease.guard(work)
                if isinstance(guarded, Failure):
                    return guarded
                return await _count(work, store, key, self.mark)

    return IncrementCounter


async def _count(work: UnitOfWork, store: str, key: Any, mark: str) -> Outcome[Any]:
    counters = work.repository(f"{store}_counters")
    found = await counters.read(key)
    if isinstance(found, Failure):
        return found
    value = found.unwrap()["value"] + 1
    for written in (
        await counters.update(key, Patch({"value": value})),
        await work.repository(f"{store}_marks").add({"name": mark, "counter": key}),
    ):
        if isinstance(written, Failure):
            return written
    committed = await work.commit()
    return committed if isinstance(committed, Failure) else Success({"counted": value})


def _resources(store: str) -> dict[str, Any]:
    is_document = store == "mongo"
    article: Any = ArticleDocument if is_document else Article
    counter: Any = CounterDocument if is_document else Counter
    mark: Any = MarkDocument if is_document else Mark
    return {
        f"{store}_articles": resource(article, version="version", events=True, database=store),
        f"{store}_counters": resource(counter, database=store, actions=[increment_in(store)]),
        f"{store}_marks": resource(mark, database=store),
    }


_declared = {
    name: each
    for store in os.environ.get(STORES, "sqlite").split(",")
    for name, each in _resources(store).items()
}
_make: Any = type(Container)
Shop: Any = _make("Shop", (Container,), {"__module__": __name__, **_declared})
shop: Any = Shop(broker=FileBroker.of_environment())
app = create_app(shop)
