"""Answers are kept for those who may see them, made once for all who ask at once, and never in anybody's way."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from dependency_injector import providers
from pydantic import SecretStr

from fastapi_easy.application import NOBODY, Context, ListEntities
from fastapi_easy.application.caching.cached_handler import CachedHandler
from fastapi_easy.application.resources.list_entities import ListEntitiesHandler
from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import (
    Cache,
    DeadlineExceeded,
    DeclarationError,
    Failure,
    Fields,
    Grant,
    Operator,
    Outcome,
    Page,
    Principal,
    Query,
    Resource,
    Row,
    Tenant,
    Unavailable,
    Where,
)
from fastapi_easy.domain.ports import Permissions
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.domain.scoped_repository import ScopedRepository
from fastapi_easy.infrastructure.caching.redis import RedisResultCache
from fastapi_easy.infrastructure.resilience.circuit_breaker import BreakerLimits, CircuitBreaker
from fastapi_easy.settings import Settings
from tests.e2e.cached_library import CountingCache, Process, fill, library_of, processes, started
from tests.e2e.serving import client_of
from tests.e2e.stores import empty_store
from tests.e2e.wiretap import overheard
from tests.services.wanted import empty_database
from tests.wire import wired


class SlowRepository(ScopedRepository[Any]):
    """Answers a list when it is told to, with what it had read before."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner, Everything())
        self.has_read = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.selects = 0

    async def select(self, query: Query) -> Outcome[Page[Row]]:
        self.selects += 1
        found = await super().select(query)
        self.has_read.set()
        await self.may_answer.wait()
        return found


@asynccontextmanager
async def library(folder: Path, **options: Any) -> AsyncIterator[Process]:
    """One process in memory, filled, with nothing counted yet."""
    async with processes("memory", folder, **options) as ([process], _):
        await fill(process.kernel)
        yield process


@asynccontextmanager
async def slowed(process: Process) -> AsyncIterator[SlowRepository]:
    slow = SlowRepository(process.container.books.repository())
    with process.container.books.repository.override(providers.Object(slow)):
        yield slow


async def test_what_was_read_before_a_commit_is_not_kept_beyond_it(tmp_path: Path) -> None:
    async with library(tmp_path) as process:
        async with slowed(process) as slow:
            late = asyncio.ensure_future(process.kernel.books.list())
            await slow.has_read.wait()
            _ = (await process.kernel.books.update(1, {"title": "new"})).unwrap()
            fresh = asyncio.ensure_future(process.kernel.books.list())
            slow.has_read.clear()
            await slow.has_read.wait()
            slow.may_answer.set()
            old, new = (await late).unwrap(), (await fresh).unwrap()

        again = (await process.kernel.books.list()).unwrap()

    assert [page.items[0]["title"] for page in (old, new, again)] == ["Book 0", "new", "new"]
    assert process.cache.hits == 1


async def test_many_who_ask_at_once_are_answered_by_one_execution(tmp_path: Path) -> None:
    with empty_store("sqlite", tmp_path) as url:
        async with overheard(url) as (address, said), started("sqlite", address) as process:
            await fill(process.kernel)
            said.clear()

            pages = await asyncio.gather(
                *(process.kernel.books.list(sort="-price", limit=2) for _ in range(50))
            )

            assert sum("FROM cached_book" in each for each in said) == 1
    assert len({repr(page) for page in pages}) == 1
    # Rows can be changed, so that each caller has rows of their own.
    assert len({id(page.unwrap().items[0]) for page in pages}) == 50


async def test_a_caller_who_goes_away_takes_nobodys_answer_along(tmp_path: Path) -> None:
    async with library(tmp_path) as process, slowed(process) as slow:
        first = asyncio.ensure_future(process.kernel.books.list())
        await slow.has_read.wait()
        second = asyncio.ensure_future(process.kernel.books.list())
        await asyncio.sleep(0)
        _ = first.cancel()
        with pytest.raises(asyncio.CancelledError):
            _ = await first
        slow.may_answer.set()

        page = (await second).unwrap()

        assert (len(page.items), slow.selects) == (3, 1)


async def test_a_caller_waits_for_the_execution_of_another_until_their_own_deadline(tmp_path: Path) -> None:
    async with library(tmp_path) as process, slowed(process) as slow:
        first = asyncio.ensure_future(process.kernel.books.list())
        await slow.has_read.wait()

        hasty = await process.kernel.acting_as(timeout=0.05).books.list()

        slow.may_answer.set()
        assert len((await first).unwrap().items) == 3
    assert hasty == Failure(DeadlineExceeded("default"))


