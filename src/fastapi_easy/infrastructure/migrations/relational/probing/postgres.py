"""Whether a step took effect on PostgreSQL."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Connection

from fastapi_easy.domain.migrations.step import Effect, Probe
from fastapi_easy.infrastructure.migrations.relational.probing.aspects import effect_of_aspects
from fastapi_easy.infrastructure.migrations.relational.probing.postgres_catalogue import PostgresCatalogue


def find_postgres_effect(connection: Connection, probe: Probe) -> Effect:
    """Return how much of a step is visible on PostgreSQL."""
    look = _LOOKS.get(probe.kind)
    if look is None:
        return Effect.UNKNOWN
    wanted: dict[str, Any] = {"schema": None, **probe.wanted}
    return look(PostgresCatalogue(connection), probe, wanted)


def _presence(probe: Probe, exists: bool) -> Effect:
    return Effect.APPLIED if exists is not probe.absent else Effect.NOT_APPLIED


def _table(catalogue: PostgresCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    exists = catalogue.relation_kind(wanted["schema"], wanted["table"]) in {"r", "p"}
    if exists and "comment" in wanted:
        comment = catalogue.table_comment(wanted["schema"], wanted["table"]) or ""
        return Effect.APPLIED if comment == wanted["comment"] else Effect.NOT_APPLIED
    return _presence(probe, exists)


def _column(catalogue: PostgresCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    found = catalogue.column(wanted["schema"], wanted["table"], wanted["name"])
    if found is None or probe.absent:
        return _presence(probe, found is not None)
    return effect_of_aspects(
        probe,
        {
            "nullable": found.nullable,
            "has_default": found.default is not None,
            "default": found.default or "",
            "comment": found.comment or "",
            "type": found.type,
            "collation": found.collation or "",
            "identity": found.identity,
            "generated": found.generated,
        },
    )


def _index(catalogue: PostgresCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    found = catalogue.index(wanted["schema"], wanted["name"])
    if found is not None and found.table != wanted["table"]:
        # Names of indexes belong to the schema: this one is another table's.
        found = None
    before = wanted.get("before")
    if probe.absent:
        if found is None or (before is not None and found.definition != before):
            return Effect.APPLIED
        return Effect.NOT_APPLIED if found.valid else Effect.PARTIAL
    if found is None or (found.definition == before and found.valid):
        return Effect.NOT_APPLIED
    if not found.valid:
        return Effect.PARTIAL
    columns = tuple(wanted.get("columns") or ())
    same = not columns or (
        len(columns) == len(found.columns)
        and all(
            a in {"", b, b.strip('"').replace('""', '"')} for a, b in zip(columns, found.columns, strict=True)
        )
    )
    return Effect.APPLIED if same and wanted.get("unique", found.unique) == found.unique else Effect.UNKNOWN


def _constraint(catalogue: PostgresCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    found = catalogue.constraint(wanted["schema"], wanted["table"], wanted["name"])
    before = wanted.get("before")
    if probe.absent:
        gone = found is None or (before is not None and _rule(found.definition) != _rule(before))
        return Effect.APPLIED if gone else Effect.NOT_APPLIED
    if found is None or found.definition == before:
        return Effect.NOT_APPLIED
    return (
        Effect.APPLIED if wanted.get("validated", found.validated) == found.validated else Effect.NOT_APPLIED
    )


def _rule(definition: str) -> str:
    return definition.removesuffix(" NOT VALID")


def _type(catalogue: PostgresCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    labels = catalogue.labels(wanted["schema"], wanted["name"])
    if labels is not None and "labels" in wanted:
        return Effect.APPLIED if labels == tuple(wanted["labels"]) else Effect.NOT_APPLIED
    return _presence(probe, labels is not None)


def _label(catalogue: PostgresCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    return _presence(probe, wanted["label"] in (catalogue.labels(wanted["schema"], wanted["name"]) or ()))


def _schema(catalogue: PostgresCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    return _presence(probe, catalogue.has_schema(wanted["name"]))


def _sequence(catalogue: PostgresCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    return _presence(probe, catalogue.relation_kind(wanted["schema"], wanted["name"]) == "S")


def _rows(catalogue: PostgresCatalogue, probe: Probe, wanted: Mapping[str, Any]) -> Effect:
    if catalogue.column(wanted["schema"], wanted["table"], wanted["name"]) is None:
        return Effect.NOT_APPLIED
    statement = f"SELECT EXISTS (SELECT 1 FROM {wanted['relation']} WHERE {wanted['condition']})"  # noqa: S608
    options = {"no_parameters": True}
    left = catalogue.connection.exec_driver_sql(statement, execution_options=options).scalar_one()
    return Effect.NOT_APPLIED if left else Effect.APPLIED


_LOOKS: Final[Mapping[str, Callable[[PostgresCatalogue, Probe, Mapping[str, Any]], Effect]]] = {
    "table": _table,
    "column": _column,
    "index": _index,
    "constraint": _constraint,
    "type": _type,
    "label": _label,
    "schema": _schema,
    "sequence": _sequence,
    "rows": _rows,
}
