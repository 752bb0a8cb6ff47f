"""Looks whether a step took effect on SQLite. Steps are all or nothing there, so none is ever half done."""

import hashlib

from sqlalchemy import Connection

from fastapi_easy.domain.migrations.step import Effect, Probe
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.tokens import normal_form, quote


def table_probe(table: str, definition: str | None = None, *, absent: bool = False) -> Probe:
    """Return the probe for a table, with the CREATE TABLE statement *definition* if that matters."""
    return Probe(kind="table", wanted={"table": table, **_defined(definition)}, absent=absent)


def column_probe(table: str, *columns: str, definition: str | None = None, absent: bool = False) -> Probe:
    """Return the probe for *columns* of a table, with its CREATE TABLE statement *definition* if that matters."""
    return Probe(
        kind="column", wanted={"table": table, "columns": columns, **_defined(definition)}, absent=absent
    )


def index_probe(index: str, definition: str | None = None, *, absent: bool = False) -> Probe:
    """Return the probe for an index, with the CREATE INDEX statement *definition* if that matters."""
    return Probe(kind="index", wanted={"index": index, **_defined(definition)}, absent=absent)


def find_sqlite_effect(connection: Connection, probe: Probe) -> Effect:
    """Look for the effect of a step.

    Args:
        connection: On the database.

        probe: Of the step. `wanted` names a `table`, an `index`, or a `table` with `columns`, each spelled as it is
            stored. A `definition` is the SHA-256 of the CREATE statement of the table or index without comments, white
            space, quotes and capitals.

    Returns:
        `UNKNOWN` for a probe of another kind.
    """
    match probe.kind:
        case "table" | "index" as kind:
            is_there = _is_defined(connection, probe, kind)
        case "column":
            is_there = _has_columns(connection, probe) and _is_defined(connection, probe, "table")
        case _:
            return Effect.UNKNOWN
    return Effect.APPLIED if is_there is not probe.absent else Effect.NOT_APPLIED


def _is_defined(connection: Connection, probe: Probe, kind: str) -> bool:
    stored = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = ? AND name = ?", (kind, probe.wanted[kind])
    ).scalar()
    definition = probe.wanted.get("definition")
    return stored is not None and (definition is None or definition == _digest(str(stored)))


def _has_columns(connection: Connection, probe: Probe) -> bool:
    rows = connection.exec_driver_sql(f"PRAGMA table_xinfo({quote(str(probe.wanted['table']))})").all()
    stored = {row[1] for row in rows}
    columns = probe.wanted["columns"]
    names = tuple(columns) if isinstance(columns, tuple | list) else (str(columns),)
    if probe.absent:
        # One of them is enough for the step not to have taken effect.
        return not stored.isdisjoint(names)
    return stored.issuperset(names)


def _defined(definition: str | None) -> dict[str, str]:
    return {} if definition is None else {"definition": _digest(definition)}


def _digest(definition: str) -> str:
    return hashlib.sha256(normal_form(definition).encode()).hexdigest()
