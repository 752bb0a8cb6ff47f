"""Documents that other programs wrote: nothing in them is an error, or changed, and all of it is found."""

import datetime
import decimal
import math
import uuid

import bson
import pytest
from bson import Binary, DBRef, Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import NotFound
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Measure
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything, Operator, Where, operators_of
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import CODEC_OPTIONS
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.odd_documents import (
    ALIKE,
    EVERYTHING,
    KEYS,
    OTHER_TYPES,
    SHOWN_BY_DEFAULT,
    Mood,
    Odd,
    both_ways,
    walk,
)


@pytest.mark.parametrize("field", [name for name in Odd.model_fields if name != "id"])
async def test_a_value_of_another_type_is_shown_as_it_is_stored(odd_shop, raw_odds, field):
    odds, kept = odd_shop["odds"], {"_id": 1, "name": "a"}

    for number, value in enumerate(OTHER_TYPES.values(), start=2):
        _ = await raw_odds.insert_one({**kept, "_id": number, field: value})
    rows = value_of(await odds.select(Query(page=PageRequest(limit=100)))).items

    assert len(rows) == len(OTHER_TYPES)
    own = Odd.model_fields[field].annotation
    for row, (label, value) in zip(rows, OTHER_TYPES.items(), strict=True):
        shown = row[field]
        if label in ALIKE.get(field, {}):
            assert (shown, type(shown)) == (ALIKE[field][label], type(ALIKE[field][label])), label
        elif value is None:
            assert shown is None
        elif type(value) in {str, bool, int, float} and not isinstance(
            shown, Mood | decimal.Decimal | datetime.time
        ):
            what = shown.shown if isinstance(shown, UnexpectedValue) else shown
            expected = value if not isinstance(value, float) or math.isfinite(value) else what
            assert what == expected or field == "lasts", (label, own)
            assert type(what) is type(expected) or field == "lasts", (label, own)


async def test_what_a_document_lacks_has_the_default_of_the_class_everywhere(odd_shop, raw_odds):
    odds = odd_shop["odds"]
    _ = await raw_odds.insert_many([{"_id": 1, "number": 1}, {"_id": 2}, {"_id": 3, "number": 5}])
    _ = await raw_odds.insert_many([{"_id": 4, "number": None}])

    async def meant(name, operator, value):
        page = await odds.select(Query(specification=Where(name, operator, value)))
        return [row.id for row in value_of(page).items]

    row = value_of(await odds.read(2))
    row.tags.append("changed")
    assert value_of(await odds.read(2)) == SHOWN_BY_DEFAULT
    assert value_of(await odds.select(Query())).items[1] == SHOWN_BY_DEFAULT
    assert await meant("number", Operator.EQUALS, 3) == [2]
    assert await meant("number", Operator.NOT_EQUALS, 3) == [1, 3, 4]
    assert await meant("number", Operator.NOT_EQUALS, 1) == [2, 3, 4]
    assert await meant("number", Operator.IN, (3, 5)) == [2, 3]
    assert await meant("number", Operator.NOT_IN, (3, 5)) == [1, 4]
    assert await meant("number", Operator.LESS, 4) == [1, 2]
    assert await meant("number", Operator.GREATER_OR_EQUAL, 4) == [3]
    assert await meant("number", Operator.BETWEEN, (2, 4)) == [2]
    assert await meant("number", Operator.IS_NULL, value=True) == [4]
    assert await meant("number", Operator.IS_NULL, value=False) == [1, 2, 3]
    assert await meant("name", Operator.CONTAINS, "less") == [1, 2, 3, 4]
    assert await meant("tags", Operator.HAS, "new") == [1, 2, 3, 4]
    assert await meant("mood", Operator.EQUALS, Mood.GOOD) == [1, 2, 3, 4]
    assert await meant("made_by", Operator.EQUALS, "x") == []
    walks = [[row.id for row in await walk(odds, sort, 1)] for sort in both_ways("number")]
    assert walks == [[4, 1, 2, 3], [3, 2, 1, 4]]
    measures = (
        Measure(Function.SUM, "number"),
        Measure(Function.COUNT, "number"),
        Measure(Function.MAXIMUM, "name"),
    )
    assert value_of(await odds.aggregate(Aggregation(measures=measures)))[0].totals == (9, 3, "nameless")


