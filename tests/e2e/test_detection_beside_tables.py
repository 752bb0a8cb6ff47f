"""Renames, drops, views, the ledger, half-finished changes, and servers that may not be shown anything."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import sqlalchemy
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    false,
    func,
    text,
)
from sqlalchemy.exc import DBAPIError

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.infrastructure.migrations.relational.detection.description import describe
from fastapi_easy.infrastructure.migrations.relational.detection.detect import detect
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables
from tests.e2e.carrying_out import carry_out, clear, run
from tests.e2e.schema_edits import ALL, column, shop, with_part, without
from tests.e2e.scratch_engines import ScratchEngines

LEDGER = ("fe_migration_run", "fe_migration_step", "fe_migration_state", "alembic_version", "fe_lock")


@pytest.fixture(scope="module")
def databases() -> Iterator[ScratchEngines]:
    """A database on each server."""
    with ExitStack() as opened:
        yield ScratchEngines(opened)


@pytest.fixture
def connection(databases: ScratchEngines, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A connection to an empty database; the server is the parameter."""
    with databases[request.param].connect() as opened:
        clear(opened)
        yield opened


on_all = pytest.mark.parametrize("connection", ALL, indirect=True)
on_postgres = pytest.mark.parametrize("connection", ["postgres"], indirect=True)


def find(
    connection: Connection, metadata: MetaData, hints: Hints | None = None, ours: tuple[str, ...] = ()
) -> list[Detected]:
    """What is detected."""
    return detect(connection, DeclaredTables(metadata=metadata), hints or Hints(), ours)


def shown(found: list[Detected]) -> list[tuple[str, str]]:
    """Kind and object of each difference."""
    return [(str(each.change.kind), each.change.object) for each in found]


def renamed_shop() -> MetaData:
    """The schema with other names, and a longer text under one of them."""
    metadata = MetaData()
    _ = Table(
        "writer",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("full_name", String(60), nullable=False),
        Index("ix_name", "full_name"),
        CheckConstraint("length(full_name) > 1", name="ck_name"),
    )
    _ = Table(
        "book",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("writer_id", ForeignKey("writer.id")),
    )
    return metadata


def shop_before() -> MetaData:
    """The schema under its old names."""
    metadata = MetaData()
    _ = Table(
        "author",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", String(50), nullable=False),
        Index("ix_name", "name"),
        CheckConstraint("length(name) > 1", name="ck_name"),
    )
    _ = Table(
        "book",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("author_id", ForeignKey("author.id")),
    )
    return metadata


@on_all
def test_renames_come_first_and_the_rest_is_compared_under_the_new_names(connection: Connection) -> None:
    hints = Hints(
        renamed_tables={"author": "writer"},
        renamed_columns={"author.name": "full_name", "book.author_id": "writer_id"},
    )
    shop_before().create_all(connection)
    connection.commit()

    found = find(connection, renamed_shop(), hints)

    assert shown(found) == [
        ("rename_table", "author"),
        ("rename_column", "writer.name"),
        ("rename_column", "book.author_id"),
        ("change_type", "writer.full_name"),
    ]
    carry_out(connection, found, renamed_shop())
    assert find(connection, renamed_shop(), hints) == []


@on_all
def test_a_table_that_nobody_declares_is_dropped_only_if_it_is_ours_or_if_asked(
    connection: Connection,
) -> None:
    shop().create_all(connection)
    for name in LEDGER:
        run(connection, f"CREATE TABLE {name} (id INTEGER PRIMARY KEY)")
    connection.commit()
    kept = MetaData()
    _ = shop().tables["author"].to_metadata(kept)

    nobodys = shown(find(connection, kept))
    ours = shown(find(connection, kept, ours=("visit", "fe_lock", "author", "gone")))
    everybodys = shown(find(connection, kept, Hints(drop_undeclared=True)))

    types = [("drop_type", "mood")] if connection.dialect.name == "postgresql" else []
    assert (nobodys, ours, everybodys) == (
        [],
        [("drop_table", "visit")],
        [*types, ("drop_table", "book"), ("drop_table", "visit")],
    )


