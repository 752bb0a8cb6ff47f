"""Relation and row → the rows it leads to."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain.queries.ordering import Sort, sort_key
from fastapi_easy.domain.queries.specification import is_satisfied_by
from fastapi_easy.domain.resources.relation import Side
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.infrastructure.persistence.memory.tables import Identity, Rows, Values, values_in

_NO_ROWS: Final = ()


class RelatedRows:
    """Finds related rows, in the tables as one transaction sees them.

    To be used for one query: its indexes are not kept up to date.

    Args:
        view: The rows of a resource.
    """

    __slots__ = ("_indexes", "_links", "_view")

    def __init__(self, view: Callable[[Resource[Any]], Rows]) -> None:
        self._view = view
        self._indexes: dict[Relation, Mapping[Identity, Sequence[Values]]] = {}
        self._links: dict[Relation, Mapping[Identity, Sequence[Identity]]] = {}

    def __call__(self, relation: Relation, row: Values) -> Sequence[Values]:
        """Return the rows that *relation* leads to from *row*."""
        return self.find(relation, tuple(row[field] for field in relation.local))

    def find(self, relation: Relation, source: Identity) -> Sequence[Values]:
        """Return the rows that *relation* leads to from the values *source* of its fields."""
        if None in source:
            return _NO_ROWS
        if relation.through is not None:
            return self._all_at(relation, self._linked(relation, source))
        if relation.listed_by is Side.SOURCE:
            held: Any = source[0]
            return self._all_at(relation, ((each,) for each in held))
        return self._at(relation, source)

    def value(self, term: Sort, row: Values) -> Any:
        """Return the value by which *term* sorts *row*; `None` where its path leads nowhere."""
        for relation in term.path:
            there = [each for each in self(relation, row) if is_satisfied_by(relation.target.alive, each)]
            if not there:
                return None
            # Nothing but the classes says that there is one at most.
            row = min(there, key=lambda each: tuple(sort_key(each[name]) for name in relation.target.key))
        return term.value_in(row)

    def _all_at(self, relation: Relation, places: Iterable[Identity]) -> Sequence[Values]:
        """Return the rows at any of *places*, each once."""
        return [
            row for place in dict.fromkeys(places) if None not in place for row in self._at(relation, place)
        ]

    def _at(self, relation: Relation, place: Identity) -> Sequence[Values]:
        """Return the rows of the target that hold *place* in the fields that *relation* compares."""
        if relation.remote == relation.target.key:
            found = self._view(relation.target).get(place)
            return _NO_ROWS if found is None else (found,)
        if relation not in self._indexes:
            self._indexes[relation] = self._indexed(relation)
        return self._indexes[relation].get(place, _NO_ROWS)

    def _indexed(self, relation: Relation) -> Mapping[Identity, Sequence[Values]]:
        index: defaultdict[Identity, list[Values]] = defaultdict(list)
        for row in self._view(relation.target).rows():
            held = tuple(row[field] for field in relation.remote)
            if relation.listed_by is not Side.TARGET:
                index[held].append(row)
            elif held[0] is not None:
                for each in dict.fromkeys(held[0]):
                    index[each,].append(row)
        return index

    def _linked(self, relation: Relation, source: Identity) -> Sequence[Identity]:
        """Return where the entities of the association resource lead from *source*; nowhere if there is none."""
        association = relation.association
        if association is None:
            return _NO_ROWS
        if relation not in self._links:
            links: defaultdict[Identity, list[Identity]] = defaultdict(list)
            alive = association.resource.alive
            for row in self._view(association.resource).rows():
                if is_satisfied_by(alive, row):
                    here, there = values_in(association.local, row), values_in(association.remote, row)
                    links[here].append(there)
            self._links[relation] = links
        return self._links[relation].get(source, _NO_ROWS)
