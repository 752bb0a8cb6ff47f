"""From any schema to any other one, with rows in the tables, and back."""

import itertools
import sqlite3
from contextlib import closing
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    text,
)

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Reversibility
from tests.unit.infrastructure.migrations.sqlite.sqlite_migration import StoredDatabase, difference

TABLES = ("one", "order", "Third table")
COLUMNS = ("a", "b c", "group", "D")
TYPES = (Integer, BigInteger, Float, lambda: Numeric(10, 2), lambda: String(20), Text)


@st.composite
def schemas(draw: st.DrawFn) -> MetaData:
    declared = MetaData()
    names = draw(st.lists(st.sampled_from(TABLES), min_size=1, unique=True))
    for name in names:
        chosen = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, unique=True))
        columns = [
            Column(
                each,
                draw(st.sampled_from(TYPES))(),
                nullable=draw(st.booleans()),
                server_default=draw(st.sampled_from([None, "7", text("(3 + 4)")])),
            )
            for each in chosen
        ]
        parts: list[Any] = [Column("id", Integer, primary_key=True), *columns]
        for at, unique in enumerate(draw(st.lists(st.sampled_from(chosen), max_size=2, unique=True))):
            parts.append(UniqueConstraint(unique, name=f"uq {name} {at}"))
        if draw(st.booleans()):
            parts.append(Column("other", Integer))
            action = draw(st.sampled_from([None, "CASCADE", "SET NULL"]))
            target = draw(st.sampled_from(names[: names.index(name) + 1]))
            parts.append(
                ForeignKeyConstraint(["other"], [f"{target}.id"], ondelete=action, name=f"fk {name}")
            )
        table = Table(name, declared, *parts, sqlite_autoincrement=draw(st.booleans()))
        for at, indexed in enumerate(draw(st.lists(st.sampled_from(chosen), max_size=2, unique=True))):
            Index(f"ix {name} {at}", table.c[indexed])
    return declared


def created(path, declared: MetaData) -> StoredDatabase:
    engine = create_engine(f"sqlite:///{path}")
    declared.create_all(engine)
    engine.dispose()
    return StoredDatabase(path)


def fill_rows(database: StoredDatabase, declared: MetaData) -> None:
    """Give each table three rows, of values that every type can hold, each of them only once in its column."""
    with closing(sqlite3.connect(database.path)) as connection:
        for table in declared.tables.values():
            for key in (2, 5, 9):
                values = [key if column.name in {"id", "other"} else str(key) for column in table.columns]
                names = ", ".join(f'"{column.name}"' for column in table.columns)
                marks = ", ".join("?" * len(values))
                connection.execute(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', values)
            connection.execute(f'DELETE FROM "{table.name}" WHERE id = 9')
        connection.commit()


def described(database: StoredDatabase) -> dict[str, Any]:
    """Return what SQLite says of each table, whatever the order of columns."""
    found = {}
    with closing(sqlite3.connect(database.path)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if name.startswith("sqlite_"):
                continue
            columns = connection.execute(f'PRAGMA table_xinfo("{name}")').fetchall()
            keys = connection.execute(f'PRAGMA foreign_key_list("{name}")').fetchall()
            indexes = connection.execute(f'PRAGMA index_list("{name}")').fetchall()
            found[name] = (
                sorted(row[1:] for row in columns),
                sorted(row[2:] for row in keys),
                sorted(
                    (
                        row[1] if row[3] == "c" else "",
                        *row[2:],
                        *[part[2] for part in connection.execute(f'PRAGMA index_info("{row[1]}")')],
                    )
                    for row in indexes
                ),
            )
    return found


def cells(database: StoredDatabase, kept: dict[str, list[str]]) -> dict[str, list[Any]]:
    """Return the rows of tables, of the columns *kept*, without the types of numbers."""
    found = {}
    for name, columns in kept.items():
        listed = ", ".join(f'CAST("{each}" AS REAL)' for each in columns)
        found[name] = database.rows(f'SELECT {listed} FROM "{name}" ORDER BY id')
    return found


def in_both(before: MetaData, after: MetaData) -> dict[str, list[str]]:
    return {
        name: [column.name for column in table.columns if column.name in after.tables[name].columns]
        for name, table in before.tables.items()
        if name in after.tables
    }


FILL = Hints(
    fill={f"{table}.{column}": "'1'" for table, column in itertools.product(TABLES, COLUMNS)},
    drop_undeclared=True,
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=schemas(), after=schemas())
def test_leads_there_and_back(tmp_path_factory, before, after):
    folder = tmp_path_factory.mktemp("any")
    database = created(folder / "stored.db", before)
    fill_rows(database, before)
    wanted = described(created(folder / "wanted.db", after))
    kept = in_both(before, after)
    rows, schema = cells(database, kept), database.schema()
    steps = database.steps(*difference(database, after), hints=FILL)

    done, reason = [], ""
    for each in steps:
        stored = database.schema()
        try:
            database.execute(each)
        except sqlite3.IntegrityError as error:
            # What was filled in is not unique, or rows of a table that is new are missing.
            reason = str(error)
            assert database.schema() == stored, reason
            break
        done.append(each)
    assert cells_of(database, kept, rows) == rows
    if len(done) == len(steps):
        assert described(database) == wanted
    else:
        assert "UNIQUE" in reason or "violations" in reason

    for each in reversed(done):
        try:
            database.execute(each, reverse=True)
        except sqlite3.IntegrityError:
            assert any(step.reversibility is Reversibility.SCHEMA_ONLY for step in done)
            return
    assert database.schema() == schema
    assert cells_of(database, kept, rows) == rows


def cells_of(
    database: StoredDatabase, kept: dict[str, list[str]], rows: dict[str, list[Any]]
) -> dict[str, list[Any]]:
    """Return the rows as `cells` does; where columns are gone or not there yet, those that are expected."""
    stored = described(database)
    there = {
        name: [column for column in columns if column in {row[0] for row in stored[name][0]}]
        for name, columns in kept.items()
        if name in stored
    }
    found = cells(database, {name: columns for name, columns in there.items() if columns == kept[name]})
    return {name: found.get(name, rows[name]) for name in kept}
