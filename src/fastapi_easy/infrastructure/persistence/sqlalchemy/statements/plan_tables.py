"""The tables behind a plan: one, or several whose rows together are the entities."""

import itertools
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from sqlalchemy import Column, FromClause, Table, and_

from fastapi_easy.domain.field import Field
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.expressions.word_search import vector_field
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.indexes.text_index import text_index_name
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import ResolveRelation, Terms
from fastapi_easy.infrastructure.relational.catalogue.stored_table import StoredTable
from fastapi_easy.infrastructure.relational.catalogue.text_indexes import TextIndex
from fastapi_easy.infrastructure.relational.catalogue.triggers import Triggers
from fastapi_easy.infrastructure.relational.errors import TableConstraints
from fastapi_easy.infrastructure.relational.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTables:
    """What the statements of a resource are about.

    Attributes:
        table: Our copy of the table; of several the last, which has a row for each entity and for nothing else.

        columns: The columns by field.

        terms: The columns as terms of the tables together.

        nullable: The fields that may be null in the database, whatever the class says.

        constraints: Of each table.

        triggers: What the database's own code may do to the rows of any of them.

        stored_defaults: The SQL expressions of the defaults on SQLite and MariaDB, by column of the one table.
    """

    table: Table
    columns: Mapping[str, Column[Any]]
    terms: Terms
    nullable: frozenset[str]
    constraints: tuple[TableConstraints, ...]
    triggers: Triggers
    stored_defaults: Mapping[str, str]


def one_table(
    resource: Resource[Any],
    table: Table,
    server: Server,
    stored: StoredTable,
    attributes: Mapping[Column[Any], str],
    resolve_relation: ResolveRelation,
) -> PlanTables:
    """Return what the statements of a resource are about that is stored in one table.

    Args:
        resource: The resource.

        table: Our copy of its table.

        server: The server of the table.

        stored: What the server says about the table.

        attributes: The columns that the user declared, and the fields they are mapped to.

        resolve_relation: Finds what a relation of the resource leads to.
    """
    columns: dict[str, Column[Any]] = {
        name: table.columns[column.key]
        for column, name in attributes.items()
        if name in resource.stored_fields
    }
    keys = {name: str(column.key) for name, column in columns.items()}
    fields: dict[str, Field] = dict(resource.stored_fields)
    paths = {name: path for name, path in resource.paths.items() if path.document in columns}
    fields.update((name, path.field) for name, path in paths.items())
    for column, name in attributes.items():
        if name in resource.search_vectors:
            keys[name], fields[name] = str(column.key), vector_field(name)
    unlike = frozenset(name for name, column in columns.items() if column.name in stored.columns.nonstandard)
    nullable = frozenset(
        name
        for name, column in columns.items()
        if column.name in stored.columns.nullable and name not in resource.key
    )
    names = {column.name: name for name, column in columns.items()}
    return PlanTables(
        table=table,
        columns=columns,
        terms=Terms(
            server,
            table,
            keys,
            _as_stored(fields, nullable),
            unlike,
            resolve_relation,
            paths,
            _text_index_of(resource, table, columns, stored),
        ),
        nullable=nullable,
        constraints=(TableConstraints(resource, table, names, stored.references),),
        triggers=stored.triggers,
        stored_defaults=stored.columns.defaults,
    )


def joined_tables(key: Sequence[str], parts: Sequence[PlanTables]) -> PlanTables:
    """Return what the statements of a resource are about that is stored in several tables.

    Args:
        key: The fields of the key, which every table holds.

        parts: Of each table, the uppermost first: a field that several hold is read there.
    """
    if len(parts) == 1:
        return parts[0]
    joined: FromClause = parts[0].table
    for above, part in itertools.pairwise(parts):
        same = (part.columns[name] == above.columns[name] for name in key)
        joined = joined.join(part.table, and_(*same))
    every = [part.terms for part in reversed(parts)]
    fields = {name: field for terms in every for name, field in terms.fields.items()}
    found = {name: terms.plain(name) for terms in every for name in terms.fields}
    holders = {name: terms for terms in every for name in terms.fields}
    unlike = frozenset(name for name, terms in holders.items() if name in terms.nonstandard)
    top = parts[0].terms
    return PlanTables(
        table=parts[-1].table,
        columns={name: column for part in reversed(parts) for name, column in part.columns.items()},
        terms=Terms(
            top.server,
            joined,
            {name: name for name in found},
            fields,
            unlike,
            top.resolve_relation,
            paths={},
            columns=found,
        ),
        nullable=frozenset[str]().union(*(part.nullable for part in parts)),
        constraints=tuple(each for part in parts for each in part.constraints),
        triggers=reduce(_either, (part.triggers for part in parts)),
        stored_defaults={},
    )


def _either(one: Triggers, other: Triggers) -> Triggers:
    return Triggers(
        exist=one.exist or other.exist,
        after_insert=one.after_insert or other.after_insert,
        after_update=one.after_update or other.after_update,
        keep_parts=one.keep_parts or other.keep_parts,
    )


def _text_index_of(
    resource: Resource[Any], table: Table, columns: Mapping[str, Column[Any]], stored: StoredTable
) -> TextIndex | None:
    declared = resource.query.full_text
    if declared is None or not columns.keys() >= set(declared.fields):
        return None
    key = list(table.primary_key.columns)
    return TextIndex(
        name=text_index_name(table, declared, [columns[name] for name in declared.fields]),
        key=str(key[0].key) if len(key) == 1 else "",
        stored=stored.text_indexes,
    )


def _as_stored(fields: Mapping[str, Field], nullable: Container[str]) -> Mapping[str, Field]:
    """Return *fields*, those of which may be null that are *nullable* in the database, whatever the class says."""
    return {
        name: replace(field, nullable=True) if name in nullable and not field.nullable else field
        for name, field in fields.items()
    }
