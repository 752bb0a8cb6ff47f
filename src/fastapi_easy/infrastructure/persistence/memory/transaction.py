"""Transactions over the tables.

A transaction is a layer over the tables: what is written in it is seen through it and nowhere else. Commit
puts the layer into the tables in one go, after looking again at every rule, since others may have committed
meanwhile. Nobody waits for anybody: of two who claim the same unique value the first to commit wins, as of one
who removes a row and one who refers to it; a plain update of the same row keeps the fields of both, and a change
that was tied to a version fails when that version is gone. No method here suspends, so one event loop is all the
mutual exclusion there has to be.
"""

from returns.result import Failure, Success

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Error, Outcome
from fastapi_easy.infrastructure.persistence.memory.errors import (
    already_exists,
    not_found,
    reference_broken,
    stale,
)
from fastapi_easy.infrastructure.persistence.memory.layers import EndedLayers, Layers
from fastapi_easy.infrastructure.persistence.memory.references import apply_referential_actions
from fastapi_easy.infrastructure.persistence.memory.tables import Change, Layer, Rows, Table, Values


class MemoryTransaction:
    """Writes to any number of tables that only this transaction sees until it commits."""

    __slots__ = ("_layers",)

    def __init__(self) -> None:
        self._layers = Layers()

    def view(self, table: Table) -> Rows:
        """Return *table* as it is seen here."""
        return self._layers.view(table)

    def statement(self) -> Layers:
        """Return what the next statement is written to, until it sinks into the transaction."""
        return Layers(self._layers)

    def discard(self) -> None:
        """Forget every write."""
        self._layers = Layers()

    def close(self) -> None:
        """Forget every write; every further use raises `UnitOfWorkMisuse`."""
        self._layers = EndedLayers()

    def commit(self) -> Outcome[None]:
        """Put every write into the tables, or none if a rule forbids one. What follows begins anew."""
        written, self._layers = tuple(self._layers), Layers()
        fresh = Layers()
        for layer in written:
            refused = _rebase(layer, fresh.of(layer.table))
            if refused is not None:
                return refused
        broken = apply_referential_actions(fresh, final=True)
        if broken is None:
            fresh.flush()
            return Success(None)
        reference = broken.reference
        if broken.is_new:
            return reference_broken(reference.source.resource, reference.fields)
        return reference_broken(reference.target.resource, ())


def _rebase(layer: Layer, fresh: Layer) -> Failure[Error] | None:
    """Make *layer* anew in *fresh*, over what is committed by now; return why that cannot be, if so."""
    table = layer.table
    resource = table.resource
    # What came and went again inside the transaction was never there for anybody else.
    changes = {identity: each for identity, each in layer.changes.items() if each.original is not each.row}
    # All changed rows step aside first, so that they may swap unique values among themselves.
    for identity in changes:
        _ = fresh.write(identity, None)
    for identity, change in changes.items():
        current = table.get(identity)
        key = identity[0] if len(identity) == 1 else identity
        if change.is_versioned and current != change.original:
            if current is None:
                return not_found(resource, key)
            return stale(resource, key, resource.version_of(Row(current)))
        if change.original is None and change.row is not None and current is not None:
            return already_exists(resource, resource.key)
        wanted = _merged(current, change, resource.version)
        if wanted is not None and (rule := fresh.write(identity, wanted)) is not None:
            return already_exists(resource, rule)
    return None


def _merged(current: Values | None, change: Change, version: str | None) -> Values | None:
    """Return the row after *change*, when *current* is what is committed."""
    if change.row is None or change.fields is None:
        return change.row
    if current is None:
        return None
    merged = current | {field: change.row[field] for field in change.fields}
    if version in change.fields and change.original is not None:
        # The changes of others count as well as those made here.
        merged[version] = current[version] + change.row[version] - change.original[version]
    return merged
