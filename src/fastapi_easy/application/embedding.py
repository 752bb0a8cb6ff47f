"""Embedding of related rows, with one query for each include, which avoids N+1 queries."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.domain.changes.row import PartialRow, Row
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.query import Include
from fastapi_easy.domain.resources.relation import Side
from fastapi_easy.domain.resources.resource import Relation

Repositories: TypeAlias = Mapping[str, Callable[[], Repository[Any]]]
"""Functions that make the repository of each resource, by name."""


def fields_to_fetch(fields: Sequence[str], includes: Sequence[Include]) -> tuple[str, ...]:
    """Return *fields*, followed by the fields that the relations of *includes* start from."""
    if not includes:
        return tuple(fields)
    needed = (field for include in includes for field in include.relation.local)
    return tuple(dict.fromkeys((*fields, *needed)))


async def embed(
    rows: Sequence[Row],
    fields: Sequence[str],
    includes: Sequence[Include],
    repositories: Repositories,
    access: Access,
) -> Outcome[Sequence[Row]]:
    """Return *rows*, cut to *fields*, with a member for each of *includes*: a row or `None`, or a list of rows.

    Args:
        rows: Rows that hold the fields of `fields_to_fetch`.

        fields: The fields to keep.

        includes: The includes to embed.

        repositories: The repositories of the related resources.

        access: The permissions of the caller.

    Fails with: what a repository fails with.
    """
    whole = [_cut(row, fields) for row in rows]
    for include in includes:
        relation: Relation = include.relation
        related = await _fetch_related(rows, include, repositories, access)
        if isinstance(related, Failure):
            return related
        found = related.unwrap()
        for row, made in zip(rows, whole, strict=True):
            there = found.get(_source(relation, row), ())
            made[relation.name] = list(there) if relation.many else next(iter(there), None)
    return Success(whole)


async def _fetch_related(
    rows: Iterable[Row], include: Include, repositories: Repositories, access: Access
) -> Outcome[Mapping[tuple[object, ...], Sequence[Row]]]:
    """Return the related rows by the values of the relation's local fields."""
    relation: Relation = include.relation
    sources = [
        source for source in dict.fromkeys(_source(relation, row) for row in rows) if None not in source
    ]
    if not sources:
        return Success({})
    target, query = relation.target, include.query
    fields = access.readable(target) if query.fields is None else query.fields
    repository = access.scope_repository(target, repositories[target.name]())
    query = replace(
        query,
        specification=access.restrict_relations(query.specification),
        order=access.restrict_order(query.order),
        fields=fields_to_fetch(fields, query.includes),
    )
    selected = await repository.select_each(relation, sources, query)
    if isinstance(selected, Failure):
        return selected
    groups = selected.unwrap()
    if not query.includes:
        return Success(dict(zip(sources, groups, strict=True)))
    inner = [row for group in groups for row in group]
    embedded = await embed(inner, fields, query.includes, repositories, access)
    if isinstance(embedded, Failure):
        return embedded
    whole = iter(embedded.unwrap())
    return Success(
        {source: [next(whole) for _ in group] for source, group in zip(sources, groups, strict=True)}
    )


def _source(relation: Relation, row: Row) -> tuple[object, ...]:
    if relation.listed_by is Side.SOURCE:
        held = row[relation.local[0]]
        # Another program's document may hold no list there. Null in a list leads nowhere, as it does alone.
        return (tuple(each for each in held if each is not None) if isinstance(held, list) else None,)
    return tuple(row[field] for field in relation.local)


def _cut(row: Row, fields: Sequence[str]) -> Row:
    """Return *row* with *fields* only, and the version it came with."""
    values = {field: row[field] for field in fields}
    return PartialRow(values, row.full_version) if type(row) is PartialRow else Row(values)
