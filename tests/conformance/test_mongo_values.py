"""What MongoDB is told is never taken for an operator, and what it keeps is what other tools expect."""

import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any

import pytest
import pytest_asyncio
from bson import Binary, Decimal128, ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from returns.result import Failure, Success

from fastapi_easy.domain.errors import AlreadyExists, Invalid, NotFound, TooLarge
from fastapi_easy.domain.ordering import Direction, Sort
from fastapi_easy.domain.page import PageRequest
from fastapi_easy.domain.patch import Patch
from fastapi_easy.domain.query import Query
from fastapi_easy.domain.relation import to_many, to_one
from fastapi_easy.domain.specification import (
    Everything,
    Not,
    Operator,
    Where,
    is_satisfied_by,
    operators_of,
)
from fastapi_easy.testing.conformance.store import value_of
from fastapi_easy.testing.strategies import ANY_CASE, WILD
from tests.conformance.mongo_shop import mongo_shop


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Thing(BaseModel):
    id: int | None = None
    name: str | None = None
    count: int | None = None
    price: decimal.Decimal | None = None
    score: float | None = None
    done: bool | None = None
    due: datetime.date | None = None
    alarm: datetime.time | None = None
    at: datetime.datetime | None = None
    lasts: datetime.timedelta | None = None
    token: uuid.UUID | None = None
    raw: bytes | None = None
    size: Size | None = None
    level: Level | None = None
    extra: dict[str, Any] | None = None
    tags: list[str] | None = None


class Customer(BaseModel):
    id: str | None = None
    name: str = Field(max_length=50)


class Order(BaseModel):
    id: uuid.UUID = Field(default_factory=uuid.uuid4)
    customer_id: Annotated[str, ObjectId] | None = None
    referrer_id: str | None = None


class Desk(BaseModel):
    __collection__ = "furniture.desks"

    id: int | None = None


ENTITIES: dict[str, type[Any]] = {"things": Thing, "customers": Customer, "orders": Order, "desks": Desk}
RELATIONS = {
    "orders": {
        "relations": {
            "customer": to_one("customers", by="customer_id"),
            "referrer": to_one("customers", by="referrer_id"),
        }
    },
    "customers": {
        "relations": {
            "orders": to_many("orders", by="customer_id"),
            "referred": to_many("orders", by="referrer_id"),
        }
    },
}


@pytest_asyncio.fixture(scope="module")
async def opened(mongo_url):
    url = mongo_url.replace("/fastapi", "/values_fastapi")
    async with mongo_shop(url, ENTITIES, declared=RELATIONS) as shop:
        yield shop
        await shop.database.client.database.client.drop_database(shop.database.client.database.name)


@pytest_asyncio.fixture
async def shop(opened):
    for name in ENTITIES:
        value_of(await opened[name].remove_where(Everything(), max_affected=10_000))
    return opened


OPERATORS = [
    pytest.param({"$gt": ""}, id="gt"),
    pytest.param({"$ne": None}, id="ne"),
    pytest.param({"$where": "sleep(1000)"}, id="where"),
    pytest.param({"$exists": True}, id="exists"),
    pytest.param([{"$gt": ""}], id="in a list"),
]


@pytest.mark.parametrize("hostile", OPERATORS)
async def test_an_operator_in_place_of_a_value_means_nothing(shop, hostile):
    fields = shop.resources["things"].fields
    await value_of_all(shop["things"], [{"name": "a", "token": uuid.uuid4(), "count": 1}])

    for name, field in fields.items():
        for operator in operators_of(field.kind, nullable=False):
            if operator in ANY_CASE or operator in TEXT_ONLY:
                continue
            value = (hostile, hostile) if operator in LISTED else hostile
            found = await shop["things"].count(Where(name, operator, value))
            expected = 1 if operator in {Operator.DIFFERS, Operator.NOT_IN} else 0
            assert found == Success(expected), (name, operator)
    assert await shop["things"].read(hostile) == Failure(NotFound("things", hostile))
    assert await shop["things"].remove(hostile) == Failure(NotFound("things", hostile))


TEXT_ONLY = {Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH}
LISTED = {Operator.IN, Operator.NOT_IN, Operator.BETWEEN, Operator.HAS_ANY, Operator.HAS_ALL}


