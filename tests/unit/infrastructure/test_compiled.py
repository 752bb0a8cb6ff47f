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
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import TupleType

from fastapi_easy.infrastructure.relational.column_types import UtcDateTime
from fastapi_easy.infrastructure.relational.driver.compiled import (
    MAX_EXPANSIONS,
    CompiledStatement,
    NotCompilable,
)

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
def test_compiles_for_the_dialect_of_the_driver(dialect, condition):
    words, arguments = CompiledStatement(NAMED, dialect).bind({"name": "a"})

    assert words.endswith(condition)
    assert arguments == ("a", 7)


def test_sends_a_repeated_parameter_as_often_as_the_driver_needs_it():
    name = bindparam("name", type_=String())
    statement = select(LAMPS.c.id).where((LAMPS.c.name == name) | (func.lower(LAMPS.c.name) == name))

    assert CompiledStatement(statement, asyncpg()).bind({"name": "a"})[1] == ("a",)
    assert CompiledStatement(statement, aiosqlite()).bind({"name": "a"})[1] == ("a", "a")


def test_encodes_values_as_their_types_do():
    statement = select(LAMPS.c.id).where(LAMPS.c.shade == bindparam("shade", type_=LAMPS.c.shade.type))
    moment = select(LAMPS.c.id).where(LAMPS.c.seen_at == bindparam("at", type_=LAMPS.c.seen_at.type))

    assert CompiledStatement(statement, aiosqlite()).bind({"shade": Shade.DARK})[1] == ("DARK",)
    assert CompiledStatement(moment, aiosqlite()).bind({"at": NOON})[1] == ("2024-02-29 12:00:00.000000",)


def test_expands_lists_for_each_length():
    names = bindparam("names", type_=String(), expanding=True)
    statement = select(LAMPS.c.id).where(
        LAMPS.c.name.in_(names), LAMPS.c.id > bindparam("id", type_=Integer())
    )
    compiled = CompiledStatement(statement, asyncpg())

    words, arguments = compiled.bind({"names": ["a", "b"], "id": 1})
    longer = [compiled.bind({"names": ["a"] * length, "id": 1}) for length in range(1, MAX_EXPANSIONS + 5)]

    assert words.count("$") == len(arguments) == 3
    assert sorted(map(str, arguments)) == ["1", "a", "b"]
    assert [len(arguments) for _, arguments in longer] == [
        length + 1 for length in range(1, MAX_EXPANSIONS + 5)
    ]
    assert compiled.bind({"names": ["a", "b"], "id": 1}) == (words, arguments)


def test_expands_lists_of_tuples():
    pairs = bindparam("pairs", type_=TupleType(Integer(), LAMPS.c.shade.type), expanding=True)
    statement = select(LAMPS.c.id).where(tuple_(LAMPS.c.id, LAMPS.c.shade).in_(pairs))

    _, arguments = CompiledStatement(statement, aiosqlite()).bind({"pairs": [(1, Shade.DARK), (2, None)]})

    assert arguments == (1, "DARK", 2, None)


def test_fills_in_defaults_of_columns():
    added = CompiledStatement(insert(LAMPS).values(id=bindparam("new", type_=Integer())), aiosqlite())
    changed = CompiledStatement(update(LAMPS).values(name=bindparam("new", type_=String())), aiosqlite())

    assert added.bind({"new": 1})[1] == (1, "made")
    assert changed.bind({"new": "b"})[1] == ("b", "2024-02-29 12:00:00.000000")
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
def test_decodes_values_as_their_types_do(dialect, sent, expected):
    columns = (LAMPS.c.shade, LAMPS.c.seen_at, LAMPS.c.price, LAMPS.c.load, LAMPS.c.loads)
    compiled = CompiledStatement(select(*columns), dialect)

    rows = [list(row) for row in compiled.rows([sent])]

    assert rows == [expected]
    assert [type(each) for each in rows[0]] == [type(each) for each in expected]


def test_passes_on_rows_that_need_no_decoding():
    compiled, records = CompiledStatement(select(LAMPS.c.id, LAMPS.c.name), asyncpg()), [(1, "a")]

    assert compiled.rows(records) is records
    assert compiled.returns_rows


def test_plain_text_can_be_sent():
    compiled = CompiledStatement(text("SELECT CAST(:name AS text) AS name").columns(name=Text()), asyncpg())

    assert compiled.bind({"name": "a"}) == ("SELECT CAST($1 AS text) AS name", ("a",))


def test_fails_without_a_required_parameter():
    with pytest.raises(LookupError):
        CompiledStatement(NAMED, aiosqlite()).bind({})


def test_refuses_statements_that_depend_on_sqlalchemys_execution():
    table = Table(
        "t", MetaData(), Column("id", Integer, primary_key=True), Column("at", DateTime, default=_looking)
    )

    with pytest.raises(NotCompilable):
        CompiledStatement(insert(table).values(id=1), aiosqlite())


def test_statements_about_tables_are_left_to_sqlalchemy() -> None:
    table = Table("t", MetaData(), Column("id", Integer, primary_key=True))

    with pytest.raises(NotCompilable):
        CompiledStatement(CreateTable(table), aiosqlite(), [])


def _looking(context):
    return context.get_current_parameters()["id"]
