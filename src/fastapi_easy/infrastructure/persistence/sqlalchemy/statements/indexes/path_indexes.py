"""Indexes for values inside of JSON columns, where the database can have an index on an expression."""

import hashlib
from collections.abc import Iterable

from sqlalchemy import Column, Index, Table

from fastapi_easy.domain.queries.document_path import DocumentPath
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.expressions.document_values import (
    path_expression,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.soft_delete import MAX_NAME_LENGTH
from fastapi_easy.infrastructure.relational.server import Server


def add_path_indexes(
    table: Table, columns: Iterable[tuple[DocumentPath, Column[object]]], server: Server
) -> None:
    """Give *table*, our own copy, an index for each of the places inside of *columns*. Twice does nothing.

    MariaDB has no indexes on expressions: there it gets none.
    """
    if server.name == "mysql":
        return
    there = {each.name for each in table.indexes}
    for path, column in columns:
        name = _name_of(table, column, path)
        if name not in there:
            _ = Index(name, path_expression(column, path, server))


def _name_of(table: Table, column: Column[object], path: DocumentPath) -> str:
    name = "_".join(("ix", table.name, column.name, *path.members))
    if len(name) <= MAX_NAME_LENGTH:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: MAX_NAME_LENGTH - 9]}_{digest}"