@pytest.mark.parametrize("hostile", OPERATORS)
@pytest.mark.parametrize("field", [name for name in Thing.model_fields if name not in {"id", "extra"}])
async def test_an_operator_in_place_of_a_value_is_not_stored(shop, field, hostile):
    added = value_of(await shop["things"].add({"name": "a"}))

    refused = await shop["things"].add({field: hostile})
    changed = await shop["things"].update(added.id, Patch({field: hostile}))

    for outcome in (refused, changed):
        assert type(outcome.failure()) is Invalid
        assert [fault.pointer for fault in outcome.failure().faults] == [f"/{field}"]
    assert await shop["things"].count(Everything()) == Success(1)


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({"$set": {"name": "b"}}, id="an operator"),
        pytest.param({"a": {"$inc": 1}}, id="an operator inside"),
        pytest.param({"a": [{"$where": "1"}]}, id="an operator in a list"),
        pytest.param({"a.b": 1}, id="a path"),
        pytest.param({"a": {".": 1}}, id="a point"),
        pytest.param({"a\x00b": 1}, id="NUL in a name"),
        pytest.param({"a": "\x00"}, id="NUL in a text"),
        pytest.param({"a": "\ud800"}, id="a lone surrogate"),
        pytest.param({"a": 2**63}, id="a number beyond 64 bits"),
        pytest.param({"a": object()}, id="no JSON"),
        pytest.param({1: "a"}, id="a name that is no text"),
    ],
)
async def test_json_that_could_mean_something_is_refused(shop, extra):
    added = value_of(await shop["things"].add({"name": "a"}))

    outcomes = [
        await shop["things"].add({"extra": extra}),
        await shop["things"].update(added.id, Patch({"extra": extra})),
        await shop["things"].update_where(Everything(), Patch({"extra": extra}), max_affected=9),
    ]

    for outcome in outcomes:
        assert [fault.pointer for fault in outcome.failure().faults] == ["/extra"]
    assert value_of(await shop["things"].read(added.id)) == added


async def test_json_nested_too_deeply_is_refused_and_what_is_less_deep_comes_back(shop):
    def nested(levels):
        value = 1
        for _ in range(levels):
            value = {"a": value}
        return value

    added = value_of(await shop["things"].add({"extra": nested(85)}))
    refused = await shop["things"].add({"extra": nested(500)})

    assert added.extra == value_of(await shop["things"].read(added.id)).extra == nested(85)
    assert type(refused.failure()) is Invalid


async def test_texts_that_look_like_expressions_are_texts(shop):
    for text in ("$name", "$$ROOT", "{$gt: 1}", ".*", "\\Q.*\\E", "^a", "a$"):
        added = value_of(await shop["things"].add({"name": text, "extra": {"a": text}}))
        version = shop.resources["things"].version_of(added)
        changed = value_of(
            await shop["things"].update(added.id, Patch({"name": text + "!"}), expected_version=version)
        )

        assert (changed.name, changed.extra) == (text + "!", {"a": text})
        assert await shop["things"].count(Where("name", Operator.CONTAINS, text)) == Success(1)
        value_of(await shop["things"].remove(added.id))


async def test_each_kind_is_kept_as_other_tools_expect_it(shop):
    token = uuid.uuid4()
    noon = datetime.datetime(2024, 2, 29, 12, 0, 0, 123_456, tzinfo=datetime.UTC)
    added = value_of(
        await shop["things"].add(
            {
                "name": "a",
                "count": 2**40,
                "price": decimal.Decimal("1.50"),
                "score": 2,
                "done": True,
                "due": noon.date(),
                "alarm": noon.time(),
                "at": noon,
                "lasts": datetime.timedelta(seconds=1),
                "token": token,
                "raw": b"\x00\xff",
                "size": Size.LARGE,
                "level": Level.HIGH,
                "extra": {"a": [1, None]},
                "tags": ["x"],
            }
        )
    )

    document = await shop.database.client.collection("thing").find_one({"_id": added.id})

    assert document == {
        "_id": added.id,
        "name": "a",
        "count": 2**40,
        "price": Decimal128("1.50"),
        "score": 2.0,
        "done": True,
        "due": datetime.datetime(2024, 2, 29),  # noqa: DTZ001
        "alarm": "12:00:00.123456",
        "at": datetime.datetime(2024, 2, 29, 12, 0, 0, 123_000),  # noqa: DTZ001
        "lasts": 1_000_000,
        "token": token,
        "raw": b"\x00\xff",
        "size": "l",
        "level": 2,
        "extra": {"a": [1, None]},
        "tags": ["x"],
    }
    assert added == value_of(await shop["things"].read(added.id))
    assert added.at == noon.replace(microsecond=123_000)


