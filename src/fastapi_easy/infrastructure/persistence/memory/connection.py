"""Tables in the process, and transactions in front of them.

A transaction is a layer over the tables: what is written in it is seen through it and nowhere else. Commit
puts the layer into the tables in one go, after looking again at every rule, since others may have committed
meanwhile. Nobody waits for anybody: of two who claim the same unique value the first to commit wins, a plain
update of the same row keeps the fields of both, and a change that was tied to a version fails when that
version is gone. No method here suspends, so one event loop is all the mutual exclusion there has to be.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from returns.result import Failure, Success

from fastapi_easy.domain.capability import EVERY_CAPABILITY, Capability
from fastapi_easy.domain.errors import Error, Outcome, Unavailable
from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.resource import Resource, Shape
from fastapi_easy.domain.row import Row
from fastapi_easy.domain.version import version_of
from fastapi_easy.infrastructure.persistence.memory.errors import missing, stale, taken

Identity: TypeAlias = tuple[Any, ...]
"""The values of the key fields, also when there is only one."""

Values: TypeAlias = dict[str, Any]
"""A stored row. Never changed in place: a write puts another one there."""

Rule: TypeAlias = tuple[str, ...]
"""Fields whose values, taken together, must differ between rows."""


class Rows(Protocol):
    """The rows of one resource as somebody sees them."""

    @property
    def table(self) -> "Table":
        """Where they end up."""
        ...

    def get(self, identity: Identity) -> Values | None:
        """The row at *identity*."""
        ...

    def rows(self) -> Iterator[Values]:
        """All of them, in no particular order."""
        ...

    def owner(self, rule: Rule, values: Identity) -> Identity | None:
        """Whose *values* these are under *rule*."""
        ...


class Table:
    """The committed rows of one resource."""

    __slots__ = ("_owners", "_rows", "counter", "resource", "rules")

    def __init__(self, resource: Resource[Any]) -> None:
        single = tuple((field.name,) for field in resource.fields.values() if field.unique)
        self.resource = resource
        self.rules: tuple[Rule, ...] = tuple(dict.fromkeys((*single, *resource.unique)))
        self.counter = 0
        self._rows: dict[Identity, Values] = {}
        self._owners: dict[Rule, dict[Identity, Identity]] = {rule: {} for rule in self.rules}

    @property
    def table(self) -> "Table":
        """Itself."""
        return self

    def get(self, identity: Identity) -> Values | None:
        """The row at *identity*."""
        return self._rows.get(identity)

    def rows(self) -> Iterator[Values]:
        """All of them, in the order of their arrival."""
        return iter(tuple(self._rows.values()))

    def owner(self, rule: Rule, values: Identity) -> Identity | None:
        """Whose *values* these are under *rule*."""
        return self._owners[rule].get(values)

    def take(self, layer: "Layer") -> None:
        """Put what *layer* holds in place of what is here."""
        for identity in layer.changes:
            old = self._rows.pop(identity, None)
            for rule, claim in self.claims(old):
                _ = self._owners[rule].pop(claim, None)
        for identity, change in layer.changes.items():
            if change.row is not None:
                self._rows[identity] = change.row
            for rule, claim in self.claims(change.row):
                self._owners[rule][claim] = identity

    def claims(self, row: Values | None) -> Iterator[tuple[Rule, Identity]]:
        """Each rule and the values that *row* claims under it. Nulls claim nothing."""
        if row is not None:
            for rule in self.rules:
                claim = _claim(rule, row)
                if None not in claim:
                    yield rule, claim


@dataclass(slots=True)
class Change:
    """What is to happen to one row.

    Attributes:
        seen: The row as it was below; `None` when there was none.

        row: The row as it shall be; `None` when it shall go.

        fields: The fields that were set; `None` for all of them.

        guarded: It holds only for the row that was seen.
    """

    seen: Values | None
    row: Values | None
    fields: frozenset[str] | None = None
    guarded: bool = False


class Layer:
    """Rows written on top of others, which stay as they are."""

    __slots__ = ("_below", "_owners", "changes", "table")

    def __init__(self, below: Rows) -> None:
        self._below = below
        self.table = below.table
        self.changes: dict[Identity, Change] = {}
        self._owners: dict[Rule, dict[Identity, Identity]] = {rule: {} for rule in self.table.rules}

    def get(self, identity: Identity) -> Values | None:
        """The row at *identity*, written here or seen through."""
        change = self.changes.get(identity)
        return self._below.get(identity) if change is None else change.row

    def rows(self) -> Iterator[Values]:
        """All of them."""
        key = self.table.resource.key
        for row in self._below.rows():
            if _claim(key, row) not in self.changes:
                yield row
        for change in tuple(self.changes.values()):
            if change.row is not None:
                yield change.row

    def owner(self, rule: Rule, values: Identity) -> Identity | None:
        """Whose *values* these are under *rule*."""
        here = self._owners[rule].get(values)
        if here is not None:
            return here
        below = self._below.owner(rule, values)
        return None if below is None or below in self.changes else below

    def write(
        self,
        identity: Identity,
        row: Values | None,
        *,
        fields: frozenset[str] | None = None,
        guarded: bool = False,
    ) -> Rule | None:
        """Put *row* at *identity*, or take away what is there when it is `None`.

        Returns:
            The rule that forbids it, in which case nothing has changed.
        """
        claims = tuple(self.table.claims(row))
        for rule, claim in claims:
            owner = self.owner(rule, claim)
            if owner is not None and owner != identity:
                return rule
        before = self.changes.get(identity)
        if before is None:
            self.changes[identity] = Change(self._below.get(identity), row, fields, guarded)
        else:
            for rule, claim in self.table.claims(before.row):
                _ = self._owners[rule].pop(claim, None)
            before.fields = None if before.fields is None or fields is None else before.fields | fields
            before.guarded = before.guarded or guarded
            before.row = row
        for rule, claim in claims:
            self._owners[rule][claim] = identity
        return None

    def sink_into(self, below: "Layer") -> None:
        """Write to *below*, which this one lies upon, everything that was written here."""
        for identity, change in self.changes.items():
            _ = below.write(identity, change.row, fields=change.fields, guarded=change.guarded)


class MemoryTransaction:
    """Writes to any number of tables that only this transaction sees until it commits."""

    __slots__ = ("_layers",)

    def __init__(self) -> None:
        self._layers: dict[Table, Layer] = {}

    def layer(self, table: Table) -> Layer:
        """*table* as seen and written here."""
        if table not in self._layers:
            self._layers[table] = Layer(table)
        return self._layers[table]

    def discard(self) -> None:
        """Forget every write."""
        self._layers.clear()

    def commit(self) -> Outcome[None]:
        """Put every write into the tables, or none if a rule forbids one. What follows begins anew."""
        ready: list[Layer] = []
        layers = tuple(self._layers.values())
        self._layers.clear()
        for layer in layers:
            rebased = _rebased(layer)
            if isinstance(rebased, Failure):
                return rebased
            ready.append(rebased)
        for layer in ready:
            layer.table.take(layer)
        return Success(None)


class MemoryDatabase:
    """Implements `Database` in the process. What it holds lives as long as the object."""

    technology = "memory"
    capabilities: frozenset[Capability] = EVERY_CAPABILITY

    def __init__(self, name: str = "default") -> None:
        self.name = name
        self._tables: dict[type[Any], Table] = {}
        self._is_open = False

    def admit(self, name: str, shape: Shape) -> tuple[Shape, list[str]]:
        """Whatever Python can hold is held."""
        return shape, []

    async def open(self) -> None:
        """Answer `check` from now on."""
        self._is_open = True

    async def close(self) -> None:
        """Answer `check` no longer."""
        self._is_open = False

    async def check(self) -> Outcome[None]:
        """Whether it is open."""
        return Success(None) if self._is_open else Failure(Unavailable(self.name))

    async def prepare(self, resources: Sequence[Resource[Any]], mode: SchemaMode) -> Outcome[Sequence[str]]:
        """Nothing to do: a table is there when it is first asked for."""
        return Success(())

    def table(self, resource: Resource[Any]) -> Table:
        """Where *resource* is kept. Resources of the same entity share one, as they do in a database."""
        if resource.entity not in self._tables:
            self._tables[resource.entity] = Table(resource)
        return self._tables[resource.entity]


def _claim(rule: Rule, row: Mapping[str, Any]) -> Identity:
    return tuple(row[field] for field in rule)


def _rebased(layer: Layer) -> Layer | Failure[Error]:
    """*layer* made anew over what is committed by now."""
    table = layer.table
    resource = table.resource
    fresh = Layer(table)
    # What came and went again inside the transaction was never there for anybody else.
    changes = {identity: each for identity, each in layer.changes.items() if each.seen is not each.row}
    # All changed rows step aside first, so that they may swap unique values among themselves.
    for identity in changes:
        _ = fresh.write(identity, None)
    for identity, change in changes.items():
        current = table.get(identity)
        key = identity[0] if len(identity) == 1 else identity
        if change.guarded and current != change.seen:
            if current is None:
                return missing(resource, key)
            return stale(resource, key, version_of(Row(current), resource.readable))
        if change.seen is None and change.row is not None and current is not None:
            return taken(resource, resource.key)
        wanted = _merged(current, change)
        if wanted is not None and (rule := fresh.write(identity, wanted)) is not None:
            return taken(resource, rule)
    return fresh


def _merged(current: Values | None, change: Change) -> Values | None:
    """The row after *change*, when *current* is what is committed."""
    if change.row is None or change.fields is None:
        return change.row
    if current is None:
        return None
    return current | {field: change.row[field] for field in change.fields}
