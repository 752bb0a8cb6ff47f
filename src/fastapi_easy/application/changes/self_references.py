"""The order in which entities that refer to others of their own resource can be created."""

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Error, ReferenceBroken
from fastapi_easy.domain.resources.resource import Resource

L = TypeVar("L", bound=tuple[int, Values])

_Target: TypeAlias = tuple[tuple[str, ...], tuple[object, ...]]
"""Fields, and the values in them that others refer to."""


class SelfReferences:
    """The foreign keys of *resource* to itself; false when there are none."""

    __slots__ = ("_fields", "_rules")

    def __init__(self, resource: Resource[object]) -> None:
        self._rules = tuple(
            (each.fields, each.remote) for each in resource.references if each.target.name == resource.name
        )
        self._fields = frozenset(name for fields, _ in self._rules for name in fields)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def explains(self, error: Error) -> bool:
        """Return whether *error* says that an entity refers to one that is not there yet."""
        # On some stores the error does not tell which fields they are.
        return isinstance(error, ReferenceBroken) and self._fields.issuperset(error.fields)

    def sort(self, lines: Sequence[L]) -> list[L]:
        """Return *lines* so that each comes after the one it refers to; a cycle is cut somewhere."""
        places: dict[_Target, int] = {}
        for place, (_, values) in enumerate(lines):
            for _, remote in self._rules:
                if None not in (target := _values_in(remote, values)):
                    places[remote, target] = place
        ordered: dict[int, None] = {}
        for place in range(len(lines)):
            self._visit(place, lines, places, ordered)
        return [lines[place] for place in ordered]

    def _visit(
        self, start: int, lines: Sequence[L], places: dict[_Target, int], ordered: dict[int, None]
    ) -> None:
        """Add the line at *start* to *ordered*, and before it all that it refers to."""
        path, on_path = [start], {start}
        while path:
            _, values = lines[path[-1]]
            targets = (places.get((remote, _values_in(fields, values))) for fields, remote in self._rules)
            following = next(
                (
                    place
                    for place in targets
                    if place is not None and place not in ordered and place not in on_path
                ),
                None,
            )
            if following is None:
                ordered.setdefault(path.pop())
            else:
                path.append(following)
                on_path.add(following)


def _values_in(fields: tuple[str, ...], values: Values) -> tuple[object, ...]:
    return tuple(values.get(name) for name in fields)
