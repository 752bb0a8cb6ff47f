"""Rows of the journal become durable with the change they tell of, or not at all."""

import asyncio
import datetime
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import JSON, BigInteger, DateTime, Numeric
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
from fastapi_easy.domain import (
    DeclarationError,
    DomainEvent,
    Failure,
    Operator,
    OutcomeUnknown,
    Patch,
    Unavailable,
    Where,
)
from fastapi_easy.domain.values.plain_json import to_plain_json
from fastapi_easy.settings import Settings
from tests.e2e.recorded_shop import ADA, OUTBOX, STORES, TRAIL, RelabelBook, Shop, TwoRows, book, recorded
from tests.e2e.stored_tables import run_sql
from tests.e2e.stores import empty_store
from tests.e2e.wiretap import overheard
from tests.wire import Wire, wired


@pytest.fixture(params=STORES)
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    async with recorded(request.param, tmp_path, journal=TwoRows()) as opened:
        yield opened


async def test_every_way_of_writing_leaves_the_same_rows(shop: Shop) -> None:
    told: list[DomainEvent] = []

    async def tell(event: DomainEvent) -> None:
        told.append(event)

    shop.container.event_bus().subscribe(DomainEvent, tell)
    key = (await shop.books.create(CreateEntity(book()), ADA)).unwrap().id
    _ = (await shop.books.update(UpdateEntity(key, Patch({"title": "Persuasion"})), ADA)).unwrap()
    _ = (await shop.books.actions["relabel"](PerformAction(key, RelabelBook("Emma")), ADA)).unwrap()
    _ = (await shop.books.bulk(ApplyBulk([Create(book()), Create(book())]), ADA)).unwrap()
    async with shop.container.unit_of_work(ADA) as work:
        _ = (await work.as_system().repository("books").add(book())).unwrap()
        _ = (await work.commit()).unwrap()
    _ = (await shop.books.delete(DeleteEntity(key), ADA)).unwrap()

    outbox = {uuid.UUID(str(row["id"])): row for row in await shop.kept(OUTBOX)}
    trail = {uuid.UUID(str(row["id"])): row for row in await shop.kept(TRAIL)}
    assert [event.name for event in told] == [
        "books.created",
        "books.updated",
        "books.updated",
        *["books.created"] * 3,
        "books.deleted",
    ]
    assert len(outbox) == len(trail) == len(told)
    for event in told:
        row = outbox[event.id]
        assert (row["name"], row["key"], row["version"]) == (
            event.name,
            event.key,
            getattr(event, "version", None),
        )
        assert row["entity"] == to_plain_json(getattr(event, "values", None))
        assert (trail[event.id]["actor"], trail[event.id]["tenant"]) == ("ada", "acme")
        assert bool(trail[event.id]["by_system"]) is event.by_system
    assert [event.by_system for event in told] == [False] * 5 + [True, False]


async def test_a_change_that_is_refused_leaves_no_rows(shop: Shop) -> None:
    values = book()
    _ = (await shop.books.create(CreateEntity(values), ADA)).unwrap()

    assert isinstance(await shop.books.create(CreateEntity(values), ADA), Failure)
    assert isinstance(await shop.books.update(UpdateEntity(404, Patch({"title": "x"})), ADA), Failure)
    assert isinstance(await shop.books.delete(DeleteEntity(404), ADA), Failure)
    async with shop.container.unit_of_work(ADA) as work:
        _ = (await work.repository("books").add(book())).unwrap()

    assert (len(await shop.kept(OUTBOX)), len(await shop.kept(TRAIL))) == (1, 1)


async def test_a_unit_of_work_that_holds_nothing_but_rows_commits(shop: Shop) -> None:
    now = datetime.datetime.now(datetime.UTC)
    async with shop.container.unit_of_work(ADA) as work:
        work.record(DomainEvent(resource="books", key=1, occurred_at=now))
        _ = (await work.commit()).unwrap()
    async with shop.container.unit_of_work(ADA) as work:
        work.record(DomainEvent(resource="books", key=1, occurred_at=now))

    assert [row["name"] for row in await shop.kept(OUTBOX)] == ["books.happened"]


