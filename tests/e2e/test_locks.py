"""Locks of an application: over HTTP, on the command line, in the container."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from dependency_injector import providers
from sqlmodel import Field, SQLModel

from fastapi_easy.application import Context
from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, Outcome, Success
from fastapi_easy.domain.ports import UnitOfWork
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore
from fastapi_easy.settings import Settings
from tests.e2e.commands import PATIENCE
from tests.forked import run_command

PROGRAM = """
from sqlmodel import Field, SQLModel

from fastapi_easy.container import Container, resource


class Invoice(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)


class Shop(Container):
    invoices = resource(Invoice)
"""


class Parcel(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)


@dataclass(frozen=True)
class SendParcel:
    """Send it, once at a time."""

    async def perform(self, key: Any, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        async with shop_of_the_moment.locks().hold(f"parcel:{key}", wait=0):
            return Success(None)


class Post(Container):
    parcels = resource(Parcel, actions=[SendParcel])


shop_of_the_moment: Any = None


def settings_on(folder, **others):
    return Settings(databases={"default": {"url": f"sqlite:///{folder / 'shop.sqlite3'}"}}, **others)


async def test_an_action_that_finds_a_lock_held_is_answered_409(tmp_path, monkeypatch):
    post: Any = Post(settings=settings_on(tmp_path))
    monkeypatch.setitem(globals(), "shop_of_the_moment", post)
    app = create_app(post)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as client,
    ):
        _ = await client.post("/parcels", json={})
        gate = asyncio.Event()

        async def hold_on():
            async with post.locks().hold("parcel:1"):
                gate.set()
                await asyncio.sleep(30)

        holder = asyncio.create_task(hold_on())
        await gate.wait()
        refused = await client.post("/parcels/1/send", json={})
        holder.cancel()
        _ = await asyncio.gather(holder, return_exceptions=True)
        sent = await client.post("/parcels/1/send", json={})

    assert (refused.status_code, refused.json()["code"]) == (409, "lock_held")
    assert int(refused.headers["retry-after"]) >= 1
    assert sent.is_success


@dataclass(frozen=True)
class WeighParcel:
    """Commit something under a lock that is evicted then, or before."""

    is_late: bool

    async def perform(self, key: Any, work: UnitOfWork, context: Context, /) -> Outcome[Any]:
        post = shop_of_the_moment
        async with post.locks().hold("scales") as lease, post.parcels.unit_of_work() as own:
            _ = await own.repository("parcels").add({})
            if self.is_late:
                _ = (await own.commit()).unwrap()
            _ = await post.locks().evict("scales", token=lease.token, reason="a test")
            _ = await lease.renew()
            await asyncio.sleep(0)
            return Success(None)


async def test_an_action_that_loses_its_lock_says_whether_it_may_have_changed_something(
    tmp_path, monkeypatch
):
    class WeighingPost(Container):
        parcels = resource(Parcel, actions=[WeighParcel])

    make: Any = WeighingPost
    # Elsewhere than the data: the transaction that is open has the file of SQLite.
    post = make(settings=settings_on(tmp_path, locks={"url": "memory://"}))
    monkeypatch.setitem(globals(), "shop_of_the_moment", post)
    app = create_app(post)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as client,
    ):
        _ = await client.post("/parcels", json={})
        early = await client.post("/parcels/1/weigh", json={"is_late": False})
        late = await client.post("/parcels/1/weigh", json={"is_late": True})
        there = (await client.get("/parcels/count")).json()

    assert (early.status_code, early.json()["code"]) == (503, "lock_lost")
    assert (late.status_code, late.json()["code"]) == (503, "outcome_unknown")
    assert "retry-after" not in late.headers
    assert there == {"count": 2}


async def test_the_command_line_lists_and_evicts_what_another_process_holds(tmp_path):
    (tmp_path / "shop.py").write_text(PROGRAM)
    post: Any = Post(settings=settings_on(tmp_path))
    environment = {
        "FASTAPI_EASY_DATABASES__DEFAULT__URL": f"sqlite:///{tmp_path / 'shop.sqlite3'}",
    }

    async def call(*words):
        return await asyncio.to_thread(run_command, ["locks", *words], tmp_path, environment, PATIENCE)

    async with open_kernel(post), post.locks().hold("invoice:42", ttl=1.5, on_lost="event") as lease:
        listed = await call("list", "shop:Shop", "invoice", "--json")
        wrong = await call("evict", "shop:Shop", "invoice:42", "--token", "1", "--reason", "test")
        evicted = await call(
            "evict", "shop:Shop", "invoice:42", "--token", str(lease.token), "--reason", "test"
        )
        async with asyncio.timeout(30):
            await lease.lost.wait()

    (held,) = json.loads(listed.stdout)
    assert (held["name"], held["token"]) == ("invoice:42", lease.token)
    assert (wrong.returncode, evicted.returncode) == (1, 0), evicted.stderr
    assert evicted.stdout == "invoice:42 was evicted.\n"


async def test_locks_in_the_place_of_others_are_used_from_the_next_call_on(tmp_path):
    post: Any = Post(settings=settings_on(tmp_path))
    other = LockManager(MemoryLeaseStore(SystemClock()), SystemClock())
    async with open_kernel(post):
        with post.locks.override(providers.Object(other)):
            async with post.locks().hold("x"):
                assert [each.name for each in (await other.inspect()).unwrap()] == ["x"]
        async with post.locks().hold("x"):
            assert (await other.inspect()).unwrap() == []
    await other.aclose()


def test_a_lease_store_is_given_by_name(tmp_path):
    post: Any = Post(settings=settings_on(tmp_path), lease_store=MemoryLeaseStore(SystemClock()))

    assert post.locks().capabilities == MemoryLeaseStore.capabilities


def test_what_the_store_lacks_and_the_settings_require_is_refused_at_start(tmp_path):
    post: Any = Post(settings=settings_on(tmp_path, locks={"requires": ["cross_host", "fencing"]}))

    with pytest.raises(DeclarationError, match="locks in sqlite cannot do cross_host"):
        create_app(post)


def test_an_unknown_lease_store_is_an_error_at_start(tmp_path):
    post: Any = Post(settings=settings_on(tmp_path, locks={"url": "etcd://host"}))

    with pytest.raises(DeclarationError, match="etcd"):
        create_app(post)