async def test_failures_are_given_to_all_who_wait_and_to_nobody_else(tmp_path: Path) -> None:
    class Broken(SlowRepository):
        async def select(self, query: Query) -> Outcome[Page[Row]]:
            self.selects += 1
            return Failure(Unavailable("default"))

    async with library(tmp_path) as process:
        broken = Broken(process.container.books.repository())
        with process.container.books.repository.override(providers.Object(broken)):
            failed = await process.kernel.acting_as(timeout=0.5).books.list()
        healed = await process.kernel.books.list()

    assert isinstance(failed, Failure)
    assert len(healed.unwrap().items) == 3


async def test_an_overriding_cache_is_used_at_once_and_no_longer(tmp_path: Path) -> None:
    async with library(tmp_path) as process:
        other = CountingCache()
        _ = await process.kernel.books.count()
        with process.container.result_cache.override(providers.Object(other)):
            _ = await process.kernel.books.count()
            _ = await process.kernel.books.count()
        _ = await process.kernel.books.count()

    assert (process.cache.hits, other.hits) == (1, 1)


class Damaged(CountingCache):
    """Returns what nobody has written."""

    damage = b""

    async def get(self, key: str) -> bytes | None:
        return self.damage


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"null",
        b"[1]",
        b"\xff\x00",
        b'[{"fields":["id"],"columns":[["!",[1]]],"length":1},null,null]',
        b'[{"fields":["id"],"columns":[["",[1,2]]],"length":1},null,null]',
        b'[{"fields":["price"],"columns":[["d",["x"]]],"length":1},null,null]',
        b'[{"fields":["title"],"columns":[["e",["x"]]],"length":1},null,null]',
        b"[" * 100_000,
    ],
    ids=["empty", "null", "short", "bytes", "code", "length", "digits", "member", "deep"],
)
async def test_what_a_cache_holds_that_is_no_answer_is_a_miss(damage: bytes, tmp_path: Path) -> None:
    cache = Damaged()
    cache.damage = damage
    async with library(tmp_path, result_cache=providers.Object(cache)) as process:
        page = (await process.kernel.books.list()).unwrap()

    assert [row["id"] for row in page.items] == [1, 2, 3]


class Shelves:
    """Implements `Policy`: readers see cheap books without their prices, owners all."""

    async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
        return _Shelf(principal)


class _Shelf:
    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    def grant(self, resource: Resource[Any], action: str, /) -> Grant | None:
        if "owner" in self._principal.roles:
            return Grant()
        if "reader" not in self._principal.roles:
            return None
        if resource.name == "authors":
            return Grant(rows=Where("country", Operator.EQUALS, self._principal.claims["country"]))
        return Grant(
            rows=Where("price", Operator.LESS, Decimal(8)), readable=frozenset({"title", "author_id"})
        )


def reader(name: str, country: str) -> Principal:
    return Principal(id=name, roles=frozenset({"reader"}), claims={"country": country})


async def test_answers_are_shared_by_those_who_may_see_the_same_and_by_nobody_else(tmp_path: Path) -> None:
    callers = [
        Principal(id="root", roles=frozenset({"owner"})),
        reader("ann", "GB"),
        reader("ben", "FR"),
        reader("cleo", "GB"),
        Principal(id="nobody"),
    ]
    async with processes("memory", tmp_path, policy=providers.Object(Shelves())) as ([process], plain):
        await fill(process.kernel.acting_as(callers[0]))
        for _ in range(2):
            for caller in callers:
                for ask in _QUESTIONS:
                    kept = await ask(process.kernel.acting_as(caller))
                    true = await ask(plain.kernel.acting_as(caller))
                    assert repr(kept) == repr(true), caller.id
        shared = process.cache.hits

    # In the first round Cleo finds everything that Ann was answered, and Ben what does not depend on authors.
    assert shared == len(_QUESTIONS) + _WITHOUT_AUTHORS + 4 * len(_QUESTIONS)


_QUESTIONS: list[Callable[[Any], Awaitable[Any]]] = [
    lambda kernel: kernel.books.list(),
    lambda kernel: kernel.books.get(1),
    lambda kernel: kernel.books.count(),
    lambda kernel: kernel.books.list(include="author"),
    lambda kernel: kernel.books.count(author__country="FR"),
]
_WITHOUT_AUTHORS = 3


