"""The entities of one resource, kept in the process."""

import copy
import datetime
import decimal
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, Generic, Self, TypeVar

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Key, Outcome
from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.ordering import total_order
from fastapi_easy.domain.page import Count, Cursor, Page
from fastapi_easy.domain.patch import Patch
from fastapi_easy.domain.patch import Values as Given
from fastapi_easy.domain.query import Query
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.row import Row
from fastapi_easy.domain.specification import Specification
from fastapi_easy.domain.version import version_of
from fastapi_easy.infrastructure.persistence.memory.connection import (
    Identity,
    Layer,
    MemoryDatabase,
    MemoryTransaction,
    Rows,
    Values,
)
from fastapi_easy.infrastructure.persistence.memory.errors import missing, nulls, stale, taken, too_many
from fastapi_easy.infrastructure.persistence.memory.mapping import entity_from, values_of
from fastapi_easy.infrastructure.persistence.memory.specification import arranged, behind, matching

E = TypeVar("E")
T = TypeVar("T")

_MUTABLE: Final = frozenset({Kind.JSON, Kind.ARRAY})
_WIDE: Final = decimal.Context(prec=200, rounding=decimal.ROUND_HALF_UP)


class MemoryRepository(Generic[E]):
    """Implements `Repository` on a `MemoryDatabase`: alone, or inside a transaction."""

    def __init__(
        self, resource: Resource[E], database: MemoryDatabase, connection: MemoryTransaction | None = None
    ) -> None:
        self._resource = resource
        self._database = database
        self._connection = connection
        self._table = database.table(resource)
        self._mutable = frozenset(field.name for field in resource.fields.values() if field.kind in _MUTABLE)

    def within(self, connection: MemoryTransaction) -> Self:
        """The same repository inside *connection*."""
        return type(self)(self._resource, self._database, connection)

    async def find_by_id(self, key: Key) -> Outcome[E]:
        """The entity with *key*."""
        row = self._view().get(self._identity(key))
        return missing(self._resource, key) if row is None else Success(self._entity(row))

    async def find_all(self, query: Query) -> Outcome[Page[E]]:
        """A page of entities."""
        rows, total, place = self._window(query)
        return Success(Page([self._entity(row) for row in rows], total, place))

    async def save(self, entity: E) -> Outcome[E]:
        """Store *entity*: insert it when its key is unset or unknown, else replace all its values."""
        saved = self._write(lambda layer: self._put(layer, values_of(self._resource, entity), replace=True))
        return saved if isinstance(saved, Failure) else Success(self._entity(saved.unwrap()))

    async def read(self, key: Key, fields: Sequence[str] | None = None) -> Outcome[Row]:
        """The row with *key*."""
        row = self._view().get(self._identity(key))
        return missing(self._resource, key) if row is None else Success(self._row(row, fields))

    async def select(self, query: Query) -> Outcome[Page[Row]]:
        """A page of rows in the query's total order, nulls last."""
        rows, total, place = self._window(query)
        return Success(Page([self._row(row, query.fields) for row in rows], total, place))

    async def stream(self, query: Query, *, chunk: int = 500) -> AsyncIterator[Row]:
        """Every row of the query in its order, as they were when the first was asked for."""
        order = total_order(query.order, self._resource.key)
        for row in arranged(matching(self._view().rows(), query.specification), order):
            yield self._row(row, query.fields)

    async def count(self, specification: Specification) -> Outcome[int]:
        """How many entities *specification* means."""
        return Success(len(matching(self._view().rows(), specification)))

    async def add(self, values: Given) -> Outcome[Row]:
        """Store a new entity."""
        return self._rowed(self._write(lambda layer: self._put(layer, values)))

    async def add_all(self, many: Sequence[Given]) -> Outcome[Sequence[Row]]:
        """Store several new entities, all or none."""

        def put_all(layer: Layer) -> Outcome[list[Row]]:
            rows: list[Row] = []
            for values in many:
                put = self._put(layer, values)
                if isinstance(put, Failure):
                    return put
                rows.append(self._row(put.unwrap()))
            return Success(rows)

        return self._write(put_all)

    async def update(self, key: Key, patch: Patch, *, expected_version: str | None = None) -> Outcome[Row]:
        """Set the fields of *patch* on the entity with *key*."""

        def change(layer: Layer) -> Outcome[Values]:
            found = self._expected(layer, key, expected_version)
            if isinstance(found, Failure):
                return found
            return self._change(layer, found.unwrap(), patch, guarded=expected_version is not None)

        return self._rowed(self._write(change))

    async def remove(self, key: Key, *, expected_version: str | None = None) -> Outcome[None]:
        """Remove the entity with *key*."""

        def drop(layer: Layer) -> Outcome[None]:
            found = self._expected(layer, key, expected_version)
            if isinstance(found, Failure):
                return found
            _ = layer.write(self._identity(key), None, guarded=expected_version is not None)
            return Success(None)

        return self._write(drop)

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Set the fields of *patch* on every entity that *specification* means."""

        def change_all(layer: Layer) -> Outcome[int]:
            rows = matching(layer.rows(), specification)
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
            rows = matching(layer.rows(), specification)
            if len(rows) > max_affected:
                return too_many(max_affected)
            for row in rows:
                _ = layer.write(self._identity_in(row), None)
            return Success(len(rows))

        return self._write(drop_all)

    def _view(self) -> Rows:
        return self._table if self._connection is None else self._connection.layer(self._table)

    def _write(self, statement: Callable[[Layer], Outcome[T]]) -> Outcome[T]:
        """Carry out *statement* whole or not at all; on its own it is its own transaction."""
        transaction = MemoryTransaction() if self._connection is None else self._connection
        below = transaction.layer(self._table)
        layer = Layer(below)
        done = statement(layer)
        if isinstance(done, Failure):
            return done
        layer.sink_into(below)
        if self._connection is None:
            committed = transaction.commit()
            if isinstance(committed, Failure):
                return committed
        return done

    def _put(self, layer: Layer, given: Given, *, replace: bool = False) -> Outcome[Values]:
        row = {name: self._initial(field, given) for name, field in self._resource.fields.items()}
        counted = self._resource.fields[self._resource.key[-1]]
        if row[counted.name] is None and counted.generated and counted.kind is Kind.INTEGER:
            self._table.counter += 1
            row[counted.name] = self._table.counter
        refused = self._nulls(row)
        if refused:
            return nulls(refused)
        identity = self._identity_in(row)
        if counted.kind is Kind.INTEGER:
            self._table.counter = max(self._table.counter, row[counted.name])
        if layer.get(identity) is not None and not replace:
            return taken(self._resource, self._resource.key)
        rule = layer.write(identity, row)
        return Success(row) if rule is None else taken(self._resource, rule)

    def _change(self, layer: Layer, row: Values, patch: Patch, *, guarded: bool = False) -> Outcome[Values]:
        fields = self._resource.fields
        changed = row | {name: _stored(fields[name], value) for name, value in patch.items()}
        identity = self._identity_in(row)
        if self._identity_in(changed) != identity:
            raise ValueError("the key of an entity never changes")
        refused = self._nulls(changed)
        if refused:
            return nulls(refused)
        rule = layer.write(identity, changed, fields=frozenset(patch), guarded=guarded)
        return Success(changed) if rule is None else taken(self._resource, rule)

    def _expected(self, layer: Layer, key: Key, version: str | None) -> Outcome[Values]:
        row = layer.get(self._identity(key))
        if row is None:
            return missing(self._resource, key)
        if version is not None:
            current = version_of(Row(row), self._resource.readable)
            if current != version:
                return stale(self._resource, key, current)
        return Success(row)

    def _window(self, query: Query) -> tuple[list[Values], int | None, Cursor | None]:
        page = query.page
        order = total_order(query.order, self._resource.key)
        rows = matching(self._view().rows(), query.specification)
        total = None if page.count is Count.NONE else len(rows)
        if page.after is not None:
            rows = list(filter(behind(page.after, order), rows))
        window = arranged(rows, order)[page.offset : page.offset + page.limit + 1]
        if len(window) <= page.limit:
            return window, total, None
        last = window[page.limit - 1]
        return window[: page.limit], total, Cursor(tuple(last[term.field] for term in order))

    def _initial(self, field: Field, given: Given) -> Any:
        if field.name in given:
            return _stored(field, given[field.name])
        if field.default_factory is not None:
            return _stored(field, field.default_factory())
        return None if field.default is UNSET else _stored(field, field.default)

    def _nulls(self, row: Values) -> list[str]:
        """The fields that are null and must not be, as far as callers can help it."""
        return [
            name
            for name, field in self._resource.fields.items()
            if row[name] is None and not (field.nullable or field.generated or field.store_default)
        ]

    def _identity(self, key: Key) -> Identity:
        return (key,) if len(self._resource.key) == 1 else tuple(key)

    def _identity_in(self, row: Values) -> Identity:
        return tuple(row[field] for field in self._resource.key)

    def _row(self, row: Values, fields: Sequence[str] | None = None) -> Row:
        mutable = self._mutable
        wanted = row if fields is None else fields
        return Row({name: copy.deepcopy(row[name]) if name in mutable else row[name] for name in wanted})

    def _rowed(self, written: Outcome[Values]) -> Outcome[Row]:
        return written if isinstance(written, Failure) else Success(self._row(written.unwrap()))

    def _entity(self, row: Values) -> E:
        made: E = entity_from(self._resource, self._row(row))
        return made


def _stored(field: Field, value: Any) -> Any:
    """*value* as the store keeps it: what a database would give back for it."""
    match field.kind:
        case _ if value is None:
            return None
        case Kind.DECIMAL if field.scale is not None:
            return _WIDE.quantize(value, decimal.Decimal(1).scaleb(-field.scale))
        case Kind.FLOAT:
            return float(value)
        case Kind.DATETIME:
            return value.astimezone(datetime.UTC)
        case Kind.ENUM if field.enumeration is not None:
            return field.enumeration(value)
        case Kind.JSON | Kind.ARRAY:
            return copy.deepcopy(value)
        case _:
            return value
