"""Statements in the words of each driver, and the values that go in and come out."""

import datetime
import decimal
import enum

import pytest
from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    Enum,
    Float,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.mysql.asyncmy import dialect as asyncmy
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import dialect as aiosqlite
from sqlalchemy.types import TupleType

from fastapi_easy.infrastructure.relational.column_types import UtcDateTime
from fastapi_easy.infrastructure.relational.driver.compiled import EXPANSIONS, Compiled, Incompilable

NOON = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)


class Shade(enum.Enum):
    DARK = "d"


LAMPS = Table(
    "lamps",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", String, default=lambda: "made"),
    Column("shade", Enum(Shade)),
    Column("seen_at", UtcDateTime(timezone=True), onupdate=lambda: NOON),
    Column("price", Numeric(9, 2)),
    Column("load", Float),
    Column("loads", ARRAY(Numeric)),
)
NAMED = select(LAMPS.c.id).where(LAMPS.c.name == bindparam("name", type_=String()), LAMPS.c.id != 7)


@pytest.mark.parametrize(
    ("dialect", "condition"),
    [
        pytest.param(asyncpg(), "lamps.name = $1::VARCHAR AND lamps.id != $2::INTEGER", id="asyncpg"),
        pytest.param(asyncmy(), "lamps.name = %s AND lamps.id != %s", id="asyncmy"),
        pytest.param(aiosqlite(), "lamps.name = ? AND lamps.id != ?", id="aiosqlite"),
    ],
)
def test_speaks_as_the_driver_wants_it(dialect, condition):
    words, arguments = Compiled(NAMED, dialect).bound({"name": "a"})

    assert words.endswith(condition)
    assert arguments == ("a", 7)


def test_a_parameter_that_stands_twice_is_sent_as_often_as_the_driver_needs_it():
    name = bindparam("name", type_=String())
    statement = select(LAMPS.c.id).where((LAMPS.c.name == name) | (func.lower(LAMPS.c.name) == name))

    assert Compiled(statement, asyncpg()).bound({"name": "a"})[1] == ("a",)
    assert Compiled(statement, aiosqlite()).bound({"name": "a"})[1] == ("a", "a")


def test_values_go_through_what_their_types_do_to_them():
    statement = select(LAMPS.c.id).where(LAMPS.c.shade == bindparam("shade", type_=LAMPS.c.shade.type))
    moment = select(LAMPS.c.id).where(LAMPS.c.seen_at == bindparam("at", type_=LAMPS.c.seen_at.type))

    assert Compiled(statement, aiosqlite()).bound({"shade": Shade.DARK})[1] == ("DARK",)
    assert Compiled(moment, aiosqlite()).bound({"at": NOON})[1] == ("2024-02-29 12:00:00.000000",)


def test_lists_are_written_out_for_each_length():
    names = bindparam("names", type_=String(), expanding=True)
    statement = select(LAMPS.c.id).where(
        LAMPS.c.name.in_(names), LAMPS.c.id > bindparam("id", type_=Integer())
    )
    compiled = Compiled(statement, asyncpg())

    words, arguments = compiled.bound({"names": ["a", "b"], "id": 1})
    longer = [compiled.bound({"names": ["a"] * length, "id": 1}) for length in range(1, EXPANSIONS + 5)]

    assert words.count("$") == len(arguments) == 3
    assert sorted(map(str, arguments)) == ["1", "a", "b"]
    assert [len(arguments) for _, arguments in longer] == [length + 1 for length in range(1, EXPANSIONS + 5)]
    assert compiled.bound({"names": ["a", "b"], "id": 1}) == (words, arguments)


def test_lists_of_tuples_are_written_out_too():
    pairs = bindparam("pairs", type_=TupleType(Integer(), LAMPS.c.shade.type), expanding=True)
    statement = select(LAMPS.c.id).where(tuple_(LAMPS.c.id, LAMPS.c.shade).in_(pairs))

    _, arguments = Compiled(statement, aiosqlite()).bound({"pairs": [(1, Shade.DARK), (2, None)]})

    assert arguments == (1, "DARK", 2, None)


def test_columns_fill_themselves_in():
    added = Compiled(insert(LAMPS).values(id=bindparam("new", type_=Integer())), aiosqlite())
    changed = Compiled(update(LAMPS).values(name=bindparam("new", type_=String())), aiosqlite())

    assert added.bound({"new": 1})[1] == (1, "made")
    assert changed.bound({"new": "b"})[1] == ("b", "2024-02-29 12:00:00.000000")
    assert added.key(5) == (5,)
    assert changed.key(5) is None


@pytest.mark.parametrize(
    ("dialect", "sent", "expected"),
    [
        pytest.param(
            asyncpg(),
            ("DARK", NOON, decimal.Decimal("1.50"), decimal.Decimal("0.5"), [decimal.Decimal(1)]),
            [Shade.DARK, NOON, decimal.Decimal("1.50"), 0.5, [decimal.Decimal(1)]],
            id="asyncpg",
        ),
        pytest.param(
            asyncpg(),
            ("DARK", NOON, 1.5, 0.5, None),
            [Shade.DARK, NOON, decimal.Decimal("1.5"), 0.5, None],
            id="floats",
        ),
    ],
)
def test_values_come_back_as_their_types_say(dialect, sent, expected):
    columns = (LAMPS.c.shade, LAMPS.c.seen_at, LAMPS.c.price, LAMPS.c.load, LAMPS.c.loads)
    compiled = Compiled(select(*columns), dialect)

    rows = [list(row) for row in compiled.rows([sent])]

    assert rows == [expected]
    assert [type(each) for each in rows[0]] == [type(each) for each in expected]


def test_what_needs_no_change_is_handed_on():
    compiled, records = Compiled(select(LAMPS.c.id, LAMPS.c.name), asyncpg()), [(1, "a")]

    assert compiled.rows(records) is records
    assert compiled.returns


def test_plain_text_can_be_sent():
    compiled = Compiled(text("SELECT CAST(:name AS text) AS name").columns(name=Text()), asyncpg())

    assert compiled.bound({"name": "a"}) == ("SELECT CAST($1 AS text) AS name", ("a",))


def test_a_value_that_was_not_given_is_missed():
    with pytest.raises(LookupError):
        Compiled(NAMED, aiosqlite()).bound({})


def test_what_depends_on_sqlalchemys_execution_is_left_to_it():
    table = Table(
        "t", MetaData(), Column("id", Integer, primary_key=True), Column("at", DateTime, default=_looking)
    )

    with pytest.raises(Incompilable):
        Compiled(insert(table).values(id=1), aiosqlite())


def _looking(context):
    return context.get_current_parameters()["id"]
