"""What getting, listing and counting promise: the readable fields, and the store's own answer."""

from decimal import Decimal
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.resources.count_entities import CountEntities, CountEntitiesHandler
from fastapi_easy.application.resources.get_entity import GetEntity, GetEntityHandler
from fastapi_easy.application.resources.list_entities import ListEntities, ListEntitiesHandler
from fastapi_easy.domain.errors import NotFound, Unavailable
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import Count, Cursor, Page, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Where
from fastapi_easy.testing.faults import FailingRepository
from tests.unit.application.fakes import ADA, ORDERS, Store

READABLE = {"id": 1, "status": "new", "total": Decimal("9.50"), "note": None, "channel": "web"}


async def test_get_answers_the_readable_fields() -> None:
    store = Store()
    _ = await store.put()

    outcome = await GetEntityHandler(store.collaborators())(GetEntity(1), ADA)

    assert outcome == Success(READABLE)
    assert tuple(outcome.unwrap()) == ORDERS.readable


async def test_get_says_that_there_is_none() -> None:
    outcome = await GetEntityHandler(Store().collaborators())(GetEntity(9), ADA)

    assert outcome == Failure(NotFound("orders", 9))


async def test_list_answers_the_readable_fields_when_none_are_chosen() -> None:
    store = Store()
    _ = await store.put()

    outcome = await ListEntitiesHandler(store.collaborators())(ListEntities(Query()), ADA)

    assert outcome == Success(Page([READABLE]))


async def test_list_answers_the_chosen_fields_in_the_window_that_was_asked_for() -> None:
    store = Store()
    for number in range(1, 6):
        _ = await store.put(id=number, status="paid" if number % 2 else "new")
    query = Query(
        specification=Where("status", Operator.EQUALS, "paid"),
        order=(Sort("id", Direction.DESCENDING),),
        page=PageRequest(limit=2, count=Count.EXACT),
        fields=("status", "id"),
    )

    outcome = await ListEntitiesHandler(store.collaborators())(ListEntities(query), ADA)

    items = [{"status": "paid", "id": 5}, {"status": "paid", "id": 3}]
    assert outcome == Success(Page(items, total=3, next=Cursor((3,))))


async def test_count_answers_the_exact_number() -> None:
    store = Store()
    for number in range(1, 6):
        _ = await store.put(id=number, status="paid" if number % 2 else "new")
    handle = CountEntitiesHandler(store.collaborators())

    every = await handle(CountEntities(), ADA)
    paid = await handle(CountEntities(Where("status", Operator.EQUALS, "paid")), ADA)

    assert (every, paid) == (Success(5), Success(3))


@pytest.mark.parametrize(
    ("handler", "command"),
    [
        pytest.param(GetEntityHandler, GetEntity(1), id="get"),
        pytest.param(ListEntitiesHandler, ListEntities(Query()), id="list"),
        pytest.param(CountEntitiesHandler, CountEntities(), id="count"),
    ],
)
async def test_passes_on_that_the_store_did_not_answer(handler: Any, command: Any) -> None:
    failing = Store().collaborators(repository=lambda: FailingRepository(Unavailable("default")))

    outcome = await handler(failing)(command, ADA)

    assert outcome == Failure(Unavailable("default"))
