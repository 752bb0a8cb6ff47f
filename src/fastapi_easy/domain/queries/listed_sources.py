"""Sharing rows out among the lists that name them, for relations by a list of the source's."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi_easy.domain.changes.row import Row


class ListedSources:
    """The sources of one `Repository.select_each` along a relation by a list, and the rows of each.

    Args:
        sources: Each a tuple of one tuple, the values in its list.

        limit: Rows of one source at most.
    """

    __slots__ = ("_leading", "_limit", "rows")

    def __init__(self, sources: Iterable[tuple[Any, ...]], limit: int) -> None:
        self._limit = limit
        self._leading: defaultdict[object, list[list[Row]]] = defaultdict(list)
        self.rows: list[list[Row]] = []
        """Of each source, as they were added."""
        for (held,) in sources:
            mine: list[Row] = []
            self.rows.append(mine)
            for item in dict.fromkeys(held):
                self._leading[item].append(mine)

    @property
    def items(self) -> Sequence[Any]:
        """The values in all lists, each once."""
        return tuple(self._leading)

    def wants(self, item: object) -> bool:
        """Return whether a row that holds *item* would be added anywhere."""
        return any(len(rows) < self._limit for rows in self._leading.get(item, ()))

    def add(self, item: object, row: Row) -> None:
        """Add *row*, which holds *item*, to every source that lists it and has room."""
        for rows in self._leading.get(item, ()):
            if len(rows) < self._limit:
                rows.append(row)
