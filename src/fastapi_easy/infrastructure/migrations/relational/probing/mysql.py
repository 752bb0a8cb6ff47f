"""Whether a step took effect on MySQL and MariaDB."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Connection

from fastapi_easy.domain.migrations.step import Effect, Probe
from fastapi_easy.infrastructure.migrations.relational.probing.aspects import effect_of_aspects
from fastapi_easy.infrastructure.migrations.relational.probing.mysql_catalogue import (
    MySQLCatalogue,
    key_columns,
)


def find_mysql_effect(connection: Connection, probe: Probe) -> Effect:
    """Return how much of a step is visible on MySQL and MariaDB."""
    look = _LOOKS.get(probe.kind)
    if look is None:
        return Effect.UNKNOWN
    wanted: dict[str, Any] = {"schema": None, **probe.wanted}
    return look(MySQLCatalogue(connection), probe, wanted)


def _presence(probe: Probe, exists: bool) -> Effect:
    return Effect.APPLIED if exists is not probe.absent else Effect.NOT_APPLIED


def _table(catalogue: MySQLCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    comment = catalogue.comment(wanted["schema"], wanted["table"])
    if comment is not None and "comment" in wanted:
        return Effect.APPLIED if comment == wanted["comment"] else Effect.NOT_APPLIED
    return _presence(probe, comment is not None)


def _column(catalogue: MySQLCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    found = catalogue.column(wanted["schema"], wanted["table"], wanted["name"])
    if found is None or probe.absent:
        return _presence(probe, found is not None)
    table = catalogue.table(wanted["schema"], wanted["table"])
    definition = "" if table is None else _definition(table.columns, wanted["name"])
    return effect_of_aspects(probe, {"nullable": found["is_nullable"] == "YES", "definition": definition})


def _definition(columns: Mapping[str, str], name: str) -> str:
    return next((each for column, each in columns.items() if column.lower() == name.lower()), "")


def _index(catalogue: MySQLCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    table = catalogue.table(wanted["schema"], wanted["table"])
    line = None if table is None else table.keys.get(wanted["name"])
    before = wanted.get("before")
    if probe.absent:
        return _presence(probe, line is not None and before in {None, line})
    if line is None or line == before:
        return Effect.NOT_APPLIED
    columns = tuple(wanted.get("columns") or ())
    same = not columns or "" in columns or columns == key_columns(line)
    unique = wanted.get("unique")
    is_same_kind = unique is None or unique == line.startswith("UNIQUE")
    return Effect.APPLIED if same and is_same_kind else Effect.UNKNOWN


def _constraint(catalogue: MySQLCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    table = catalogue.table(wanted["schema"], wanted["table"])
    line = None if table is None else table.constraint(wanted.get("kind"), wanted["name"])
    before = wanted.get("before")
    if probe.absent:
        return _presence(probe, line is not None and before in {None, line})
    if line is None or line == before or not _has_changed(catalogue, wanted):
        return Effect.NOT_APPLIED
    return Effect.APPLIED


def _has_changed(catalogue: MySQLCatalogue, wanted: Mapping[str, Any]) -> bool:
    if "column_before" not in wanted:
        return True
    table = catalogue.table(wanted.get("column_schema"), wanted["column_table"])
    found = "" if table is None else _definition(table.columns, wanted["column_name"])
    return found != str(wanted["column_before"])


def _schema(catalogue: MySQLCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    return _presence(probe, catalogue.has_schema(wanted["name"]))


def _rows(catalogue: MySQLCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    if catalogue.column(wanted["schema"], wanted["table"], wanted["name"]) is None:
        return Effect.NOT_APPLIED
    statement = f"SELECT EXISTS (SELECT 1 FROM {wanted['relation']} WHERE {wanted['condition']})"  # noqa: S608
    options = {"no_parameters": True}
    left = catalogue.connection.exec_driver_sql(statement, execution_options=options).scalar_one()
    return Effect.NOT_APPLIED if left else Effect.APPLIED


_LOOKS: Final[Mapping[str, Callable[[MySQLCatalogue, Probe, Mapping[str, Any]], Effect]]] = {
    "table": _table,
    "column": _column,
    "index": _index,
    "constraint": _constraint,
    "schema": _schema,
    "rows": _rows,
}
