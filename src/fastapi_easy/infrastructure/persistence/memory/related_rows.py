"""Relation and row → the rows it leads to."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain.queries.ordering import Sort, sort_key
from fastapi_easy.domain.queries.specification import is_satisfied_by
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.infrastructure.persistence.memory.tables import Identity, Rows, Values

_NO_ROWS: Final = ()


class RelatedRows:
    """Finds related rows, in the tables as one transaction sees them.

    To be used for one query: its indexes are not kept up to date.

    Args:
        view: The rows of a resource.
    """

    __slots__ = ("_indexes", "_view")

    def __init__(self, view: Callable[[Resource[Any]], Rows]) -> None:
        self._view = view
        self._indexes: dict[Relation, Mapping[Identity, Sequence[Values]]] = {}

    def __call__(self, relation: Relation, row: Values) -> Sequence[Values]:
        """Return the rows that *relation* leads to from *row*."""
        return self.find(relation, tuple(row[field] for field in relation.local))

    def find(self, relation: Relation, source: Identity) -> Sequence[Values]:
        """Return the rows that *relation* leads to from the values *source* of its fields."""
        if None in source:
            return _NO_ROWS
        if relation.remote == relation.target.key:
            found = self._view(relation.target).get(source)
            return _NO_ROWS if found is None else (found,)
        if relation not in self._indexes:
            self._indexes[relation] = self._indexed(relation)
        return self._indexes[relation].get(source, _NO_ROWS)

    def value(self, term: Sort, row: Values) -> Any:
        """Return the value by which *term* sorts *row*; `None` where its path leads nowhere."""
        for relation in term.path:
            there = [each for each in self(relation, row) if is_satisfied_by(relation.target.alive, each)]
            if not there:
                return None
            # Nothing but the classes says that there is one at most.
            row = min(there, key=lambda each: tuple(sort_key(each[name]) for name in relation.target.key))
        return term.value_in(row)

    def _indexed(self, relation: Relation) -> Mapping[Identity, Sequence[Values]]:
        index: defaultdict[Identity, list[Values]] = defaultdict(list)
        for row in self._view(relation.target).rows():
            index[tuple(row[field] for field in relation.remote)].append(row)
        return index
