"""The entities of one resource, kept in the process."""

import copy
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, Generic, Self, TypeVar

from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.patch import Values as Given
from fastapi_easy.domain.changes.replacement import resolve_store_defaults
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.ports.repository import EVERYTHING
from fastapi_easy.domain.queries.aggregation import Aggregation, Group
from fastapi_easy.domain.queries.ordering import total_order
from fastapi_easy.domain.queries.page import Count, Cursor, Page
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Specification, is_satisfied_by
from fastapi_easy.domain.resources.named_paths import bind_order, bind_paths
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.infrastructure.entities.plain import entity_from, values_of
from fastapi_easy.infrastructure.persistence.memory.aggregates import aggregate_rows
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.memory.errors import (
    already_exists,
    not_found,
    null_not_allowed,
    reference_broken,
    stale,
    too_many,
)
from fastapi_easy.infrastructure.persistence.memory.layers import Layers
from fastapi_easy.infrastructure.persistence.memory.references import apply_referential_actions
from fastapi_easy.infrastructure.persistence.memory.related_rows import RelatedRows
from fastapi_easy.infrastructure.persistence.memory.specification import (
    after_cursor,
    cursor_at,
    filter_rows,
    sort_rows,
)
from fastapi_easy.infrastructure.persistence.memory.tables import Identity, Layer, Rows, Values
from fastapi_easy.infrastructure.persistence.memory.transaction import MemoryTransaction
from fastapi_easy.infrastructure.persistence.memory.values import initial_value, make_key, to_stored

E = TypeVar("E")
T = TypeVar("T")

_MUTABLE: Final = frozenset({Kind.JSON, Kind.ARRAY})