async def test_numbers_that_the_server_finds_equal_are_found_and_others_are_not_summed(odd_shop, raw_odds):
    odds = odd_shop["odds"]
    prices = [Decimal128("9.99"), 9.99, 4.5, "9.99", True, Decimal128("NaN"), Decimal128("-1"), 20]
    _ = await raw_odds.insert_many(
        [{"_id": n, "price": each, "number": each} for n, each in enumerate(prices)]
    )
    wanted = decimal.Decimal("9.99")

    async def meant(name, operator, value):
        page = await odds.select(Query(specification=Where(name, operator, value)))
        return [row.id for row in value_of(page).items]

    assert await meant("price", Operator.EQUALS, wanted) == [0, 1]
    assert await meant("price", Operator.NOT_EQUALS, wanted) == [2, 3, 4, 5, 6, 7]
    assert await meant("price", Operator.IN, (wanted, decimal.Decimal(20))) == [0, 1, 7]
    assert await meant("price", Operator.GREATER, wanted) == [7]
    assert await meant("price", Operator.GREATER_OR_EQUAL, wanted) == [0, 1, 7]
    assert await meant("price", Operator.LESS, wanted) == [2, 6]
    assert await meant("price", Operator.LESS_OR_EQUAL, wanted) == [0, 1, 2, 6]
    assert await meant("price", Operator.EQUALS, UnexpectedValue("NaN")) == [5]
    assert await meant("number", Operator.EQUALS, 20) == [7]
    functions = (Function.SUM, Function.AVERAGE, Function.MINIMUM, Function.MAXIMUM, Function.COUNT)
    price, number = [
        value_of(
            await odds.aggregate(Aggregation(measures=tuple(Measure(each, name) for each in functions)))
        )[0].totals
        for name in ("price", "number")
    ]
    assert (price[0], price[2:]) == (decimal.Decimal("43.48"), (decimal.Decimal(-1), decimal.Decimal(20), 8))
    assert number == (19, decimal.Decimal("9.5"), -1, 20, 8)


@pytest.mark.parametrize("name", ["name", "number", "rating", "price", "ok", "at", "hour", "token", "mood"])
async def test_a_value_of_another_type_is_found_by_its_place_holder(odd_shop, raw_odds, name):
    odds = odd_shop["odds"]
    await raw_odds.insert_many([{"_id": n, name: each} for n, each in enumerate(OTHER_TYPES.values())])
    rows = value_of(await odds.select(EVERYTHING)).items

    for row in rows:
        if isinstance(row[name], UnexpectedValue):
            equal = Query(specification=Where(name, Operator.EQUALS, row[name]), page=EVERYTHING.page)
            other = Query(specification=Where(name, Operator.NOT_EQUALS, row[name]), page=EVERYTHING.page)
            found = [each.id for each in value_of(await odds.select(equal)).items]
            left = [each.id for each in value_of(await odds.select(other)).items]
            assert row.id in found, row[name]
            assert sorted(found + left) == [each.id for each in rows], row[name]
            fitting = [each for each in rows if each.id in found and type(each[name]) is not UnexpectedValue]
            assert not fitting, row[name]


