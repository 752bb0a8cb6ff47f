"""Many new rows at once: what they hold, in which order they come back, and in which words they are sent."""

import datetime
import decimal
import enum
import random
import secrets
import uuid
from typing import Any

import pytest
from returns.result import Failure
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Enum,
    Float,
    Identity,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    String,
    Text,
    Time,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.row import Rows
from fastapi_easy.domain.errors import Fault, Invalid
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.infrastructure.persistence.sqlalchemy.batching import InsertBatch, inserted_rows
from fastapi_easy.infrastructure.persistence.sqlalchemy.writing import CHUNK
from fastapi_easy.infrastructure.relational.driver.executor import StatementResult
from tests.unit.infrastructure.sqlalchemy.relational import relational

D = decimal.Decimal
MOMENT = datetime.datetime(2026, 11, 23, 8, 30, 0, 12_345, datetime.UTC)


class Colour(enum.Enum):
    RED = "r:e,d"
    BLUE = "blue"


def things() -> dict[str, type[Any]]:
    class Base(DeclarativeBase): ...

    name = f"things_{secrets.token_hex(4)}"

    class Thing(Base):
        __tablename__ = name
        id: Mapped[int] = mapped_column(primary_key=True)
        short: Mapped[str | None] = mapped_column(String(5))
        bytewise: Mapped[str | None] = mapped_column(Text().with_variant(Text(collation="C"), "postgresql"))
        whole: Mapped[int | None] = mapped_column(BigInteger)
        price: Mapped[D | None] = mapped_column(Numeric(8, 2))
        size: Mapped[float | None] = mapped_column(Float)
        is_new: Mapped[bool | None] = mapped_column(Boolean)
        day: Mapped[datetime.date | None] = mapped_column(Date)
        hour: Mapped[datetime.time | None] = mapped_column(Time)
        moment: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))
        local: Mapped[datetime.datetime | None] = mapped_column(DateTime)
        length: Mapped[datetime.timedelta | None] = mapped_column(Interval)
        token: Mapped[uuid.UUID | None] = mapped_column(Uuid)
        data: Mapped[bytes | None] = mapped_column(LargeBinary)
        colour: Mapped[Colour | None] = mapped_column(Enum(Colour, name=f"{name}_Colour"))
        other: Mapped[Colour | None] = mapped_column(Enum(Colour, native_enum=False))
        document: Mapped[Any | None] = mapped_column(JSON)
        binary_document: Mapped[Any | None] = mapped_column(JSON().with_variant(JSONB(), "postgresql"))
        number: Mapped[int] = mapped_column(Integer, default=7)
        stamp: Mapped[str] = mapped_column(String(20), server_default="made there")

    return {"things": Thing}


FULL: dict[str, Any] = {
    "short": '"a,\\',
    "bytewise": "ünï {NULL}",
    "whole": 2**63 - 1,
    "price": D("123456.70"),
    "size": 0.1,
    "is_new": False,
    "day": datetime.date(2026, 11, 23),
    "hour": datetime.time(8, 30, 0, 12_345),
    "moment": MOMENT,
    "local": MOMENT,
    "length": datetime.timedelta(days=-3, microseconds=1),
    "token": uuid.UUID(int=2**127),
    "data": b"\x00{}'",
    "colour": Colour.RED,
    "other": Colour.BLUE,
    "document": {"a": [1, None, "x"], "b": {}},
    "binary_document": [{"a": 1.5}, "y", True],
    "number": 3,
}
NOTHING: dict[str, Any] = {**dict.fromkeys(FULL), "number": 3}


def without_key(rows: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]


async def test_rows_of_every_type_are_as_when_they_are_added_one_by_one(url):
    given = [
        FULL,
        NOTHING,
        {**FULL, "document": [], "short": ""},
        {},
        {"stamp": "mine"},
        {"stamp": "mine", **FULL},
    ]
    async with relational(url, things()) as world:
        single = [(await world["things"].add(values)).unwrap() for values in given]
        with world.listening() as said:
            many = (await world["things"].add_all(given)).unwrap()

    assert without_key(many) == without_key(single)
    assert [list(map(type, row.values())) for row in many] == [
        list(map(type, row.values())) for row in single
    ]
    assert [row["id"] for row in many] == list(range(len(given) + 1, 2 * len(given) + 1))
    assert any("unnest" in each for each in said) == url.startswith("postgresql")


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"short": "too long"}, id="text"),
        pytest.param({"price": D("1234567.00")}, id="a number"),
        pytest.param({"whole": 2**63}, id="beyond 64 bits"),
    ],
)
@pytest.mark.parametrize("server", ["postgres", "mariadb"])
async def test_refuses_a_value_that_does_not_fit_and_stores_nothing(request, server, values):
    async with relational(request.getfixturevalue(f"{server}_url"), things()) as world:
        refused = await world["things"].add_all([FULL, {**FULL, **values}])
        kept = await world["things"].count(Everything())

    assert isinstance(refused, Failure)
    assert isinstance(refused.failure(), Invalid)
    assert {each.code for each in refused.failure().faults} == {"out_of_range"}
    assert kept.unwrap() == 0


@pytest.mark.parametrize("whole", [2**63, -(2**63) - 1, 10**30])
async def test_an_integer_of_more_than_64_bits_is_refused_and_what_was_written_before_stays(url, whole):
    async with relational(url, things()) as world:
        there = (await world["things"].add(FULL)).unwrap()
        refused = [
            await world["things"].add({"whole": whole}),
            await world["things"].update(there["id"], Patch({"whole": whole})),
            await world["things"].add_all([FULL, {**FULL, "whole": whole}]),
        ]
        kept = await world["things"].count(Everything())

    assert {fault.code for each in refused for fault in each.failure().faults} == {"out_of_range"}
    assert {fault.pointer for each in refused[:2] for fault in each.failure().faults} == {"/whole"}
    assert kept.unwrap() == 1


