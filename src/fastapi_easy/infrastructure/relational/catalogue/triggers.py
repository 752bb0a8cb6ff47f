"""The database's own code behind a table: what it may do to a row that a statement writes."""

import re
from dataclasses import dataclass
from typing import Final, assert_never

from sqlalchemy import Connection, Table, text

from fastapi_easy.infrastructure.relational.server import Server, ServerName
from fastapi_easy.infrastructure.relational.sqlite.text_index import PREFIX

_POSTGRES: Final = text("""
    SELECT c.relkind = 'v' AS is_view,
           count(t.oid) > 0 OR c.relhasrules AS exist,
           coalesce(bool_or(t.tgtype & 2 = 0 AND t.tgtype & 4 <> 0), false) OR c.relhasrules AS after_insert,
           coalesce(bool_or(t.tgtype & 2 = 0 AND t.tgtype & 16 <> 0), false) OR c.relhasrules AS after_update
    FROM pg_class c
    LEFT JOIN pg_trigger t
      ON (t.tgrelid = c.oid OR t.tgrelid IN (SELECT relid FROM pg_partition_tree(c.oid)))
     AND NOT t.tgisinternal AND t.tgenabled <> 'D'
    WHERE c.oid = to_regclass(:name)
    GROUP BY c.oid, c.relkind, c.relhasrules
""")
"""The bits of `tgtype` are 2 for BEFORE, 4 for INSERT and 16 for UPDATE. Views are rules."""


_INSTEAD: Final = re.compile(r"\bINSTEAD\s+OF\s+(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggers:
    """What the code of the database may do to the rows of one table.

    Attributes:
        exist: It may leave a write out without an error: a trigger that returns null, `RAISE(IGNORE)`.

        after_insert: It may change a new row after `RETURNING` has read it.

        after_update: It may change an updated row after `RETURNING` has read it.

        keep_parts: A statement that it refuses may leave changes behind: `RAISE(FAIL)`.

        is_view: The table is a view, whose own code has to write.

        lacks: The statements that the view has no code for, by their names in SQLAlchemy: SQLite leaves those that
            return rows out without an error.
    """

    exist: bool = False
    after_insert: bool = False
    after_update: bool = False
    keep_parts: bool = False
    is_view: bool = False
    lacks: frozenset[str] = frozenset()


_FILLED_ON_POSTGRES: Final = text(
    "SELECT 1 FROM pg_trigger WHERE tgrelid = to_regclass(:name) AND NOT tgisinternal AND tgenabled <> 'D'"
    " AND tgtype & 2 <> 0 AND tgtype & 4 <> 0 LIMIT 1"
)
_FILLED_ON_MYSQL: Final = text(
    "SELECT 1 FROM information_schema.triggers WHERE event_object_schema = coalesce(:schema, database())"
    " AND event_object_table = :table AND event_manipulation = 'INSERT' AND action_timing = 'BEFORE' LIMIT 1"
)


def may_fill_new_rows(connection: Connection, server: ServerName, of: Table) -> bool:
    """Return whether a trigger may give a value to columns of a new row of *of*, before they are checked."""
    match server:
        case "postgresql":
            name = connection.dialect.identifier_preparer.format_table(of)
            found = connection.execute(_FILLED_ON_POSTGRES, {"name": name})
        case "mysql":
            found = connection.execute(_FILLED_ON_MYSQL, {"schema": of.schema, "table": of.name})
        case "sqlite":
            # Its triggers see a new row when it is there.
            return False
        case _:
            assert_never(server)
    return found.first() is not None


def find_triggers(connection: Connection, server: Server, of: Table) -> Triggers:
    """Return what the code of the database may do to the rows of *of*, as its catalogue has it now."""
    match server.name:
        case "mysql":
            # A trigger there can neither leave a row out nor change it after the statement (error 1442), and
            # `INSERT ... RETURNING` sees what one before it does.
            return Triggers()
        case "sqlite":
            return _find_on_sqlite(connection, of)
        case "postgresql":
            return _find_on_postgres(connection, server, of)
        case _:
            assert_never(server.name)


def _find_on_sqlite(connection: Connection, of: Table) -> Triggers:
    catalogue = "sqlite_master" if of.schema is None else f'"{of.schema}".sqlite_master'
    found = connection.exec_driver_sql(
        f"SELECT type, sql FROM {catalogue}"  # noqa: S608 (a name that the user has declared)
        " WHERE type IN ('trigger', 'view') AND tbl_name = ? COLLATE NOCASE"
        # Those that keep a full-text index neither change rows nor leave them out.
        f" AND name NOT LIKE '{PREFIX.replace('_', chr(92) + '_')}%' ESCAPE '\\'",
        (of.name,),
    ).all()
    is_view = any(kind == "view" for kind, _ in found)
    written = {verb.lower() for kind, sql in found if kind == "trigger" for verb in _INSTEAD.findall(sql)}
    # `RETURNING` is made before triggers run there, also those before the statement.
    return Triggers(
        exist=bool(found),
        after_insert=bool(found),
        after_update=bool(found),
        keep_parts=bool(found),
        is_view=is_view,
        lacks=frozenset({"insert", "update", "delete"} - written) if is_view else frozenset(),
    )


def _find_on_postgres(connection: Connection, server: Server, of: Table) -> Triggers:
    name = server.dialect.identifier_preparer.format_table(of)
    found = connection.execute(_POSTGRES, {"name": name}).one_or_none()
    if found is None:
        return Triggers()
    is_view, exist, after_insert, after_update = found
    return Triggers(exist=exist, after_insert=after_insert, after_update=after_update, is_view=is_view)
