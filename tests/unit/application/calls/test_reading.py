"""What the methods that read promise: the grammar of HTTP, with Python values."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain import (
    BadQuery,
    Fault,
    Function,
    Group,
    Invalid,
    Measure,
    NotFound,
    Operator,
    Outcome,
    Row,
    Where,
)
from tests.unit.application.calls.market import add_sample_data


def codes(page: Outcome[Any]) -> list[str]:
    return [row.code for row in page.unwrap().items]


async def test_gets_one_entity() -> None:
    kernel = await add_sample_data()

    found = await kernel.goods.get(2)

    assert (found.unwrap().title, found.unwrap().price) == ("Bread", Decimal("3.20"))


async def test_gets_selected_fields_and_includes() -> None:
    kernel = await add_sample_data()

    found = await kernel.goods.get(2, fields=["title"], include="stall")
    stall = await kernel.stalls.get(1, include={"goods": {"limit": 1, "sort": "-price", "fields": "code"}})

    assert found == Success(Row(title="Bread", stall=Row(id=1, name="Fruit", city="York")))
    assert stall.unwrap().goods == [Row(code="cheese")]


@pytest.mark.parametrize(
    ("key", "error"),
    [
        pytest.param(404, NotFound("goods", 404), id="nothing there"),
        pytest.param(
            "2", Invalid((Fault("/id", "Must be a valid integer", "integer_type", "path"),)), id="no key"
        ),
    ],
)
async def test_gets_nothing_where_nothing_is(key: Any, error: Any) -> None:
    kernel = await add_sample_data()

    assert await kernel.goods.get(key) == Failure(error)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({"price__lt": 2, "sort": "-price"}, ["dill", "apple"], id="a number and an order"),
        pytest.param({"price__between": (Decimal("1.10"), 4)}, ["bread", "dill"], id="two bounds"),
        pytest.param({"code__in": {"bread", "dill"}}, ["bread", "dill"], id="a set"),
        pytest.param({"q": "che"}, ["cheese"], id="a search"),
        pytest.param({"stall__city": "York", "limit": 1}, ["apple"], id="a related entity"),
        pytest.param({"stall.city__in": ["Bath"]}, [], id="a path with a dot"),
        pytest.param(
            {"where": {"or": [{"code": "bread"}, {"price__gt": 8}]}}, ["bread", "cheese"], id="a tree"
        ),
        pytest.param({"where": Where("price", Operator.GREATER, 8)}, ["cheese"], id="a specification"),
        pytest.param({"offset": 3}, ["dill"], id="an offset"),
        pytest.param(
            {"added_at__gte": datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)}, [], id="a moment"
        ),
    ],
)
async def test_lists_what_was_asked_for(said: Any, expected: list[str]) -> None:
    kernel = await add_sample_data()

    assert codes(await kernel.goods.list(**said)) == expected


async def test_lists_what_a_condition_and_keywords_mean_together() -> None:
    kernel = await add_sample_data()

    assert codes(await kernel.goods.list({"price__gt": 1}, code__startswith="d")) == ["dill"]


async def test_continues_after_a_page() -> None:
    kernel = await add_sample_data()
    first = (await kernel.goods.list(sort="price", limit=3, count="exact")).unwrap()

    second = await kernel.goods.list(sort="price", limit=3, cursor=first.next)

    assert (first.total, codes(second)) == (4, ["cheese"])
    assert second.unwrap().next is None


async def test_continues_with_a_token_from_another_interface() -> None:
    kernel = await add_sample_data()
    queries = kernel.use_cases("goods").queries
    first = (await kernel.goods.list(sort="price", limit=3)).unwrap()
    assert first.next is not None
    token = queries.sign(queries.from_values({"sort": "price"}).unwrap(), first.next)

    assert codes(await kernel.goods.list(sort="price", limit=3, cursor=token)) == ["cheese"]
    assert isinstance(await kernel.goods.list(sort="code", limit=3, cursor=token), Failure)


@pytest.mark.parametrize("method", ["list", "count", "aggregate", "export"])
async def test_refuses_a_misspelt_comparison_with_a_suggestion(method: str) -> None:
    kernel = await add_sample_data()

    refused = await getattr(kernel.goods, method)(prise__lt=8)

    assert refused == Failure(BadQuery("prise__lt", "Is not a parameter here", "price__lt"))


@pytest.mark.parametrize("method", ["count", "aggregate", "export"])
async def test_refuses_an_option_that_means_nothing_here(method: str) -> None:
    kernel = await add_sample_data()

    refused = await getattr(kernel.goods, method)(cursor="x")

    assert refused == Failure(BadQuery("cursor", "Is not supported here; leave it out"))


async def test_counts_what_was_asked_for() -> None:
    kernel = await add_sample_data()

    assert await kernel.goods.count() == Success(4)
    assert await kernel.goods.count({"price__gt": 1}, code__ne="dill") == Success(2)


async def test_aggregates() -> None:
    kernel = await add_sample_data()

    by_text = await kernel.goods.aggregate(group_by="stall_id", total="sum:price,count", price__lt=4)
    by_measure = await kernel.goods.aggregate(
        {"price__lt": 4},
        group_by=["stall_id"],
        total=[Measure(Function.SUM, "price"), Measure(Function.COUNT)],
    )

    assert by_text == Success([Group((1,), (Decimal("4.80"), 3))])
    assert by_measure == by_text


async def test_exports_every_entity() -> None:
    kernel = await add_sample_data()

    chunks = (await kernel.goods.export(sort="-code", fields="code", price__gt=1)).unwrap()

    assert [row async for rows in chunks for row in rows] == [
        Row(code="dill"),
        Row(code="cheese"),
        Row(code="bread"),
    ]


async def test_exports_no_related_entities() -> None:
    kernel = await add_sample_data()

    refused = await kernel.goods.export(fields="code,stall.name")

    assert isinstance(refused, Failure)
    assert refused.failure().code == "bad_query"
