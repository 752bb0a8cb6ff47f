"""Rows as JSON, column by column, with the rows that are embedded in them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from fastapi_easy.application.caching.uncacheable import Uncacheable
from fastapi_easy.application.caching.written_values import read_column, write_column
from fastapi_easy.domain.changes.row import PartialRow, Row, Rows
from fastapi_easy.domain.resources.resource import Relation, Resource

Document: TypeAlias = dict[str, Any]


def write_rows(rows: Sequence[Row], resource: Resource[Any]) -> Document:
    """Return *rows* of *resource*, all with the same members, as JSON.

    Raises:
        Uncacheable: A value cannot be read again as it is.
    """
    fields, records = _records(rows)
    columns = list(zip(*records, strict=True)) if records else [()] * len(fields)
    written = [_write_column(name, column, resource) for name, column in zip(fields, columns, strict=True)]
    document: Document = {"fields": fields, "columns": written, "length": len(rows)}
    if any(type(row) is PartialRow for row in rows):
        document["versions"] = [row.full_version if type(row) is PartialRow else None for row in rows]
    return document


def read_rows(document: Document, resource: Resource[Any]) -> Sequence[Row]:
    """Return the rows that `write_rows` has written.

    Raises:
        KeyError, TypeError, ValueError: It has not written this.
    """
    fields, versions = document["fields"], document.get("versions")
    columns = [
        _read_column(name, written, resource)
        for name, written in zip(fields, document["columns"], strict=True)
    ]
    records = list(zip(*columns, strict=True))
    if len(records) != document["length"]:
        raise ValueError
    if versions is None and resource.fields.keys() >= set(fields):
        # As a store answers them: made into rows only by those who look at them.
        return Rows(fields, records)
    rows = [Row(zip(fields, record, strict=True)) for record in records]
    if versions is None:
        return rows
    return [
        row if version is None else PartialRow(row, version)
        for row, version in zip(rows, versions, strict=True)
    ]


def _records(rows: Sequence[Row]) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    if isinstance(rows, Rows) and not rows.texts and rows.records is not None:
        width = len(rows.fields)
        return rows.fields, [record[:width] for record in rows.records]
    if not rows:
        return (), ()
    fields = tuple(rows[0])
    if any(tuple(row) != fields for row in rows):
        raise Uncacheable
    return fields, [tuple(row.values()) for row in rows]


def _write_column(name: str, values: Sequence[Any], resource: Resource[Any]) -> Any:
    relation = resource.relations.get(name)
    if relation is None:
        return write_column(values, resource.fields.get(name))
    if relation.many:
        return [[len(each) for each in values], write_rows(_joined(values), relation.target)]
    return [
        [each is not None for each in values],
        write_rows([each for each in values if each is not None], relation.target),
    ]


def _joined(many: Sequence[Sequence[Row]]) -> list[Row]:
    return [row for rows in many for row in rows]


def _read_column(name: str, written: Any, resource: Resource[Any]) -> Sequence[Any]:
    relations: Mapping[str, Relation] = resource.relations
    relation = relations.get(name)
    if relation is None:
        code, values = written
        return read_column(code, values, resource.fields.get(name))
    there, document = written
    embedded = iter(read_rows(document, relation.target))
    if relation.many:
        return [[next(embedded) for _ in range(length)] for length in there]
    return [next(embedded) if is_there else None for is_there in there]