async def test_reports_the_first_row_without_a_required_value(url):
    async with relational(url, things()) as world:
        refused = await world["things"].add_all([{}, {"number": None}, {"short": "a", "number": None}])

    assert refused == Failure(Invalid((Fault("/number", "A value is needed", "null_not_allowed"),)))


async def test_rows_come_back_in_order_whatever_fields_each_has_and_however_many_they_are(url):
    forms = [
        {},
        {"stamp": "mine"},
        {"short": "a"},
        {"stamp": "mine", "short": "a"},
        {"short": "a", "stamp": "mine"},
    ]
    chosen = random.Random(4)  # noqa: S311 - no secret
    given = [{"whole": number, **chosen.choice(forms)} for number in range(2 * CHUNK + 10)]
    async with relational(url, things()) as world:
        rows = (await world["things"].add_all(given)).unwrap()
        alike = (
            await world["things"].add_all([{"whole": number} for number in range(2 * CHUNK + 10)])
        ).unwrap()

    assert [row["whole"] for row in rows] == list(range(len(given)))
    assert [row["stamp"] for row in rows] == [each.get("stamp", "made there") for each in given]
    # Counted up in the order in which they were given.
    assert [row["whole"] for row in sorted(alike, key=lambda row: row["id"])] == list(range(2 * CHUNK + 10))
    assert [row["whole"] for row in alike] == list(range(2 * CHUNK + 10))


def keyed(key: Any, type_: Any, **more: Any) -> dict[str, type[Any]]:
    class Base(DeclarativeBase): ...

    class Token(Base):
        __tablename__ = f"tokens_{secrets.token_hex(4)}"
        id: Mapped[key] = mapped_column(type_, primary_key=True, **more)
        place: Mapped[int] = mapped_column(Integer)

    return {"tokens": Token}


async def test_rows_with_keys_of_their_own_come_back_in_order(url):
    given = [{"id": uuid.uuid4(), "place": place} for place in range(50)]
    async with relational(url, keyed(uuid.UUID, Uuid)) as world:
        rows = (await world["tokens"].add_all(given)).unwrap()

    assert [dict(row) for row in rows] == given


@pytest.mark.parametrize(
    ("key", "type_", "more"),
    [
        pytest.param(uuid.UUID, Uuid, {"server_default": text("gen_random_uuid()")}, id="made by the server"),
        pytest.param(
            int, Integer, {"server_default": Identity(start=-1, increment=-1, minvalue=-99)}, id="downwards"
        ),
        pytest.param(
            int, Integer, {"server_default": Identity(minvalue=1, maxvalue=9, cycle=True)}, id="in a circle"
        ),
    ],
)
async def test_rows_whose_keys_do_not_tell_their_order_are_not_sent_as_lists(postgres_url, key, type_, more):
    default = more["server_default"]
    entities = keyed(key, type_, **more) if not isinstance(default, Identity) else counted(default)
    async with relational(postgres_url, entities) as world:
        with world.listening() as said:
            rows = (await world["tokens"].add_all([{"place": place} for place in range(5)])).unwrap()

    assert not any("unnest" in each for each in said)
    assert [row["place"] for row in rows] == list(range(5))


def counted(identity: Identity) -> dict[str, type[Any]]:
    class Base(DeclarativeBase): ...

    class Token(Base):
        __tablename__ = f"tokens_{secrets.token_hex(4)}"
        id: Mapped[int] = mapped_column(Integer, identity, primary_key=True)
        place: Mapped[int] = mapped_column(Integer)

    return {"tokens": Token}


async def test_lists_are_not_sent_within_lists(postgres_url):
    class Base(DeclarativeBase): ...

    class Tagged(Base):
        __tablename__ = f"tagged_{secrets.token_hex(4)}"
        id: Mapped[int] = mapped_column(primary_key=True)
        tags: Mapped[list[str]] = mapped_column(ARRAY(String(5)))

    given = [{"tags": tags} for tags in (["a"], [], ["b", "c"])]
    async with relational(postgres_url, {"tagged": Tagged}) as world:
        rows = (await world["tagged"].add_all(given)).unwrap()

    assert [row["tags"] for row in rows] == [["a"], [], ["b", "c"]]


@pytest.mark.parametrize(
    ("key", "type_", "columns", "records", "expected"),
    [
        pytest.param(int, Integer, {"place": [7, 8, 9]}, [(3, 9), (1, 7), (2, 8)], [7, 8, 9], id="counted"),
        pytest.param(
            str, String(9), {"id": ["b", "a"], "place": [7, 8]}, [("a", 8), ("b", 7)], [7, 8], id="given"
        ),
        pytest.param(
            str, String(9), {"id": ["b", "a"], "place": [7, 8]}, [("b ", 7), ("a ", 8)], [7, 8], id="respelt"
        ),
    ],
)
async def test_puts_returned_rows_in_order(key, type_, columns, records, expected):
    async with relational("sqlite://", keyed(key, type_)) as world:
        plan = await world.database.plan(world.resources["tokens"])
        rows = inserted_rows(plan, InsertBatch(range(len(records)), columns), StatementResult(records))

    assert isinstance(rows, Rows)
    assert [row["place"] for row in rows] == expected


async def test_fails_when_a_row_is_not_returned():
    async with relational("sqlite://", keyed(int, Integer)) as world:
        plan = await world.database.plan(world.resources["tokens"])
        with pytest.raises(LookupError):
            _ = inserted_rows(plan, InsertBatch(range(2), {"place": [1, 2]}), StatementResult([(1, 1)]))
