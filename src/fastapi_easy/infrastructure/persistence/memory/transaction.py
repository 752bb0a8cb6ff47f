"""Transactions in front of the tables.

A transaction is a layer over the tables: what is written in it is seen through it and nowhere else. Commit
puts the layer into the tables in one go, after looking again at every rule, since others may have committed
meanwhile. Nobody waits for anybody: of two who claim the same unique value the first to commit wins, a plain
update of the same row keeps the fields of both, and a change that was tied to a version fails when that
version is gone. No method here suspends, so one event loop is all the mutual exclusion there has to be.
"""

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Error, Outcome
from fastapi_easy.domain.row import Row
from fastapi_easy.infrastructure.persistence.memory.errors import missing, stale, taken
from fastapi_easy.infrastructure.persistence.memory.tables import Change, Layer, Table, Values


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
            return stale(resource, key, resource.version_of(Row(current)))
        if change.seen is None and change.row is not None and current is not None:
            return taken(resource, resource.key)
        wanted = _merged(current, change, resource.version)
        if wanted is not None and (rule := fresh.write(identity, wanted)) is not None:
            return taken(resource, rule)
    return fresh


def _merged(current: Values | None, change: Change, version: str | None) -> Values | None:
    """The row after *change*, when *current* is what is committed."""
    if change.row is None or change.fields is None:
        return change.row
    if current is None:
        return None
    merged = current | {field: change.row[field] for field in change.fields}
    if version in change.fields and change.seen is not None:
        # The changes of others count as well as those made here.
        merged[version] = current[version] + change.row[version] - change.seen[version]
    return merged
