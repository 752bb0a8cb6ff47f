"""Every change of a resource with events leaves a message in the outbox, in the transaction of the change."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from dependency_injector import providers
from opentelemetry.sdk.trace import TracerProvider
from pydantic import BaseModel
from sqlalchemy import JSON
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.application import (
    ApplyBulk,
    Create,
    CreateEntity,
    DeleteEntity,
    PerformAction,
    UpdateEntity,
)
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, DomainEvent, Failure, Patch
from fastapi_easy.domain.outbox.tables import OUTBOX
from fastapi_easy.domain.resources.recording import Events
from fastapi_easy.infrastructure.observation.open_telemetry import OpenTelemetryTracer
from fastapi_easy.infrastructure.persistence.memory import MemoryRepository, MemoryUnitOfWork
from fastapi_easy.infrastructure.security.argon2 import Argon2PasswordHasher
from fastapi_easy.migrations import open_migrations
from fastapi_easy.settings import Settings
from tests.e2e.outbox_shop import messages_of, published, publishing
from tests.e2e.recorded_shop import ADA, STORES, RelabelBook, Shop, SqlBook, TwoRows, book
from tests.e2e.recorded_shop import OUTBOX as OWN
from tests.e2e.secret_customers import SECRET, Customer, settings
from tests.e2e.stores import empty_store
from tests.e2e.wiretap import overheard


@pytest.fixture(params=STORES)
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    async with published(request.param, tmp_path) as opened:
        yield opened


async def test_every_way_of_writing_leaves_a_message(shop: Shop) -> None:
    told: list[DomainEvent] = []

    async def tell(event: DomainEvent) -> None:
        told.append(event)

    shop.container.event_bus().subscribe(DomainEvent, tell)
    values = book()
    key = (await shop.books.create(CreateEntity(values), ADA)).unwrap().id
    _ = (await shop.books.update(UpdateEntity(key, Patch({"title": "Persuasion"})), ADA)).unwrap()
    _ = (await shop.books.actions["relabel"](PerformAction(key, RelabelBook("Emma")), ADA)).unwrap()
    _ = (await shop.books.bulk(ApplyBulk([Create(book()), Create(book())]), ADA)).unwrap()
    _ = (await shop.books.delete(DeleteEntity(key), ADA)).unwrap()
    # What is refused is not told of, nor what is rolled back.
    assert isinstance(await shop.books.update(UpdateEntity(404, Patch({"title": "x"})), ADA), Failure)
    async with shop.container.unit_of_work(ADA) as work:
        _ = (await work.repository("books").add(values)).unwrap()

    found = {each.id: each for each in await messages_of(shop)}
    assert len(found) == len(told) == 6
    of_one = [found[each.id] for each in told if each.key == key]
    assert [each.verb for each in of_one] == ["created", "updated", "updated", "deleted"]
    assert [each.version for each in of_one] == ["1", "2", "3", None]
    assert [each.number for each in of_one] == sorted({each.number for each in of_one})
    assert len({each.entity for each in of_one}) == 1
    assert len({each.entity for each in found.values()}) == 3
    first, second = of_one[:2]
    assert first.values == {"id": key, **values, "price": "9.50", "note": "hidden", "version": 1}
    assert (second.values or {})["title"] == "Persuasion"
    assert (first.changed, second.changed, of_one[-1].values) == ((), ("title",), None)
    assert {(each.actor, each.tenant, each.correlation_id) for each in of_one} == {("ada", "acme", "call-1")}


async def test_other_resources_of_the_same_application_leave_none(shop: Shop) -> None:
    quiet = shop.container.kernel().use_cases("quiet")

    _ = (await quiet.create(CreateEntity(book()), ADA)).unwrap()

    assert await messages_of(shop) == []


async def test_on_postgres_a_change_and_its_message_are_one_statement(tmp_path: Path) -> None:
    with empty_store("postgres", tmp_path) as own:
        async with overheard(own) as (url, said), published("postgres", tmp_path, url) as shop:
            key = (await shop.books.create(CreateEntity(book()), ADA)).unwrap().id
            _ = (await shop.books.update(UpdateEntity(key, Patch({"title": "x"})), ADA)).unwrap()
            counted = []
            for call in (
                lambda: shop.books.create(CreateEntity(book()), ADA),
                lambda: shop.books.update(UpdateEntity(key, Patch({"title": "y"})), ADA),
                lambda: shop.books.delete(DeleteEntity(key), ADA),
            ):
                said.clear()
                _ = (await call()).unwrap()
                counted.append(len(said))

            assert counted == [1, 1, 1]
            messages = await messages_of(shop)
            # What the server made of a key that it had only just generated is what the process makes of it.
            assert len({each.entity for each in messages if each.key == key}) == 1
            assert [each.verb for each in messages if each.key == key] == [
                "created",
                "updated",
                "updated",
                "deleted",
            ]


async def test_only_the_verbs_that_were_declared_are_told_of(tmp_path: Path) -> None:
    async with published("sqlite", tmp_path, events=Events(verbs=("deleted",), before=True)) as shop:
        key = (await shop.books.create(CreateEntity(book(title="Emma")), ADA)).unwrap().id
        _ = (await shop.books.delete(DeleteEntity(key), ADA)).unwrap()

        (only,) = await messages_of(shop)
        assert (only.verb, (only.before or {})["title"]) == ("deleted", "Emma")


async def test_a_journal_of_ones_own_is_written_besides(tmp_path: Path) -> None:
    for drafts in (True, False):
        folder = tmp_path / str(drafts)
        folder.mkdir()
        async with published("sqlite", folder, journal=TwoRows(supports_drafts=drafts)) as shop:
            _ = (await shop.books.create(CreateEntity(book()), ADA)).unwrap()
            quiet = shop.container.kernel().use_cases("quiet")
            _ = (await quiet.create(CreateEntity(book()), ADA)).unwrap()

            assert [row["name"] for row in await shop.kept(OWN)] == ["books.created", "quiet.created"]
            assert [each.name for each in await messages_of(shop)] == ["books.created"]


async def test_messages_name_the_trace_of_the_call(tmp_path: Path) -> None:
    provider = TracerProvider()
    tracer = providers.Object(OpenTelemetryTracer(provider))
    async with published("sqlite", tmp_path, tracer=tracer) as shop:
        with provider.get_tracer("test").start_as_current_span("call") as span:
            _ = (await shop.books.create(CreateEntity(book()), ADA)).unwrap()

        (message,) = await messages_of(shop)
        called = span.get_span_context()
        version, trace, _, flags = message.trace.split("-")
        assert (version, trace, flags) == ("00", f"{called.trace_id:032x}", f"{called.trace_flags:02x}")


class Place(SQLModel, table=True):
    __tablename__ = "outbox_place"
    x: int = Column(primary_key=True)
    y: str = Column(primary_key=True, max_length=20)
    about: Any = Column(default=None, sa_type=JSON)


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
async def test_keys_of_several_fields_are_one_entity_however_they_were_made(
    store: str, tmp_path: Path
) -> None:
    class Atlas(Container):
        places = resource(Place, events=True)

    with empty_store(store, tmp_path) as url:
        atlas = Atlas(settings=Settings.model_validate({"databases": {"default": {"url": url}}}))
        async with open_kernel(atlas) as kernel:
            places = Shop(atlas, kernel, "places")
            for y in ("é\U0001f600 'x' \"q\"\\ \u2028\x7f\x01", "b"):
                for about in ("first", "second"):
                    created = await kernel.places.create(x=1, y=y, about=about)
                    (_, last) = created.unwrap().x, created.unwrap().y
                    assert last == y
                    _ = (await kernel.places.delete((1, y))).unwrap()

            messages = await messages_of(places)
            assert len(messages) == 8
            assert len({each.entity for each in messages}) == 2


class Note(BaseModel):
    id: int | None = None
    text: str


async def test_each_database_has_an_outbox_of_its_own(tmp_path: Path) -> None:
    class Two(Container):
        books = resource(SqlBook, events=True)
        notes = resource(Note, database="other", events=True)
        silent = resource(Note, database="third")

    databases = {
        "default": {"url": f"sqlite:///{tmp_path / 'a.sqlite3'}"},
        "other": {"url": "memory://"},
        "third": {"url": "memory://"},
    }
    two = Two(settings=Settings.model_validate({"databases": databases}))
    async with open_kernel(two) as kernel:
        shop = Shop(two, kernel)
        _ = (await kernel.books.create(**book())).unwrap()
        _ = (await kernel.notes.create(text="a")).unwrap()
        _ = (await kernel.silent.create(text="b")).unwrap()

        assert set(two.outboxes()) == {"default", "other"}
        assert [each.name for each in await messages_of(shop)] == ["books.created"]
        assert [each.name for each in await messages_of(shop, "other")] == ["notes.created"]


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
async def test_secrets_are_never_in_a_message(store: str, tmp_path: Path) -> None:
    class Published(Container):
        password_hasher: Any = Argon2PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        customers = resource(
            Customer,
            fields=SECRET,
            events=Events(before=True),
        )

    with empty_store(store, tmp_path) as url:
        shop = Published(settings=settings(url, "k1"))
        async with open_kernel(shop) as kernel:
            customers = Shop(shop, kernel, "customers")
            one = (
                await kernel.customers.create(
                    name="Ada",
                    password="s3cret-pass",  # noqa: S106
                    iban="DE02-1203",
                )
            ).unwrap()
            _ = (await kernel.customers.update(one.id, iban="DE02-9999", name="Bob")).unwrap()
            _ = (await kernel.customers.delete(one.id)).unwrap()

            rows = await customers.kept(OUTBOX)
            assert [row["verb"] for row in rows] == ["created", "updated", "deleted"]
            assert "Ada" in str(rows[0])
            for secret in ("s3cret", "DE02", "argon2", "iban': '"):
                assert secret not in str(rows)


class PaperDatabase:
    """A database of somebody's own, which says itself how to work with it, and has no outbox."""

    name = "default"
    technology = "paper"
    repository = MemoryRepository
    unit_of_work = MemoryUnitOfWork


def test_events_need_a_database_with_an_outbox() -> None:
    shop: Any = publishing("memory")()
    paper = shop.databases.default.override(providers.Object(PaperDatabase()))
    with paper, pytest.raises(DeclarationError, match="books: paper has no outbox, which events need"):
        shop.outboxes()


@pytest.mark.parametrize("store", ["sqlite", "postgres", "mariadb"])
async def test_a_shop_that_publishes_later_gets_the_tables_and_needs_no_migration(
    store: str, tmp_path: Path
) -> None:
    with empty_store(store, tmp_path) as url:
        chosen = Settings.model_validate({"databases": {"default": {"url": url, "migrations": "auto"}}})
        for events in (False, True):
            make: Any = publishing(store, events)
            async with open_kernel(make(settings=chosen)) as kernel:
                _ = (await kernel.books.create(**book())).unwrap()
        async with open_migrations(make(settings=chosen)) as migrations:
            plan = (await migrations.plan()).unwrap()
        assert list(plan.steps) == []