class MemoryRepository(Generic[E]):
    """Implements `Repository` on a `MemoryDatabase`: alone, or inside a transaction."""

    def __init__(
        self, resource: Resource[E], database: MemoryDatabase, connection: MemoryTransaction | None = None
    ) -> None:
        self._resource = resource
        self._database = database
        self._connection = connection
        self._table = database.table(resource)
        self._mutable = frozenset(
            field.name for field in resource.stored_fields.values() if field.kind in _MUTABLE
        )

    def in_transaction(self, connection: MemoryTransaction) -> Self:
        """Return the same repository inside *connection*."""
        return type(self)(self._resource, self._database, connection)

    async def read(
        self, key: Key, fields: Sequence[str] | None = None, *, scope: Specification = EVERYTHING
    ) -> Outcome[Row]:
        """Return the row with *key*."""
        found = self._found(self._view(), key, scope)
        return found if isinstance(found, Failure) else Success(self._row(found.unwrap(), fields))

    async def select(self, query: Query) -> Outcome[Page[Row]]:
        """Return a page of rows in the query's total order, nulls last."""
        rows, total, place = self._window(query)
        return Success(Page([self._row(row, query.fields) for row in rows], total, place))

    async def select_each(
        self, relation: Relation, sources: Sequence[tuple[Any, ...]], query: Query
    ) -> Outcome[Sequence[Sequence[Row]]]:
        """Return the rows that *relation* leads to, from each of *sources*."""
        related_rows = RelatedRows(self._view_of)
        order = total_order(bind_order(query.order, self._resource), self._resource.key)
        most, meant = (
            query.page.limit if relation.many else 1,
            bind_paths(query.specification, self._resource),
        )

        def rows_for(source: Identity) -> list[Row]:
            rows = filter_rows(related_rows.find(relation, tuple(source)), meant, related_rows)
            return [self._row(row, query.fields) for row in sort_rows(rows, order, related_rows)[:most]]

        return Success([rows_for(source) for source in sources])

    async def aggregate(self, aggregation: Aggregation) -> Outcome[Sequence[Group]]:
        """Return the numbers that *aggregation* asks for."""
        rows = self._matching(self._view(), aggregation.specification)
        return Success(aggregate_rows(rows, aggregation, self._resource.stored_fields))

    async def stream(self, query: Query, *, chunk: int = 500) -> AsyncIterator[Sequence[Row]]:
        """Yield every row of the query in its order, some at a time, as they were when the first were asked for."""
        order = total_order(bind_order(query.order, self._resource), self._resource.key)
        rows = sort_rows(self._matching(self._view(), query.specification), order, RelatedRows(self._view_of))
        for start in range(0, len(rows), chunk):
            yield [self._row(row, query.fields) for row in rows[start : start + chunk]]

    async def count(self, specification: Specification) -> Outcome[int]:
        """Return how many entities *specification* means."""
        return Success(len(self._matching(self._view(), specification)))

    async def add(self, values: Given) -> Outcome[Row]:
        """Store a new entity."""
        return self._to_row(self._write(lambda layer: self._insert(layer, values)))

    async def add_all(self, many: Sequence[Given]) -> Outcome[Sequence[Row]]:
        """Store several new entities, all or none."""
        return self._write(lambda layer: self._insert_all(layer, many))

    async def add_stored(self, many: Sequence[Given]) -> Outcome[Sequence[Row]]:
        """Store several entities as a store held them before, all or none."""
        return self._write(lambda layer: self._insert_all(layer, many, is_stored=True))

    async def update(
        self,
        key: Key,
        patch: Patch,
        *,
        expected_version: str | None = None,
        scope: Specification = EVERYTHING,
    ) -> Outcome[Row]:
        """Set the fields of *patch* on the entity with *key*."""

        def change(layer: Layer) -> Outcome[Values]:
            found = self._find_version(layer, key, expected_version, scope)
            if isinstance(found, Failure):
                return found
            return self._change(layer, found.unwrap(), patch, is_versioned=expected_version is not None)

        return self._to_row(self._write(change))

    async def remove(
        self, key: Key, *, expected_version: str | None = None, scope: Specification = EVERYTHING
    ) -> Outcome[None]:
        """Remove the entity with *key*."""

        def drop(layer: Layer) -> Outcome[None]:
            found = self._find_version(layer, key, expected_version, scope)
            if isinstance(found, Failure):
                return found
            _ = layer.write(self._identity(key), None, is_versioned=expected_version is not None)
            return Success(None)

        return self._write(drop)

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Set the fields of *patch* on every entity that *specification* means."""

        def change_all(layer: Layer) -> Outcome[int]:
            rows = self._matching(layer, specification)
            if len(rows) > max_affected:
                return too_many(max_affected)
            for row in rows:
                changed = self._change(layer, row, patch)
                if isinstance(changed, Failure):
                    return changed
            return Success(len(rows))

        return self._write(change_all)

    async def remove_where(self, specification: Specification, *, max_affected: int) -> Outcome[int]:
        """Remove every entity that *specification* means."""

        def drop_all(layer: Layer) -> Outcome[int]:
            rows = self._matching(layer, specification)
            if len(rows) > max_affected:
                return too_many(max_affected)
            for row in rows:
                _ = layer.write(self._identity_in(row), None)
            return Success(len(rows))

        return self._write(drop_all)

    def entity_from(self, row: Row) -> E:
        """Return an instance of the user's class that holds *row*."""
        return entity_from(self._resource, row)

    def values_of(self, entity: E) -> Given:
        """Return the values that *entity* holds."""
        return values_of(self._resource, entity)

    def _view(self) -> Rows:
        return self._view_of(self._resource)

    def _view_of(self, resource: Resource[Any]) -> Rows:
        table = self._database.table(resource)
        return table if self._connection is None else self._connection.view(table)

    def _matching(self, rows: Rows, specification: Specification) -> list[Values]:
        return filter_rows(rows.rows(), bind_paths(specification, self._resource), RelatedRows(self._view_of))

    def _matches(self, specification: Specification, row: Values) -> bool:
        return is_satisfied_by(bind_paths(specification, self._resource), row, RelatedRows(self._view_of))

    def _write(self, statement: Callable[[Layer], Outcome[T]]) -> Outcome[T]:
        """Run *statement* whole or not at all; outside of a transaction it is one of its own."""
        connection = self._connection
        layers = Layers() if connection is None else connection.statement()
        done = statement(layers.of(self._table))
        if isinstance(done, Failure):
            return done
        # No other task runs before the end of this method: nothing in it awaits.
        broken = apply_referential_actions(layers, final=connection is None)
        if broken is not None:
            is_own = broken.is_new and broken.reference.source is self._table
            return reference_broken(self._resource, broken.reference.fields if is_own else ())
        layers.flush()
        return done

    def _insert_all(
        self, layer: Layer, many: Sequence[Given], *, is_stored: bool = False
    ) -> Outcome[list[Row]]:
        rows: list[Row] = []
        for values in many:
            inserted = self._insert(layer, values, is_stored=is_stored)
            if isinstance(inserted, Failure):
                return inserted
            rows.append(self._row(inserted.unwrap()))
        return Success(rows)

    def _insert(self, layer: Layer, given: Given, *, is_stored: bool = False) -> Outcome[Values]:
        resource = self._resource
        row = {name: initial_value(field, given) for name, field in resource.stored_fields.items()}
        counted = resource.stored_fields[resource.key[-1]]
        if row[counted.name] is None and counted.generated:
            # Not taken back when the statement fails: the sequences of databases leave gaps, too.
            self._table.counter += 1
            row[counted.name] = make_key(counted.kind, self._table.counter)
        refused = self._find_nulls(row)
        if refused:
            return null_not_allowed(refused)
        identity = self._identity_in(row)
        if counted.kind is Kind.INTEGER:
            # A key that was given must not be given out again later.
            self._table.counter = max(self._table.counter, row[counted.name])
        if layer.get(identity) is not None:
            return already_exists(resource, resource.key)
        if resource.version is not None:
            row[resource.version] = given.get(resource.version, 1) if is_stored else 1
        rule = layer.write(identity, row)
        return Success(row) if rule is None else already_exists(resource, rule)

    def _change(
        self, layer: Layer, row: Values, patch: Patch, *, is_versioned: bool = False
    ) -> Outcome[Values]:
        fields, version = self._resource.stored_fields, self._resource.version
        given = resolve_store_defaults(fields, patch)
        changed = row | {name: to_stored(fields[name], value) for name, value in given.items()}
        if version is not None:
            changed[version] = row[version] + 1 if patch else row[version]
        identity = self._identity_in(row)
        if self._identity_in(changed) != identity:
            raise ValueError("the key of an entity never changes")
        refused = self._find_nulls(changed)
        if refused:
            return null_not_allowed(refused)
        set_ = frozenset((*patch, version)) if patch and version is not None else frozenset(patch)
        rule = layer.write(identity, changed, fields=set_, is_versioned=is_versioned)
        return Success(changed) if rule is None else already_exists(self._resource, rule)

    def _found(self, rows: Rows, key: Key, scope: Specification) -> Outcome[Values]:
        row = rows.get(self._identity(key))
        return (
            Success(row) if row is not None and self._matches(scope, row) else not_found(self._resource, key)
        )

    def _find_version(
        self, layer: Layer, key: Key, version: str | None, scope: Specification
    ) -> Outcome[Values]:
        found = self._found(layer, key, scope)
        if isinstance(found, Failure) or version is None:
            return found
        current = self._resource.version_of(Row(found.unwrap()))
        return found if current == version else stale(self._resource, key, current)

    def _window(self, query: Query) -> tuple[list[Values], int | None, Cursor | None]:
        page, related_rows = query.page, RelatedRows(self._view_of)
        order = total_order(bind_order(query.order, self._resource), self._resource.key)
        rows = filter_rows(self._view().rows(), bind_paths(query.specification, self._resource), related_rows)
        total = None if page.count is Count.NONE else len(rows)
        if page.after is not None:
            rows = list(filter(after_cursor(page.after, order, related_rows), rows))
        # One more than asked for tells whether there is a next page.
        window = sort_rows(rows, order, related_rows)[page.offset : page.offset + page.limit + 1]
        if len(window) <= page.limit:
            return window, total, None
        return window[: page.limit], total, cursor_at(window[page.limit - 1], order, related_rows)

    def _find_nulls(self, row: Values) -> list[str]:
        """Return the fields that are null, must not be, and are for callers to set."""
        return [
            name
            for name, field in self._resource.stored_fields.items()
            if row[name] is None and not (field.nullable or field.generated or field.store_default)
        ]

    def _identity(self, key: Key) -> Identity:
        return (key,) if len(self._resource.key) == 1 else tuple(key)

    def _identity_in(self, row: Values) -> Identity:
        return tuple(row[field] for field in self._resource.key)

    def _row(self, row: Values, fields: Sequence[str] | None = None) -> Row:
        # What a caller does to a list or a dictionary must not reach the stored row.
        mutable = self._mutable
        wanted = row if fields is None else fields
        return Row({name: copy.deepcopy(row[name]) if name in mutable else row[name] for name in wanted})

    def _to_row(self, written: Outcome[Values]) -> Outcome[Row]:
        return written if isinstance(written, Failure) else Success(self._row(written.unwrap()))
