"""Walks through documents of other programs: nothing in them is an error, lost or found twice."""

import pytest
import pytest_asyncio
from bson import DBRef, Decimal128, Int64, ObjectId, Regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from returns.result import Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Measure, functions_of
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Where
from fastapi_easy.infrastructure.entities.plain import describe
from fastapi_easy.infrastructure.persistence.mongo.queries.page_query import build_page_query
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import build_condition
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.mongo_shop import mongo_shop
from tests.conformance.odd_documents import (
    EVERYTHING,
    NOON,
    OTHER_TYPES,
    SORTED,
    Odd,
    both_ways,
    walk,
)


@pytest.mark.parametrize("field", SORTED)
async def test_a_walk_passes_values_of_every_type(odd_shop, raw_odds, field):
    path = "_id" if field == "id" else field
    values = [value for value in OTHER_TYPES.values() if not isinstance(value, list | Regex | float)]
    if field == "id":
        unique = {repr(each): each for each in values if each != Decimal128("NaN")}
        await raw_odds.insert_many(
            [{"_id": each} for each in unique.values() if not _has_reserved_names(each)]
        )
    else:
        await raw_odds.insert_many(
            [{"_id": n, path: each} for n, each in enumerate([*OTHER_TYPES.values()] * 2)]
        )
        await raw_odds.insert_many([{"_id": 1000 + n} for n in range(3)])
    keys = sorted(repr(row.id) for row in value_of(await odd_shop["odds"].select(EVERYTHING)).items)

    for sort in both_ways(field):
        rows = await walk(odd_shop["odds"], sort)

        assert sorted(repr(row.id) for row in rows) == keys, sort


def _has_reserved_names(value):
    return isinstance(value, DBRef) or (isinstance(value, dict) and "$a" in value)


async def test_a_cursor_carries_a_value_of_the_kind_as_such(odd_shop, raw_odds):
    stored = {
        "number": Int64(-(2**63)),
        "rating": 4.1,
        "price": Decimal128("1.50"),
        "at": NOON,
        "lasts": Int64(2**40),
        "mood": "good",
        "name": "a",
    }
    await raw_odds.insert_many([{"_id": Int64(2**40 + n), **stored} for n in range(3)])

    for sort in (each for name in ("id", *stored) for each in both_ways(name)):
        page = value_of(await odd_shop["odds"].select(Query(order=(sort,), page=PageRequest(limit=1))))
        row = page.items[0]

        assert page.next.values[0] == row[sort.field], sort
        assert len(await walk(odd_shop["odds"], sort, limit=1)) == 3


BSON = st.recursive(
    st.sampled_from([*OTHER_TYPES.values()])
    | st.integers(-3, 3)
    | st.floats(-3, 3)
    | st.sampled_from(["a", "b", "65a000000000000000000001"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)
EVERY_MEASURE = tuple(
    Measure(function, field.name) for field in describe(Odd).fields for function in functions_of(field)
)
DOCUMENTS = st.dictionaries(
    st.sampled_from([name for name in Odd.model_fields if name != "id"]), BSON, max_size=4
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(documents=st.lists(DOCUMENTS, min_size=1, max_size=7), name=st.sampled_from(SORTED))
async def test_no_document_keeps_others_from_being_read_counted_and_walked(odd_shop, documents, name):
    raw_odds, odds = odd_shop.database.client.collection("odd"), odd_shop["odds"]
    _ = await raw_odds.delete_many({})
    _ = await raw_odds.insert_many([{"_id": number, **each} for number, each in enumerate(documents)])
    keys = list(range(len(documents)))

    listed = value_of(await odds.select(Query(page=PageRequest(limit=50, count=Count.EXACT))))
    streamed = [row async for rows in odds.stream(Query(), chunk=2) for row in rows]
    walks = [await walk(odds, sort, limit=1) for sort in both_ways(name)]
    totals = await odds.aggregate(Aggregation(measures=EVERY_MEASURE))
    groups = value_of(
        await odds.aggregate(Aggregation(measures=(Measure(Function.COUNT),), group_by=(name,)))
    )

    assert [row.id for row in listed.items] == keys
    assert listed.total == len(keys)
    assert streamed == list(listed.items)
    assert [sorted(row.id for row in rows) for rows in walks] == [keys, keys]
    assert isinstance(totals, Success)
    assert sum(group.totals[0] for group in groups) == len(keys)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(document=DOCUMENTS)
async def test_a_change_of_one_field_leaves_all_others_as_they_are_stored(odd_shop, document):
    raw_odds, odds = odd_shop.database.client.collection("odd"), odd_shop["odds"]
    _ = await raw_odds.delete_many({})
    _ = await raw_odds.insert_one({"_id": 1, **document, "name": "a"})
    before = await raw_odds.find_one({"_id": 1})
    version = odd_shop.resources["odds"].version_of(value_of(await odds.read(1)))

    changed = value_of(await odds.update(1, Patch({"name": "b"}), expected_version=version))
    after = await raw_odds.find_one({"_id": 1})

    assert changed.name == "b"
    assert repr(after) == repr({**before, "name": "b"})


class Listed(BaseModel):
    """Its collection is created with a validator."""

    id: int | None = None
    number: int = 3
    name: str = "nameless"
    note: str | None = "none"


@pytest_asyncio.fixture
async def created(mongo_url):
    address = mongo_url.replace("/fastapi", "/created_fastapi")
    async with mongo_shop(address, {"listed": Listed}, mode=SchemaMode.CREATE) as made:
        yield made
        await made.database.client.database.client.drop_database(made.database.client.database.name)


async def _enforced(created, **changes):
    client, resources = created.database.client, list(created.resources.values())
    if changes:
        _ = await client.database.command("collMod", "listed", **changes)
    _ = value_of(await created.database.prepare(resources, SchemaMode.CHECK))
    return created.database.plan(resources[0]).enforced


async def test_a_validator_that_requires_a_field_makes_its_queries_plain(created):
    plan = created.database.plan(created.resources["listed"])
    three, order = Where("number", Operator.EQUALS, 3), Query(order=(Sort("number", Direction.ASCENDING),))

    enforced = build_condition(three, plan, created.database.plan).match
    options = build_page_query(plan, created.database.plan, order, None).find_options
    others = [
        await _enforced(created, validationLevel="moderate"),
        await _enforced(created, validationLevel="strict", validationAction="warn"),
        await _enforced(created, validationAction="error", validator={}),
    ]
    unenforced = build_condition(three, plan, created.database.plan).match

    assert enforced == {"number": {"$eq": 3}}
    assert options is not None
    assert others == [frozenset()] * 3
    assert unenforced == {"$or": [{"number": {"$eq": 3}}, {"number": {"$exists": False}}]}
    assert build_page_query(plan, created.database.plan, order, None).find_options is None


async def test_a_walk_is_complete_though_the_validator_is_gone(created):
    kept = created.database.client.collection("listed")
    await kept.drop()
    await kept.insert_many(
        [{"_id": n, "number": each, "name": each} for n, each in enumerate(OTHER_TYPES.values())]
    )
    await kept.insert_many([{"_id": each} for each in (1000, "abc", ObjectId(), NOON)])
    keys = sorted([repr(row.id) for row in value_of(await created["listed"].select(EVERYTHING)).items])

    for sort in (*both_ways("id"), *both_ways("number"), *both_ways("note")):
        assert sorted([repr(row.id) for row in await walk(created["listed"], sort)]) == keys, sort