async def test_what_other_tools_wrote_is_read(shop):
    things = shop.database.client.collection("thing")
    await things.insert_one({"_id": 4711, "name": "foreign", "unknown": 1})

    found = value_of(await shop["things"].read(4711))
    changed = value_of(await shop["things"].update(4711, Patch({"count": 1})))
    nulls = await shop["things"].count(Where("price", Operator.IS_NULL, value=True))

    assert (found.name, found.price, found.extra) == ("foreign", None, None)
    assert changed == {**found, "count": 1}
    assert nulls == Success(1)
    assert (await things.find_one({"_id": 4711}))["unknown"] == 1


async def test_a_key_of_text_that_the_store_makes_is_an_object_id(shop):
    customers = shop["customers"]
    rows = [value_of(await customers.add({"name": name})) for name in "abc"]
    keys = [row.id for row in rows]

    kept = await shop.database.client.collection("customer").find_one({"name": "a"})

    assert kept["_id"] == ObjectId(keys[0])
    assert keys == sorted(set(keys))
    assert value_of(await customers.find_by_id(keys[1])) == Customer(id=keys[1], name="b")
    saved = value_of(await customers.save(Customer(name="d")))
    assert ObjectId.is_valid(saved.id)
    assert value_of(await customers.save(Customer(id=saved.id, name="e"))).name == "e"
    assert await customers.add({"id": keys[0], "name": "f"}) == Failure(AlreadyExists("customers", ("id",)))
    for key in ("nonsense", keys[0].upper(), "", "0" * 24, "\x00", "\ud800"):
        assert await customers.read(key) == Failure(NotFound("customers", key))


async def test_object_ids_compare_as_the_texts_they_are(shop):
    customers = shop["customers"]
    rows = [value_of(await customers.add({"name": name})) for name in "abcd"]
    field = shop.resources["customers"].fields["id"]
    wanted = [rows[1].id, rows[1].id[:20], rows[1].id[-3:], rows[1].id.upper(), "", "f", "zz", "\ud800"]

    for operator in operators_of(field.kind, nullable=True):
        for text in wanted:
            value: Any = (text, rows[2].id) if operator in LISTED else text
            where = Where("id", operator, text == "" if operator is Operator.IS_NULL else value)
            for meant in (where, Not(where)):
                page = value_of(await customers.select(Query(specification=meant)))
                assert list(page.items) == [row for row in rows if is_satisfied_by(meant, row)], meant

    down = Query(order=(Sort("id", Direction.DESCENDING),), page=PageRequest(limit=3))
    first = value_of(await customers.select(down))
    second = value_of(await customers.select(Query(order=down.order, page=PageRequest(after=first.next))))
    assert [*first.items, *second.items] == rows[::-1]


async def test_relations_lead_between_object_ids_and_texts(shop):
    ann, ben = [value_of(await shop["customers"].add({"name": name})) for name in ("Ann", "Ben")]
    first = value_of(await shop["orders"].add({"customer_id": ann.id, "referrer_id": ben.id}))
    second = value_of(await shop["orders"].add({"customer_id": ben.id, "referrer_id": "nobody"}))
    orders, customers = shop.resources["orders"].relations, shop.resources["customers"].relations

    async def meant(name, specification):
        page = value_of(await shop[name].select(Query(specification=specification)))
        return [row.id for row in page.items]

    is_ann = Where("name", Operator.EQUALS, "Ann")
    assert await meant("orders", orders["customer"].meaning(is_ann)) == [first.id]
    assert await meant("orders", orders["referrer"].meaning(Not(is_ann))) == [first.id]
    assert await meant("customers", customers["orders"].meaning()) == [ann.id, ben.id]
    assert await meant("customers", customers["referred"].meaning()) == [ben.id]
    by_name = Sort("name", Direction.DESCENDING, (orders["referrer"],))
    page = value_of(await shop["orders"].select(Query(order=(by_name,))))
    assert [row.id for row in page.items] == [first.id, second.id]
    [[led]] = value_of(await shop["orders"].select_each(customers["referred"], [(ben.id,)], Query()))
    assert led.id == first.id
    kept = await shop.database.client.collection("order").find_one({"_id": first.id})
    assert (kept["customer_id"], kept["referrer_id"]) == (ObjectId(ann.id), ben.id)


async def test_a_reference_that_is_no_object_id_is_refused(shop):
    refused = await shop["orders"].add({"customer_id": "nonsense"})

    assert [fault.pointer for fault in refused.failure().faults] == ["/customer_id"]


async def test_a_uuid_key_is_kept_as_the_standard_says(shop):
    added = value_of(await shop["orders"].add({}))

    raw = await shop.database.client.collection("order").find_one({"_id": Binary(added.id.bytes, 4)})

    assert raw["_id"] == added.id