@pytest.mark.parametrize("store", STORES)
async def test_a_journal_without_drafts_gets_events_after_the_write(store: str, tmp_path: Path) -> None:
    looked: list[Any] = []

    class Looking(TwoRows):
        def rows(self, event: DomainEvent) -> Any:
            looked.append((event.key, dict(event.values), getattr(event, "before", None)))
            return super().rows(event)

    async with recorded(store, tmp_path, journal=Looking(supports_drafts=False, before=True)) as shop:
        values = book()
        key = (await shop.books.create(CreateEntity(values), ADA)).unwrap().id
        _ = (await shop.books.update(UpdateEntity(key, Patch({"title": "Persuasion"})), ADA)).unwrap()

        assert len(await shop.kept(OUTBOX)) == 2
    created = {"id": key, **values, "version": 1}
    assert looked[0][:2] == (key, created)
    assert looked[1] == (key, {**created, "title": "Persuasion", "version": 2}, created)


async def test_on_postgres_a_change_and_its_rows_are_one_round_trip(tmp_path: Path) -> None:
    with empty_store("postgres", tmp_path) as own:
        async with (
            overheard(own) as (url, said),
            recorded("postgres", tmp_path, url, journal=TwoRows()) as shop,
        ):
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
            assert len(await shop.kept(OUTBOX)) == 5


async def test_on_postgres_nothing_is_half_done_wherever_the_connection_breaks(tmp_path: Path) -> None:
    with empty_store("postgres", tmp_path) as own:
        async with (
            wired(own) as (url, wire),
            recorded("postgres", tmp_path, url, PATIENT, journal=TwoRows(), retry=NoRetry()) as shop,
        ):
            _ = (await shop.books.create(CreateEntity(book()), ADA)).unwrap()
            asked, answered = await bytes_of_a_create(shop, wire)
            outcomes = []
            for place in range(0, asked + STEP, STEP):
                wire.cut_asked_after = place
                outcomes.append(await create_on_a_new_connection(shop, wire))
            wire.cut_asked_after = None
            for place in range(0, answered + STEP, STEP):
                wire.cut_after = place
                outcomes.append(await create_on_a_new_connection(shop, wire))
            wire.cut_after = None

            errors = [each.failure() for each in outcomes if isinstance(each, Failure)]
            assert all(isinstance(each, Unavailable | OutcomeUnknown) for each in errors)
            assert {type(each) for each in errors} == {Unavailable, OutcomeUnknown}
            unknown = sum(isinstance(each, OutcomeUnknown) for each in errors)
            stored = await stored_in(shop)
            made = 2 + len(outcomes) - len(errors)
            assert made < stored <= made + unknown
            assert len(await shop.kept(OUTBOX)) == len(await shop.kept(TRAIL)) == stored


PATIENT = {"breaker": {"calls": 10_000}}

STEP = 37
"""Bytes between one place where the connection breaks and the next: messages are longer than that."""


class NoRetry:
    """Implements `Retry`: nothing is made again."""

    retries: ClassVar[dict[str, int]] = {}

    async def repeat(self, dependency: str, call: Any, outcome: Any, calls: int) -> Any:
        return outcome


async def create_on_a_new_connection(shop: Shop, wire: Wire) -> Any:
    wire.reset()
    wire.is_cut = False
    # Until the driver has noticed.
    await asyncio.sleep(0.02)
    outcome = await shop.books.create(CreateEntity(book()), ADA)
    wire.is_cut = False
    return outcome


async def bytes_of_a_create(shop: Shop, wire: Wire) -> tuple[int, int]:
    """How much is said both ways, from connecting to the answer."""
    heard = []
    wire.hear = lambda: heard.append
    _ = (await create_on_a_new_connection(shop, wire)).unwrap()
    wire.hear = lambda: lambda _: None
    return sum(map(len, heard)), ANSWER


ANSWER = 1_600
"""About as many bytes as the server says from greeting to answer."""


async def stored_in(shop: Shop) -> int:
    repository = shop.container.books.repository()
    return int((await repository.count(Where("id", Operator.GREATER, 0))).unwrap())


class Everything(SQLModel, table=True):
    __tablename__ = "recorded_everything"
    id: uuid.UUID = Column(default_factory=uuid.uuid4, primary_key=True)
    text: str
    number: int = Column(sa_type=BigInteger)
    amount: Decimal = Column(max_digits=30, decimal_places=10)
    exact: Decimal = Column(sa_type=Numeric)
    is_true: bool
    day: datetime.date
    zoned: datetime.datetime = Column(sa_type=DateTime(timezone=True))
    bare: datetime.datetime = Column(sa_type=DateTime(timezone=False))
    document: Any = Column(sa_type=JSON)
    nothing: str | None = None