@pytest.mark.parametrize("resource", ["odds", "names"])
@pytest.mark.parametrize("key", [pytest.param(key, id=label) for label, key in KEYS.items()])
async def test_a_key_of_any_kind_is_reached_by_what_is_shown(odd_shop, raw_odds, resource, key):
    kept = odd_shop.database.client.collection("odd" if resource == "odds" else "named")
    await kept.insert_many([{"_id": each, "number": 1} for each in KEYS.values() if each != key])
    _ = await kept.insert_one({"_id": key, "number": 2})
    [shown] = value_of(
        await odd_shop[resource].select(Query(specification=Where("number", Operator.EQUALS, 2)))
    ).items

    read = value_of(await odd_shop[resource].read(shown.id))
    changed = value_of(await odd_shop[resource].update(shown.id, Patch({"number": 3})))
    by_filter = await odd_shop[resource].count(Where("id", Operator.EQUALS, shown.id))
    removed = await odd_shop[resource].remove(shown.id)

    assert read == shown
    assert changed == {**shown, "number": 3}
    assert by_filter == Success(1)
    assert removed == Success(None)
    assert await kept.count_documents({"_id": key}) == 0
    assert await kept.count_documents({}) == len(KEYS) - 1
    assert await odd_shop[resource].read(shown.id) == Failure(NotFound(resource, shown.id))


async def test_operators_of_every_kind_pass_values_of_other_types(odd_shop, raw_odds):
    await raw_odds.insert_many([{"_id": n, "name": each} for n, each in enumerate(OTHER_TYPES.values())])
    named = odd_shop.database.client.collection("named")
    await named.insert_many([{"_id": each, "number": 1} for each in KEYS.values()])

    for name, resource in (("name", "odds"), ("id", "names")):
        for operator in operators_of(odd_shop.resources[resource].fields[name].kind, nullable=False):
            value = ("a", "b") if operator in {Operator.IN, Operator.NOT_IN, Operator.BETWEEN} else "a"
            found = await odd_shop[resource].count(Where(name, operator, value))
            assert isinstance(found, Success), operator
    assert await odd_shop["odds"].count(Everything()) == Success(len(OTHER_TYPES))


async def test_extended_json_is_stored_as_what_it_stands_for(odd_shop, raw_odds):
    kept = {
        "o": ObjectId(),
        "d": datetime.datetime(2020, 1, 1, 0, 0, 0, 5000),  # noqa: DTZ001
        "far": DatetimeMS(316_516_809_600_000),
        "dec": Decimal128("1.50"),
        "b": b"x",
        "u": uuid.UUID(int=7),
        "old": Binary(b"0123456789abcdef", 3),
        "re": Regex("^a", "i"),
        "t": [Timestamp(1, 2), MinKey(), MaxKey()],
        "ref": DBRef("others", ObjectId()),
        "inf": [math.inf, -math.inf],
        "plain": {"a": 1, "b": [None, True, "x", 1.5]},
    }
    _ = await raw_odds.insert_one({"_id": 1, "more": kept})

    shown = value_of(await odd_shop["odds"].read(1)).more
    changed = value_of(await odd_shop["odds"].update(1, Patch({"more": shown})))

    assert changed.more == shown
    assert shown["o"] == {"$oid": str(kept["o"])}
    assert shown["d"] == {"$date": "2020-01-01T00:00:00.005Z"}
    assert shown["dec"] == {"$numberDecimal": "1.50"}
    assert _bytes((await raw_odds.find_one({"_id": 1}))["more"]) == _bytes(kept)


def _bytes(document):
    return bson.encode(document, codec_options=CODEC_OPTIONS)


@pytest.mark.parametrize(
    "extra",
    [
        {"$oid": "nonsense"},
        {"$oid": {"$gt": ""}},
        {"$date": "yesterday"},
        {"$date": "2020-01-01"},
        {"$numberDecimal": "one"},
        {"$binary": {"base64": "x", "subType": "00"}},
        {"$regularExpression": {"pattern": "a\x00", "options": ""}},
        {"$oid": "65a000000000000000000001", "more": 1},
        {"$numberLong": "5"},
        {"$gt": 1},
        {"$timestamp": {"t": -1, "i": 0}},
        {"$uuid": "00000000-0000-0000-0000-000000000007"},
    ],
    ids=repr,
)
async def test_what_only_looks_like_extended_json_is_refused(odd_shop, raw_odds, extra):
    refused = await odd_shop["odds"].add({"more": {"a": [extra]}})

    assert [fault.pointer for fault in refused.failure().faults] == ["/more"]
