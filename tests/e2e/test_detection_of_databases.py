"""Public databases, and what is stored beside tables: what is found, and what is left alone."""

import re
from collections.abc import Callable, Iterator, Sequence

import pytest
import sqlalchemy
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Engine,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ENUM
from sqlalchemy.schema import DefaultClause

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.infrastructure.migrations.relational.detection.description import describe
from fastapi_easy.infrastructure.migrations.relational.detection.detect import detect
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables
from tests.e2e.carrying_out import run
from tests.e2e.datasets import engine_of, statements
from tests.e2e.test_datasets import DATASETS
from tests.services.wanted import empty_database

POSTGRES_DATASETS = ("chinook", "pagila")
BESIDE_TABLES = re.compile(r"^CREATE (TYPE|DOMAIN|EXTENSION|SEQUENCE)")


def found_in(
    connection: Connection, metadata: MetaData, hints: Hints | None = None, ours: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """Kind and object of each difference."""
    found = detect(connection, DeclaredTables(metadata=metadata), hints or Hints(), ours)
    return [(str(each.change.kind), each.change.object) for each in found]


@pytest.fixture(scope="module", params=POSTGRES_DATASETS)
def dataset(request: pytest.FixtureRequest) -> Iterator[tuple[str, Engine]]:
    """A public database without rows."""
    with (
        empty_database("postgres") as url,
        DATASETS[request.param].loaded_into(url, with_rows=False) as engine,
    ):
        yield request.param, engine


@pytest.fixture(scope="module")
def pagila() -> Iterator[Engine]:
    """The one with partitions, views, enumerations, domains and computed columns."""
    with empty_database("postgres") as url, DATASETS["pagila"].loaded_into(url, with_rows=False) as engine:
        yield engine


@pytest.fixture(scope="module")
def chinook() -> Iterator[Engine]:
    """The music shop."""
    with empty_database("postgres") as url, DATASETS["chinook"].loaded_into(url, with_rows=False) as engine:
        yield engine


def reflected(engine: Engine, without: str = "^$", only: str = "") -> MetaData:
    """What SQLAlchemy reads of the tables, or of one and those that it refers to."""
    metadata = MetaData()
    metadata.reflect(engine, only=[only] if only else lambda name, _: not re.search(without, name))
    return metadata


@pytest.mark.filterwarnings("ignore:Did not recognize type")
def test_a_public_database_does_not_differ_from_itself(dataset: tuple[str, Engine]) -> None:
    _, engine = dataset
    metadata = reflected(engine)

    with engine.connect() as connection:
        found = found_in(connection, metadata)

    assert found == []


@pytest.mark.filterwarnings("ignore:Did not recognize type")
def test_a_public_database_does_not_differ_from_a_second_one(dataset: tuple[str, Engine]) -> None:
    name, engine = dataset
    metadata = reflected(engine, without="payment_p|film_embedding")
    with empty_database("postgres") as url:
        second = engine_of(url)
        with second.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements(DATASETS[name].text()):
                if BESIDE_TABLES.match(statement) and "vector" not in statement:
                    run(connection, statement)
            metadata.create_all(connection)

            found = found_in(connection, metadata)

        second.dispose()
    assert found == []


def _with(table: str, part: Callable[[Table], object]) -> Callable[[MetaData], None]:
    def edit(metadata: MetaData) -> None:
        made = part(metadata.tables[table])
        if isinstance(made, Column):
            metadata.tables[table].append_column(made)
        elif not isinstance(made, Index):
            metadata.tables[table].append_constraint(made)

    return edit


def _set(path: str, attribute: str, value: object) -> Callable[[MetaData], None]:
    def edit(metadata: MetaData) -> None:
        table, _, name = path.partition(".")
        setattr(metadata.tables[table].columns[name], attribute, value)

    return edit


def _without(table: str, pattern: str) -> Callable[[MetaData], None]:
    def edit(metadata: MetaData) -> None:
        of = metadata.tables[table]
        for index in tuple(of.indexes):
            if re.search(pattern, str(index.name)):
                of.indexes.remove(index)
        for rule in tuple(of.constraints):
            if re.search(pattern, str(rule.name)):
                of.constraints.remove(rule)

    return edit


PAGILA_EDITS: dict[str, tuple[Callable[[MetaData], None], list[tuple[str, str]]]] = {
    "column added": (_with("film", lambda _: Column("seen", Integer)), [("add_column", "film.seen")]),
    "column of a partitioned table": (
        _with("payment", lambda _: Column("note", Text)),
        [("add_column", "payment.note")],
    ),
    "type of a text": (_set("film.title", "type", String(100)), [("change_type", "film.title")]),
    "wider number": (_set("film.length", "type", Integer()), [("change_type", "film.length")]),
    "fewer digits": (_set("film.rental_rate", "type", Numeric(4, 1)), [("change_type", "film.rental_rate")]),
    "default": (
        _set("film.rental_duration", "server_default", DefaultClause("5")),
        [("change_default", "film.rental_duration")],
    ),
    "no default": (
        _set("film.rental_duration", "server_default", None),
        [("change_default", "film.rental_duration")],
    ),
    "not null": (_set("film.length", "nullable", False), [("set_not_null", "film.length")]),
    "null": (_set("film.title", "nullable", True), [("drop_not_null", "film.title")]),
    "label": (
        _set("film.rating", "type", ENUM("G", "PG", "PG-13", "R", "NC-17", "X", name="mpaa_rating")),
        [("add_enum_label", "mpaa_rating.X")],
    ),
    "label removed": (
        _set("film.rating", "type", ENUM("G", "PG", "PG-13", "R", name="mpaa_rating")),
        [("drop_enum_label", "mpaa_rating.NC-17")],
    ),
    "index dropped": (_without("film", "idx_title"), [("drop_index", "film.idx_title")]),
    "index added": (
        _with("film", lambda table: Index("ix_rate", table.columns.rental_rate)),
        [("create_index", "film.ix_rate")],
    ),
    "check": (
        _with("film", lambda _: CheckConstraint("length > 0", name="ck_length")),
        [("add_check", "film.ck_length")],
    ),
    "unique": (
        _with("actor", lambda _: UniqueConstraint("first_name", "last_name", name="uq_actor")),
        [("add_unique", "actor.uq_actor")],
    ),
    "reference dropped": (
        _without("film", "film_language_id_fkey"),
        [("drop_foreign_key", "film.film_language_id_fkey")],
    ),
}
CHINOOK_EDITS: dict[str, tuple[Callable[[MetaData], None], list[tuple[str, str]]]] = {
    "text longer": (_set("track.name", "type", String(300)), [("change_type", "track.name")]),
    "text shorter": (_set("track.name", "type", String(100)), [("change_type", "track.name")]),
    "key wider": (_set("genre.genre_id", "type", BigInteger()), [("change_type", "genre.genre_id")]),
    "number narrower": (_set("track.bytes", "type", SmallInteger()), [("change_type", "track.bytes")]),
    "reference added": (
        _with(
            "invoice",
            lambda _: ForeignKeyConstraint(["customer_id"], ["employee.employee_id"], name="fk_more"),
        ),
        [("add_foreign_key", "invoice.fk_more")],
    ),
    "partial index": (
        _with(
            "track",
            lambda table: Index("ix_long", table.columns.name, postgresql_where=text("milliseconds > 9")),
        ),
        [("create_index", "track.ix_long")],
    ),
}


@pytest.mark.filterwarnings("ignore:Did not recognize type")
@pytest.mark.parametrize("name", PAGILA_EDITS)
def test_edits_of_pagila_are_detected(pagila: Engine, name: str) -> None:
    edit, expected = PAGILA_EDITS[name]
    metadata = reflected(pagila, only=expected[0][1].partition(".")[0] if "label" not in name else "film")
    edit(metadata)

    with pagila.connect() as connection:
        found = found_in(connection, metadata)

    assert found == expected


@pytest.mark.parametrize("name", CHINOOK_EDITS)
def test_edits_of_chinook_are_detected(chinook: Engine, name: str) -> None:
    edit, expected = CHINOOK_EDITS[name]
    metadata = reflected(chinook, only=expected[0][1].partition(".")[0])
    edit(metadata)

    with chinook.connect() as connection:
        found = found_in(connection, metadata)

    assert found == expected


@pytest.mark.filterwarnings("ignore:Did not recognize type")
def test_partitions_and_views_are_never_dropped(pagila: Engine) -> None:
    with pagila.connect() as connection:
        found = found_in(connection, MetaData(), Hints(drop_undeclared=True))
        tables = set(sqlalchemy.inspect(connection).get_table_names())

    dropped = {name for kind, name in found if kind == "drop_table"}
    partitions = {each for each in tables if each.startswith("payment_p")}
    assert (dropped, bool(partitions)) == (tables - partitions, True)


def test_a_public_database_is_described(chinook: Engine) -> None:
    with chinook.connect() as connection:
        first, again = describe(connection), describe(connection)
        run(connection, "CREATE INDEX ix_new ON track (bytes)")
        changed = describe(connection)
        connection.rollback()
        back = describe(connection)

    assert (first, first.is_empty, first.unfinished) == (again, False, ())
    assert (changed.fingerprint == first.fingerprint, back) == (False, first)