@on_all
def test_a_dropped_table_can_be_created_again_with_its_indexes(connection: Connection) -> None:
    shop().create_all(connection)
    connection.commit()
    kept = MetaData()
    _ = shop().tables["author"].to_metadata(kept)

    dropped = next(each for each in find(connection, kept, ours=("book",)) if each.change.table == "book")

    created = dropped.operation.reverse()
    assert sorted(each.index_name for each in created.info["indexes"])[-2:] == [
        "ix_book_status",
        "ix_book_title",
    ]
    assert {each.name for each in created.to_table().columns} == set(shop().tables["book"].columns.keys())


@on_all
def test_a_column_of_the_same_type_is_probably_a_renamed_one(connection: Connection) -> None:
    shop().create_all(connection)
    connection.commit()
    after = shop()
    without("author", "note")(after)
    with_part("author", lambda _: Column("remark", sqlalchemy.Text))(after)

    found = find(connection, after)

    assert found[0].change.facts["probable_rename_of"] == "note"


@on_all
def test_a_view_of_the_declared_name_is_left_alone(connection: Connection) -> None:
    shop().create_all(connection)
    run(connection, "CREATE VIEW names AS SELECT id, name FROM author")
    connection.commit()
    after = shop()
    _ = Table("names", after, Column("id", Integer, primary_key=True), Column("name", String(10)))

    found = find(connection, after, Hints(drop_undeclared=True))

    assert found == []


@on_all
def test_the_fingerprint_knows_no_order_and_no_ledger(connection: Connection) -> None:
    shop().create_all(connection)
    connection.commit()
    first = describe(connection)
    run(connection, "ALTER TABLE author ADD COLUMN more INTEGER", "CREATE TABLE alembic_version (id INTEGER)")
    connection.commit()
    changed = describe(connection)
    run(connection, "ALTER TABLE author DROP COLUMN more")
    connection.commit()

    last = describe(connection)

    assert (first.fingerprint == last.fingerprint, first.fingerprint == changed.fingerprint) == (True, False)
    assert (first.is_empty, first.unfinished, first.version[0] > 0) == (False, (), True)


@on_all
def test_a_database_with_a_ledger_only_is_empty(connection: Connection) -> None:
    run(connection, *(f"CREATE TABLE {name} (id INTEGER)" for name in LEDGER))
    connection.commit()

    assert describe(connection).is_empty


@on_postgres
def test_what_was_left_half_finished_is_named_and_finished(connection: Connection) -> None:
    shop().create_all(connection)
    run(
        connection,
        "ALTER TABLE book ADD CONSTRAINT ck_pages CHECK (pages > 0) NOT VALID",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_book_title'::regclass",
    )
    connection.commit()
    after = shop()
    with_part("book", lambda _: CheckConstraint("pages > 0", name="ck_pages"))(after)

    unfinished, found = describe(connection).unfinished, find(connection, after)

    assert [sentence.partition(" of ")[0] for sentence in unfinished] == [
        "the constraint ck_pages",
        "the index ix_book_title",
    ]
    assert shown(found) == [
        ("drop_index", "book.ix_book_title"),
        ("create_index", "book.ix_book_title"),
        ("validate_constraint", "book.ck_pages"),
    ]
    carry_out(connection, found, after)
    assert (find(connection, after), describe(connection).unfinished) == ([], ())


@on_postgres
def test_tables_and_types_of_other_schemas_have_their_names_in_front(connection: Connection) -> None:
    run(connection, "DROP SCHEMA IF EXISTS club CASCADE", "CREATE SCHEMA club")
    before, after = MetaData(schema="club"), MetaData(schema="club")
    for metadata, labels, length in ((before, ("a", "b"), 10), (after, ("a", "b", "c"), 20)):
        _ = Table(
            "member",
            metadata,
            Column("id", Integer, primary_key=True),
            Column("name", String(length), index=True),
            Column("rank", sqlalchemy.Enum(*labels, name="rank", schema="club"), server_default="a"),
            Column("friend_id", ForeignKey("club.member.id")),
        )
    before.create_all(connection)
    connection.commit()

    same, found = find(connection, before), find(connection, after)

    run(connection, "DROP SCHEMA club CASCADE")
    connection.commit()
    assert (same, shown(found)) == (
        [],
        [("add_enum_label", "club.rank.c"), ("change_type", "club.member.name")],
    )


