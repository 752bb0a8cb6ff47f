"""An empty copy of a schema in memory, on which steps are tried before anybody sees them."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.table_text import TableText
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import fold, quote

_ORDER: Final = ("table", "view", "index", "trigger")
_ROWID_NAMES: Final = ("rowid", "_rowid_", "oid")


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaObject:
    """A table, index, trigger or view as `sqlite_master` has it."""

    kind: str
    name: str
    table: str
    sql: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """What SQLite itself says of a table.

    Attributes:
        columns: The names of its columns, in order, without generated ones.

        generated: The names of its generated columns.

        rowid: A name for its rowid; `None` for a table without, or one whose columns have all the names.

        alias: The column that is its rowid: an INTEGER PRIMARY KEY; `None` for none.
    """

    columns: tuple[str, ...]
    generated: tuple[str, ...]
    rowid: str | None
    alias: str | None


class Scratch:
    """An empty copy of a schema in memory. It is closed by who made it.

    Args:
        connection: On the database whose schema is copied.
    """

    def __init__(self, connection: Connection) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None)
        _ = self._database.execute("PRAGMA foreign_keys = OFF")
        self._copy_functions(connection)
        rows = connection.exec_driver_sql(
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        ).all()
        # Of a virtual table whose module is not here, and of what is built on it, nothing can be tried.
        for row in sorted(rows, key=lambda each: _ORDER.index(each[0])):
            if not row[1].startswith("sqlite_"):
                with suppress(sqlite3.Error):
                    _ = self._database.execute(row[3])
        self.has_statistics = any(row[1] == "sqlite_stat1" for row in rows)

    def close(self) -> None:
        """Forget the copy."""
        self._database.close()

    def objects(self) -> tuple[SchemaObject, ...]:
        """Return everything in the schema, in the order in which it was made."""
        rows = self._database.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite~_%'"
            " ESCAPE '~' ORDER BY rowid"
        )
        return tuple(SchemaObject(kind=row[0], name=row[1], table=row[2], sql=row[3]) for row in rows)

    def table(self, name: str) -> SchemaObject | None:
        """Return the table called *name*, in any case of letters."""
        return self._find("table", name)

    def index(self, name: str) -> SchemaObject | None:
        """Return the index called *name*, in any case of letters."""
        return self._find("index", name)

    def belonging_to(self, table: str) -> tuple[SchemaObject, ...]:
        """Return the indexes, then the triggers, of *table*."""
        found = [
            each
            for each in self.objects()
            if each.kind in {"index", "trigger"} and fold(each.table) == fold(table)
        ]
        return tuple(sorted(found, key=lambda each: each.kind))

    def referring_to(self, table: str) -> frozenset[str]:
        """Return the tables, in the spelling that SQLite compares, whose foreign keys point to *table*."""
        rows = self._database.execute(
            'SELECT m.name, f."table" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f'
            " WHERE m.type = 'table'"
        )
        return frozenset(fold(child) for child, parent in rows if fold(parent) == fold(table))

    def facts(self, table: TableText) -> TableFacts:
        """Return what SQLite says of *table*, which is in the copy."""
        rows = self._database.execute(f"PRAGMA table_xinfo({quote(table.name)})").fetchall()
        names = {fold(row[1]) for row in rows}
        keys = [row for row in rows if row[5]]
        indexes = self._database.execute(f"PRAGMA index_list({quote(table.name)})").fetchall()
        is_alias = not table.without_rowid and len(keys) == 1 and not any(row[3] == "pk" for row in indexes)
        free = next((each for each in _ROWID_NAMES if each not in names), None)
        return TableFacts(
            columns=tuple(row[1] for row in rows if row[6] == 0),
            generated=tuple(row[1] for row in rows if row[6] in {2, 3}),
            rowid=None if table.without_rowid else free,
            alias=keys[0][1] if is_alias else None,
        )

    def execute(self, statements: Sequence[str], *, rebuild: bool = False) -> None:
        """Execute *statements* as they will be executed on the database itself.

        Raises:
            sqlite3.Error: One of them fails.
        """
        _ = self._database.execute(f"PRAGMA legacy_alter_table = {'ON' if rebuild else 'OFF'}")
        try:
            for each in statements:
                _ = self._database.execute(each)
        finally:
            _ = self._database.execute("PRAGMA legacy_alter_table = OFF")

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Undo at the end whatever is executed in the block."""
        _ = self._database.execute("SAVEPOINT trial")
        try:
            yield
        finally:
            _ = self._database.execute("ROLLBACK TO trial")
            _ = self._database.execute("RELEASE trial")

    def problems(self) -> frozenset[str]:
        """Return what views and triggers lack, in SQLite's words.

        SQLite looks at all of them when something is renamed, though not at the columns that a trigger writes; these it
        misses when a statement that fires the trigger is compiled.
        """
        objects = self.objects()
        if not any(each.kind in {"view", "trigger"} for each in objects):
            return frozenset()
        found = set()
        with self.trial():
            try:
                _ = self._database.execute('CREATE TABLE "fe_rename" ("a")')
                _ = self._database.execute('ALTER TABLE "fe_rename" RENAME COLUMN "a" TO "b"')
            except sqlite3.Error as error:
                found.add(str(error))
        for name in {each.table for each in objects if each.kind == "trigger"}:
            found |= self._problems_of_writing(name)
        return frozenset(found)

    def _problems_of_writing(self, name: str) -> set[str]:
        try:
            rows = self._database.execute(f"PRAGMA table_xinfo({quote(name)})").fetchall()
        except sqlite3.Error as error:
            return {f"error in a trigger of {name}: {error}"}
        columns = ", ".join(f"{quote(row[1])} = NULL" for row in rows if row[6] == 0)
        found = set()
        for statement in (
            f"INSERT INTO {quote(name)} DEFAULT VALUES",
            f"UPDATE {quote(name)} SET {columns}",  # noqa: S608 (quoted names)
            f"DELETE FROM {quote(name)}",  # noqa: S608
        ):
            try:
                _ = self._database.execute(f"EXPLAIN {statement}")
            except sqlite3.Error as error:
                # A view has triggers for some statements only.
                if "cannot modify" not in str(error):
                    found.add(f"error in a trigger of {name}: {error}")
        return found

    def broken_references(self) -> frozenset[str]:
        """Return sentences about foreign keys that point to no table, or to columns that are no key."""
        found = set()
        tables = [each.name for each in self.objects() if each.kind == "table"]
        names = {fold(each) for each in tables}
        for table in tables:
            for row in self._database.execute(f"PRAGMA foreign_key_list({quote(table)})").fetchall():
                if fold(row[2]) not in names:
                    found.add(f"table {table} refers to {row[2]}, which is not there")
            try:
                _ = self._database.execute(f"PRAGMA foreign_key_check({quote(table)})").fetchall()
            except sqlite3.Error as error:
                found.add(str(error))
        return frozenset(found)

    def free_name(self, wanted: str) -> str:
        """Return *wanted*, or it with a number, so that nothing is called so."""
        taken = {fold(each.name) for each in self.objects()}
        name, number = wanted, 1
        while fold(name) in taken:
            number += 1
            name = f"{wanted}_{number}"
        return name

    def _find(self, kind: str, name: str) -> SchemaObject | None:
        return next(
            (each for each in self.objects() if each.kind == kind and fold(each.name) == fold(name)), None
        )

    def _copy_functions(self, connection: Connection) -> None:
        """Give the copy a stand-in for each function and collation that the program has made for the database."""
        known = {row[0] for row in self._database.execute("SELECT name FROM pragma_function_list")}
        functions = connection.exec_driver_sql("SELECT DISTINCT name, narg FROM pragma_function_list").all()
        for name, arguments in functions:
            if name not in known:
                self._database.create_function(name, arguments, lambda *_: None, deterministic=True)
        known = {row[1] for row in self._database.execute("PRAGMA collation_list")}
        for row in connection.exec_driver_sql("PRAGMA collation_list").all():
            if row[1] not in known:
                self._database.create_collation(row[1], lambda one, other: (one > other) - (one < other))