async def test_the_permissions_that_a_key_is_made_from_are_those_of_the_answer(tmp_path: Path) -> None:
    class Promoting:
        """Implements `Policy`: sees in the caller an owner from the second question on."""

        asked = 0

        async def permissions(self, principal: Principal, tenant: Tenant | None, /) -> Permissions:
            self.asked += 1
            return _Shelf(reader("ann", "GB") if self.asked == 1 else principal)

    async with library(tmp_path) as process:
        policy = Promoting()
        with process.container.policy.override(providers.Object(policy)):
            page = (await process.kernel.books.list()).unwrap()

    assert policy.asked == 1
    assert [row["title"] for row in page.items] == ["Book 0", "Book 1"]
    assert "price" not in page.items[0]


@dataclass
class TenantNote:
    text: str
    org_id: int
    id: int | None = None


async def test_tenants_share_no_answers_and_end_none_of_each_other(tmp_path: Path) -> None:
    class Notes(Container):
        notes = resource(TenantNote, tenant="org_id", cache=Cache(seconds=60))

    cache = CountingCache()
    kind: Any = Notes
    settings = Settings.model_validate({"databases": {"default": {"url": "memory://"}}})
    async with open_kernel(kind(settings=settings, result_cache=providers.Object(cache))) as kernel:
        one, same, other, none = (
            cast("Any", kernel.acting_as(tenant=tenant)) for tenant in ("7", "007", "8", None)
        )

        async def texts(of: Any) -> list[str]:
            return [row["text"] for row in (await of.notes.list()).unwrap().items]

        _ = (await one.notes.create({"text": "first"})).unwrap()
        assert [await texts(each) for each in (one, same, other, none)] == [["first"], ["first"], [], []]
        _ = (await one.notes.create({"text": "second"})).unwrap()
        # Another spelling of the same tenant sees it at once; nobody else has to read again.
        before = cache.hits
        assert [await texts(each) for each in (same, other, one)] == [
            ["first", "second"],
            [],
            ["first", "second"],
        ]
        assert cache.hits == before + 1
        async with kernel.unit_of_work() as work:
            notes = work.as_system().repository("notes")
            _ = (await notes.add({"text": "the system's", "org_id": 8})).unwrap()
            _ = (await work.commit()).unwrap()
        assert await texts(other) == ["the system's"]


@dataclass
class Account:
    iban: str
    bank: str
    id: int | None = None


async def test_decrypted_values_are_never_kept(tmp_path: Path) -> None:
    class Bank(Container):
        accounts = resource(Account, fields=Fields(secret=["iban"]), cache=Cache(seconds=60))

    cache = CountingCache()
    kind: Any = Bank
    settings = Settings.model_validate(
        {
            "databases": {"default": {"url": "memory://"}},
            "encryption": {"keys": {"k1": b64encode(bytes(range(32))).decode()}, "current": "k1"},
        }
    )
    async with open_kernel(kind(settings=settings, result_cache=providers.Object(cache))) as kernel:
        bank: Any = kernel
        _ = (await bank.accounts.create({"iban": "DE89", "bank": "B"})).unwrap()
        for _ in range(2):
            assert (await bank.accounts.list()).unwrap().items[0]["iban"] == "DE89"

    assert (len(cache), cache.hits) == (0, 0)


async def test_requests_are_answered_from_the_cache_byte_for_byte_and_privately(tmp_path: Path) -> None:
    cache = CountingCache()
    settings = Settings.model_validate({"databases": {"default": {"url": f"sqlite:///{tmp_path / 'a.db'}"}}})
    kind: Any = library_of("sqlite", Cache(seconds=60))
    async with client_of(create_app(kind(settings=settings, result_cache=providers.Object(cache)))) as client:
        _ = await client.post("/authors", json={"name": "Jane", "country": "GB"})
        _ = await client.post("/books", json={"title": "Emma", "price": "9.50", "author_id": 1})
        for path in ("/books", "/books/1", "/books?include=author", "/books/count"):
            first, second = await client.get(path), await client.get(path)
            assert (first.content, first.status_code) == (second.content, second.status_code)
            assert first.headers.get("etag") == second.headers.get("etag")
            assert "public" not in second.headers.get("cache-control", "")
        missing = [(await client.get("/books/404")).status_code for _ in range(2)]
        tag = (await client.get("/books/1")).headers["etag"]
        unchanged = await client.get("/books/1", headers={"if-none-match": tag})
        changed = await client.patch("/books/1", json={"price": "8.00"}, headers={"if-match": tag})
        after = await client.get("/books/1", headers={"if-none-match": tag})

    assert (cache.hits, missing) == (7, [404, 404])
    assert (unchanged.status_code, changed.status_code, after.status_code) == (304, 200, 200)
    assert after.json()["price"] == "8.00"
    assert after.headers["etag"] == changed.headers["etag"]
    assert unchanged.headers["cache-control"] == "private, no-cache"