class Everywhere(Container):
    everything = resource(Everything)


MOMENTS = (
    datetime.datetime(2026, 11, 29, 18, 5, 7, 30, datetime.UTC),
    datetime.datetime(1969, 7, 20, 20, 17, 40, tzinfo=datetime.timezone(datetime.timedelta(hours=-5))),
    datetime.datetime(1, 1, 1, tzinfo=datetime.UTC),
    datetime.datetime(9999, 12, 31, 23, 59, 59, 999_999, datetime.UTC),
)


async def test_the_server_spells_values_as_we_do(tmp_path: Path) -> None:
    told: list[DomainEvent] = []

    async def tell(event: DomainEvent) -> None:
        told.append(event)

    with empty_store("postgres", tmp_path) as url:
        settings = Settings.model_validate({"databases": {"default": {"url": url}}})
        make: Any = Everywhere
        shop = make(settings=settings, journal=TwoRows())
        shop.event_bus().subscribe(DomainEvent, tell)
        async with open_kernel(shop) as kernel:
            opened = Shop(shop, kernel, "everything")
            for number, moment in enumerate(MOMENTS):
                values = {
                    "text": 'quoted "twice" \\ \n \u00e9\U0001f600',
                    "number": 2**62 + number,
                    "amount": Decimal("-12345678901234567890.1234567890"),
                    "exact": Decimal("1E-20") * number,
                    "is_true": number % 2 == 0,
                    "day": moment.date(),
                    "zoned": moment,
                    "bare": moment,
                    "document": {"a": [1, "b", None, {"c": True}]},
                }
                _ = (await opened.books.create(CreateEntity(values), ADA)).unwrap()

            rows = {row["id"]: row for row in await opened.kept(OUTBOX)}
    for event in told:
        assert rows[event.id]["key"] == to_plain_json(event.key)
        assert rows[event.id]["entity"] == to_plain_json(event.values)
    assert len(told) == len(MOMENTS)


async def test_a_server_without_transactions_is_refused_at_start(
    mongo_alone_url: str, tmp_path: Path
) -> None:
    with pytest.raises(DeclarationError, match="a journal needs transactions"):
        async with recorded("mongo", tmp_path, mongo_alone_url, journal=TwoRows()):
            raise AssertionError


async def test_the_server_spells_values_beyond_pythons_as_answers_show_them(tmp_path: Path) -> None:
    told: list[Any] = []

    async def tell(event: DomainEvent) -> None:
        told.append(event)

    values = {
        "text": "",
        "number": 1,
        "amount": Decimal(1),
        "exact": Decimal(1),
        "is_true": True,
        "day": MOMENTS[0].date(),
        "zoned": MOMENTS[0],
        "bare": MOMENTS[0],
        "document": {},
    }
    with empty_store("postgres", tmp_path) as url:
        settings = Settings.model_validate({"databases": {"default": {"url": url}}})
        make: Any = Everywhere
        shop = make(settings=settings, journal=TwoRows())
        async with open_kernel(shop) as kernel:
            opened = Shop(shop, kernel, "everything")
            key = (await opened.books.create(CreateEntity(values), ADA)).unwrap().id
            shop.event_bus().subscribe(DomainEvent, tell)
            for odd in (
                "day = 'infinity', zoned = '0044-03-15 BC', bare = '12000-01-01 10:00:00.5', exact = 'NaN'",
                "day = '0044-03-15 BC', zoned = '12000-01-01', bare = '-infinity', exact = 'infinity'",
            ):
                await run_sql(
                    url.replace("postgresql://", "postgresql+psycopg://"),
                    f"UPDATE recorded_everything SET {odd}",
                )
                _ = (await opened.books.update(UpdateEntity(key, Patch({"number": 2})), ADA)).unwrap()
            rows = {row["id"]: row["entity"] for row in await opened.kept(OUTBOX)}
    shown = [rows[event.id] for event in told]
    assert shown == [to_plain_json(event.values) for event in told]
    assert [[each[name] for name in ("day", "zoned", "bare", "exact")] for each in shown] == [
        ["infinity", "0044-03-15 00:00:00+00 BC", "12000-01-01 10:00:00.5", "NaN"],
        ["0044-03-15 BC", "12000-01-01 00:00:00+00", "-infinity", "Infinity"],
    ]
