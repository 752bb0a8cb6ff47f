"""What MongoDB keeps is what other tools expect, and compares as it does in memory."""

import datetime
import decimal
import uuid
from typing import Any

import pytest
from bson import Binary, Decimal128, ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import AlreadyExists, NotFound, TooLarge
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import (
    Everything,
    Not,
    Operator,
    Where,
    is_satisfied_by,
    operators_of,
)
from fastapi_easy.testing.conformance.store import value_of
from fastapi_easy.testing.strategies import ANY_CASE, WILD
from tests.conformance.mongo_documents import (
    LISTED,
    Customer,
    Desk,
    Level,
    Size,
    value_of_all,
)


async def test_each_kind_is_kept_as_other_tools_expect_it(documents):
    token = uuid.uuid4()
    noon = datetime.datetime(2024, 2, 29, 12, 0, 0, 123_456, tzinfo=datetime.UTC)
    added = value_of(
        await documents["things"].add(
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

    document = await documents.database.client.collection("thing").find_one({"_id": added.id})

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
    assert added == value_of(await documents["things"].read(added.id))
    assert added.at == noon.replace(microsecond=123_000)


async def test_what_other_tools_wrote_is_read(documents):
    things = documents.database.client.collection("thing")
    await things.insert_one({"_id": 4711, "name": "foreign", "unknown": 1})

    found = value_of(await documents["things"].read(4711))
    changed = value_of(await documents["things"].update(4711, Patch({"count": 1})))
    nulls = await documents["things"].count(Where("price", Operator.IS_NULL, value=True))

    assert (found.name, found.price, found.extra) == ("foreign", None, None)
    assert changed == {**found, "count": 1}
    assert nulls == Success(1)
    assert (await things.find_one({"_id": 4711}))["unknown"] == 1


async def test_a_key_of_text_that_the_store_makes_is_an_object_id(documents):
    customers = documents["customers"]
    rows = [value_of(await customers.add({"name": name})) for name in "abc"]
    keys = [row.id for row in rows]

    kept = await documents.database.client.collection("customer").find_one({"name": "a"})

    assert kept["_id"] == ObjectId(keys[0])
    assert keys == sorted(set(keys))
    assert value_of(await documents.entities("customers").find_by_id(keys[1])) == Customer(
        id=keys[1], name="b"
    )
    saved = value_of(await documents.entities("customers").save(Customer(name="d")))
    assert ObjectId.is_valid(saved.id)
    assert value_of(await documents.entities("customers").save(Customer(id=saved.id, name="e"))).name == "e"
    assert await customers.add({"id": keys[0], "name": "f"}) == Failure(AlreadyExists("customers", ("id",)))
    for key in ("nonsense", keys[0].upper(), "", "0" * 24, "\x00", "\ud800"):
        assert await customers.read(key) == Failure(NotFound("customers", key))


async def test_object_ids_compare_as_the_texts_they_are(documents):
    customers = documents["customers"]
    rows = [value_of(await customers.add({"name": name})) for name in "abcd"]
    field = documents.resources["customers"].fields["id"]
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


async def test_relations_lead_between_object_ids_and_texts(documents):
    ann, ben = [value_of(await documents["customers"].add({"name": name})) for name in ("Ann", "Ben")]
    first = value_of(await documents["orders"].add({"customer_id": ann.id, "referrer_id": ben.id}))
    second = value_of(await documents["orders"].add({"customer_id": ben.id, "referrer_id": "nobody"}))
    orders, customers = documents.resources["orders"].relations, documents.resources["customers"].relations

    async def meant(name, specification):
        page = value_of(await documents[name].select(Query(specification=specification)))
        return [row.id for row in page.items]

    is_ann = Where("name", Operator.EQUALS, "Ann")
    assert await meant("orders", orders["customer"].exists(is_ann)) == [first.id]
    assert await meant("orders", orders["referrer"].exists(Not(is_ann))) == [first.id]
    assert await meant("customers", customers["orders"].exists()) == [ann.id, ben.id]
    assert await meant("customers", customers["referred"].exists()) == [ben.id]
    by_name = Sort("name", Direction.DESCENDING, (orders["referrer"],))
    page = value_of(await documents["orders"].select(Query(order=(by_name,))))
    assert [row.id for row in page.items] == [first.id, second.id]
    [[led]] = value_of(await documents["orders"].select_each(customers["referred"], [(ben.id,)], Query()))
    assert led.id == first.id
    kept = await documents.database.client.collection("order").find_one({"_id": first.id})
    assert (kept["customer_id"], kept["referrer_id"]) == (ObjectId(ann.id), ben.id)


async def test_a_reference_that_is_no_object_id_is_refused(documents):
    refused = await documents["orders"].add({"customer_id": "nonsense"})

    assert [fault.pointer for fault in refused.failure().faults] == ["/customer_id"]


async def test_a_uuid_key_is_kept_as_the_standard_says(documents):
    added = value_of(await documents["orders"].add({}))

    raw = await documents.database.client.collection("order").find_one({"_id": Binary(added.id.bytes, 4)})

    assert raw["_id"] == added.id


async def test_generated_numbers_continue_after_existing_keys(documents):
    value_of(await documents.entities("desks").save(Desk(id=50)))
    first = value_of(await documents["desks"].add({}))
    await documents.database.client.collection("fastapi_easy").delete_one({"_id": "counter:furniture.desks"})
    await documents.database.client.collection("furniture.desks").insert_one({"_id": 700})

    second = value_of(await documents["desks"].add({}))

    assert (first.id, second.id) == (51, 701)


async def test_a_document_that_is_too_large_says_so(documents):
    added = value_of(await documents["things"].add({"name": "a"}))
    huge, nearly = "x" * 17_000_000, "x" * 16_777_190

    outcomes = [
        await documents["things"].add({"name": huge}),
        await documents["things"].add({"name": nearly}),
        await documents["things"].add_all([{"name": "a"}, {"name": nearly}]),
        await documents["things"].update(added.id, Patch({"name": huge})),
        await documents["things"].update_where(Everything(), Patch({"name": huge}), max_affected=9),
    ]

    assert outcomes == [Failure(TooLarge("entity", 16 * 1024 * 1024))] * 5
    assert await documents["things"].count(Everything()) == Success(1)


@pytest.mark.parametrize("operator", sorted(ANY_CASE))
async def test_a_text_that_is_too_long_to_look_for_says_so(documents, operator):
    outcome = await documents["things"].count(Where("name", operator, "é" * 20_000))

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
async def test_any_case_means_one_to_one_lower_case_for_every_character(opened_documents, data, texts):
    value_of(await opened_documents["things"].remove_where(Everything(), max_affected=100))
    rows = value_of(await opened_documents["things"].add_all([{"name": text} for text in texts]))

    for operator in sorted(ANY_CASE):
        needle = data.draw(st.sampled_from(texts))
        changed = data.draw(st.sampled_from([needle, needle.upper(), needle.lower(), needle.swapcase()]))
        where = Where("name", operator, changed)
        page = value_of(await opened_documents["things"].select(Query(specification=where)))

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
            [1.5, 0.0],
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
async def test_values_that_cannot_be_kept_compare_as_in_memory(documents, field, kept, compared):
    await value_of_all(documents["things"], [{field: value} for value in (*kept, None)])
    rows = value_of(await documents["things"].select(Query())).items
    about = documents.resources["things"].fields[field]

    for operator in operators_of(about.kind, nullable=False):
        for value in compared:
            where = Where(field, operator, (value, kept[0]) if operator in LISTED else value)
            for meant in (where, Not(where)):
                page = value_of(await documents["things"].select(Query(specification=meant)))
                assert list(page.items) == [row for row in rows if is_satisfied_by(meant, row)], meant