async def test_processes_share_answers_in_redis(tmp_path: Path) -> None:
    with empty_database("redis") as redis, empty_store("sqlite", tmp_path) as url:
        patient = [
            RedisResultCache(redis, CircuitBreaker(BreakerLimits()), timeout=_PATIENT) for _ in range(2)
        ]
        async with (
            started("sqlite", url, result_cache=providers.Object(patient[0])) as one,
            started("sqlite", url, result_cache=providers.Object(patient[1])) as two,
        ):
            await fill(one.kernel)
            first = repr(await one.kernel.books.list())
            # It could not answer by itself.
            with two.container.books.repository.override(providers.Object(None)):
                assert repr(await two.kernel.books.list()) == first
            _ = (await two.kernel.books.update(1, {"title": "new"})).unwrap()
            assert (await one.kernel.books.list()).unwrap().items[0]["title"] == "new"


async def test_answers_go_on_when_redis_is_gone(tmp_path: Path) -> None:
    with empty_database("redis") as redis, empty_store("sqlite", tmp_path) as url:
        async with wired(redis) as (address, wire):
            settings = Settings.model_validate(
                {"databases": {"default": {"url": url}}, "cache": {"url": address}}
            )
            kind: Any = library_of("sqlite", Cache(seconds=60))
            async with open_kernel(kind(settings=settings)) as kernel:
                shop: Any = kernel
                await fill(shop)
                _ = (await shop.books.list()).unwrap()
                wire.is_black = True
                wire.reset()
                for number in range(15):
                    _ = (await shop.books.update(1, {"title": f"Book {number}"})).unwrap()
                    assert (await shop.books.list()).unwrap().items[0]["title"] == f"Book {number}"
                wire.is_black = False
                wire.refuse()
                assert (await shop.books.count()).unwrap() == 3


_PATIENT = 10.0
"""Seconds to wait for an answer of Redis, on a machine that has much else to do."""


async def test_resources_without_a_cache_are_as_they_were(tmp_path: Path) -> None:
    with empty_store("sqlite", tmp_path) as url:
        async with overheard(url) as (address, said), started("sqlite", address) as process:
            shop = process.container
            assert type(shop.authors.list()) is ListEntitiesHandler
            assert type(shop.books.list()) is CachedHandler
            await fill(process.kernel)
            said.clear()

            _ = (await process.kernel.authors.list()).unwrap()

            assert len(said) == 1
    (tmp_path / "plain").mkdir()
    with empty_store("sqlite", tmp_path / "plain") as url:
        async with overheard(url) as (address, said), started("sqlite", address, cached=False) as process:
            assert process.container.caching is None
            await fill(process.kernel)
            said.clear()
            _ = (await process.kernel.authors.create({"name": "One", "country": "FR"})).unwrap()
            assert len(said) == 1


async def test_a_stand_alone_mongodb_is_refused_at_start() -> None:
    with empty_database("mongo_alone") as url, pytest.raises(DeclarationError, match="replica set"):
        async with started("mongo", url):
            pass


def test_what_cannot_be_is_said_before_a_start(tmp_path: Path) -> None:
    database = {"databases": {"default": {"url": f"sqlite:///{tmp_path / 'a.db'}"}}}

    def create(kind: Any, **settings: Any) -> Any:
        return create_app(kind(settings=Settings.model_validate({**database, **settings})))

    with pytest.raises(DeclarationError, match=r"cache\.seconds is 0"):
        create(library_of("sqlite", Cache(seconds=0)))
    with pytest.raises(DeclarationError, match=r"cache\.url"):
        create(library_of("sqlite", Cache()), cache={"url": "ftp://somewhere"})
    create(library_of("sqlite", None), cache={"url": SecretStr("ftp://somewhere")})


async def test_a_file_declares_it_as_a_class_does(tmp_path: Path) -> None:
    class Written(Container):
        pass

    settings = Settings.model_validate(
        {
            "databases": {"default": {"url": "memory://"}},
            "resources": {
                "notes": {"entity": "tests.e2e.cached_library:NoteDocument", "cache": {"seconds": 5}},
            },
        }
    )
    cache = CountingCache()
    kind: Any = Written
    async with open_kernel(kind(settings=settings, result_cache=providers.Object(cache))) as kernel:
        notes: Any = kernel.use_cases("notes")
        for _ in range(2):
            _ = (await notes.list(ListEntities(Query()), NOBODY)).unwrap()
        _ = (await notes.list(ListEntities(Query()), Context(tenant="other"))).unwrap()

    assert cache.hits == 1
