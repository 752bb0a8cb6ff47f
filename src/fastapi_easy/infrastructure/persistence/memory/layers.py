"""The layers of one statement or transaction."""

from collections.abc import Iterator
from typing import NoReturn

from fastapi_easy.domain.ports.unit_of_work import UnitOfWorkMisuse
from fastapi_easy.infrastructure.persistence.memory.tables import Layer, Rows, Table


class Layers:
    """A layer over each table that one statement, or one transaction, writes to.

    Args:
        below: The layers of the transaction that a statement belongs to; without them the tables themselves.
    """

    __slots__ = ("_below", "_layers")

    def __init__(self, below: "Layers | None" = None) -> None:
        self._below = below
        self._layers: dict[Table, Layer] = {}

    def __iter__(self) -> Iterator[Layer]:
        """Go through the layers that were asked for to be written to."""
        return iter(self._layers.values())

    def of(self, table: Table) -> Layer:
        """Return the layer in which *table* is written to."""
        layer = self._layers.get(table)
        if layer is None:
            layer = self._layers[table] = Layer(table if self._below is None else self._below.of(table))
        return layer

    def view(self, table: Table) -> Rows:
        """Return *table* as it is seen here."""
        layer = self._layers.get(table)
        if layer is not None:
            return layer
        return table if self._below is None else self._below.view(table)

    def flush(self) -> None:
        """Put everything that was written here into what it lies upon."""
        for layer in self._layers.values():
            layer.flush()


class EndedLayers(Layers):
    """Stand where those of a transaction were that has ended, and refuse every use."""

    __slots__ = ()

    def __iter__(self) -> NoReturn:
        """Refuse to commit."""
        self._refuse()

    def of(self, table: Table) -> NoReturn:
        """Refuse a write."""
        self._refuse()

    def view(self, table: Table) -> NoReturn:
        """Refuse a read."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UnitOfWorkMisuse("the unit of work has ended: open a new one")