async def test_numbers_go_on_behind_those_that_are_there(shop):
    value_of(await shop["desks"].save(Desk(id=50)))
    first = value_of(await shop["desks"].add({}))
    await shop.database.client.collection("fastapi_easy").delete_one({"_id": "counter:furniture.desks"})
    await shop.database.client.collection("furniture.desks").insert_one({"_id": 700})

    second = value_of(await shop["desks"].add({}))

    assert (first.id, second.id) == (51, 701)


async def test_a_document_that_is_too_large_says_so(shop):
    added = value_of(await shop["things"].add({"name": "a"}))
    huge, nearly = "x" * 17_000_000, "x" * 16_777_190

    outcomes = [
        await shop["things"].add({"name": huge}),
        await shop["things"].add({"name": nearly}),
        await shop["things"].add_all([{"name": "a"}, {"name": nearly}]),
        await shop["things"].update(added.id, Patch({"name": huge})),
        await shop["things"].update_where(Everything(), Patch({"name": huge}), max_affected=9),
    ]

    assert outcomes == [Failure(TooLarge("entity", 16 * 1024 * 1024))] * 5
    assert await shop["things"].count(Everything()) == Success(1)


@pytest.mark.parametrize("operator", sorted(ANY_CASE))
async def test_a_text_that_is_too_long_to_look_for_says_so(shop, operator):
    outcome = await shop["things"].count(Where("name", operator, "é" * 20_000))

    assert outcome == Failure(TooLarge("name", 32_000))


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    data=st.data(),
    texts=st.lists(
        st.text(alphabet=WILD + "kKsSiI\u0130ß\u1e9eµ\u03bcθϑ", max_size=6), min_size=1, max_size=8
    ),
)
async def test_any_case_means_one_to_one_lower_case_for_every_character(opened, data, texts):
    value_of(await opened["things"].remove_where(Everything(), max_affected=100))
    rows = value_of(await opened["things"].add_all([{"name": text} for text in texts]))

    for operator in sorted(ANY_CASE):
        needle = data.draw(st.sampled_from(texts))
        changed = data.draw(st.sampled_from([needle, needle.upper(), needle.lower(), needle.swapcase()]))
        where = Where("name", operator, changed)
        page = value_of(await opened["things"].select(Query(specification=where)))

        assert list(page.items) == [row for row in rows if is_satisfied_by(where, row)]


@pytest.mark.parametrize(
    ("field", "kept", "compared"),
    [
        pytest.param(
            "price",
            [decimal.Decimal("1.5"), decimal.Decimal("-1E+6000")],
            [
                decimal.Decimal("1.5" + "0" * 40),
                decimal.Decimal("1.5" + "0" * 40 + "1"),
                decimal.Decimal("1.4" + "9" * 60),
                decimal.Decimal("1E+7000"),
                decimal.Decimal("-1E+7000"),
                decimal.Decimal("-0"),
            ],
            id="decimals",
        ),
        pytest.param(
            "score",
            [1.5, float("inf"), float("-inf")],
            [float("nan"), float("inf"), -0.0, 1.5],
            id="floats",
        ),
        pytest.param(
            "lasts",
            [datetime.timedelta(0), datetime.timedelta(days=10**8)],
            [datetime.timedelta.max, datetime.timedelta.min, datetime.timedelta(microseconds=1)],
            id="durations",
        ),
        pytest.param("count", [0, 2**63 - 1], [2**63, -(2**63) - 1, 10**30, 2**63 - 1], id="integers"),
        pytest.param(
            "at",
            [
                datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
                datetime.datetime(1, 1, 1, tzinfo=datetime.UTC),
            ],
            [
                datetime.datetime(1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=5))),
                datetime.datetime(
                    9999, 12, 31, 23, 59, tzinfo=datetime.timezone(datetime.timedelta(hours=-5))
                ),
                datetime.datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=datetime.UTC),
            ],
            id="times",
        ),
        pytest.param("name", ["a", "b", "\ue000"], ["a\x00", "a\ud800", "\udfff", "\x00"], id="texts"),
    ],
)
async def test_values_that_cannot_be_kept_compare_as_in_memory(shop, field, kept, compared):
    await value_of_all(shop["things"], [{field: value} for value in (*kept, None)])
    rows = value_of(await shop["things"].select(Query())).items
    about = shop.resources["things"].fields[field]

    for operator in operators_of(about.kind, nullable=False):
        for value in compared:
            where = Where(field, operator, (value, kept[0]) if operator in LISTED else value)
            for meant in (where, Not(where)):
                page = value_of(await shop["things"].select(Query(specification=meant)))
                assert list(page.items) == [row for row in rows if is_satisfied_by(meant, row)], meant


async def value_of_all(repository, rows):
    return value_of(await repository.add_all(rows))