@on_postgres
def test_nothing_is_left_behind_in_a_transaction_or_out_of_one(connection: Connection) -> None:
    shop().create_all(connection)
    connection.commit()
    run(connection, "CREATE TABLE mine (id INTEGER)")

    _ = find(connection, shop())

    mine = sqlalchemy.inspect(connection).has_table("mine")
    connection.rollback()
    with connection.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as committing:
        _ = find(committing, shop())
        left = committing.exec_driver_sql(
            "SELECT relname FROM pg_class WHERE relname LIKE 'fe\\_shape%'",
            execution_options={"no_parameters": True},
        ).all()
    assert (mine, left) == (True, [])


@on_postgres
def test_a_server_that_takes_no_temporary_tables_is_compared_by_spelling(connection: Connection) -> None:
    shop().create_all(connection)
    connection.commit()
    after = shop()
    column(after, "author.name").type = String(60)
    with_part("book", lambda _: CheckConstraint("status IN ('new', 'old')", name="ck_status"))(after)
    run(connection, "SET TRANSACTION READ ONLY")
    with pytest.raises(DBAPIError):
        run(connection, "SAVEPOINT one", "CREATE TEMPORARY TABLE fe_no (id INTEGER)")
    run(connection, "ROLLBACK TO SAVEPOINT one")

    same, found = find(connection, shop()), find(connection, after)

    connection.rollback()
    assert (same, shown(found)) == (
        [],
        [("change_type", "author.name"), ("add_check", "book.ck_status")],
    )


@pytest.mark.parametrize("connection", ["postgres", "mariadb"], indirect=True)
def test_spelling_is_enough_to_see_that_nothing_differs(connection: Connection) -> None:
    declared = MetaData()
    _ = Table(
        "odd",
        declared,
        Column("id", Integer, primary_key=True),
        Column("price", Numeric(12, 4), server_default="1.5"),
        Column("said", String(20), server_default="it's"),
        Column("mood", Enum("a, b", "c", name="odd_mood"), server_default="c"),
        Column("picture", LargeBinary(20)),
        Column("recording", LargeBinary(70_000)),
        Column("at", DateTime, server_default=func.now()),
        Column("open", Boolean, server_default=false()),
        *([Column("number", Integer, Identity())] if connection.dialect.name == "postgresql" else []),
    )
    declared.create_all(connection)
    connection.commit()
    if connection.dialect.name == "postgresql":
        run(connection, "SET TRANSACTION READ ONLY")
    else:
        run(connection, "START TRANSACTION READ ONLY")
    with pytest.raises(DBAPIError):
        run(connection, "SAVEPOINT one", "CREATE TEMPORARY TABLE fe_no (id INTEGER)")
    run(connection, "ROLLBACK TO SAVEPOINT one")

    found = find(connection, declared)

    connection.rollback()
    assert shown(found) == []


@on_all
def test_tables_that_the_system_makes_when_it_needs_them_are_no_drift(connection: Connection) -> None:
    shop().create_all(connection)
    before = describe(connection).fingerprint

    run(
        connection, "CREATE TABLE fe_lock (name VARCHAR(9) PRIMARY KEY)", "CREATE TABLE fe_trail (id INTEGER)"
    )
    beside = describe(connection).fingerprint
    run(connection, "CREATE TABLE others (id INTEGER)")

    assert beside == before
    assert describe(connection).fingerprint != before


@on_postgres
def test_a_table_that_cannot_be_shown_does_not_hide_the_others(connection: Connection) -> None:
    shop().create_all(connection)
    run(connection, "CREATE TABLE odd (id INTEGER PRIMARY KEY, name VARCHAR(10))")
    connection.commit()
    after = shop()
    column(after, "author.name").type = String(60)
    _ = Table(
        "odd",
        after,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("name", String(20)),
        Index("ix_odd", func.no_such_function(text("name"))),
    )

    found = find(connection, after)

    assert shown(found) == [
        ("change_type", "author.name"),
        ("change_type", "odd.name"),
        ("create_index", "odd.ix_odd"),
    ]


@pytest.mark.parametrize("connection", ["sqlite"], indirect=True)
def test_functions_and_collations_of_the_program_may_stand_in_definitions_of_sqlite(
    connection: Connection,
) -> None:
    driver = connection.connection.dbapi_connection
    assert driver is not None
    driver.create_function("folded", 1, str.casefold, deterministic=True)
    driver.create_collation("by_length", lambda one, other: len(one) - len(other))
    metadata = MetaData()
    _ = Table(
        "word",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", String(20, collation="by_length")),
        Index("ix_folded", text("folded(name)")),
    )
    metadata.create_all(connection)

    assert find(connection, metadata) == []
