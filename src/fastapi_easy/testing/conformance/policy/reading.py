"""The questions that read: each by itself, or in pairs of which one is about what is hidden and one about nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.aggregation import Function, functions_of
from fastapi_easy.domain.queries.specification import Operator, operators_for
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.domain.values.value_parsing import to_json_value
from fastapi_easy.testing.conformance.policy.questions import Question

Pair = tuple[Question, Question]
"""A question about something hidden, and the same about something that does not exist."""

_COMPARED: Final = (Kind.TEXT, Kind.INTEGER, Kind.DECIMAL, Kind.UUID)
_FILTERED: Final = (Operation.LIST, Operation.COUNT, Operation.AGGREGATE, Operation.EXPORT)


def lone_reads(resource: Resource[Any]) -> Iterator[Question]:
    """Yield what is asked for everything there is, in every way."""
    limit = {"limit": resource.query.max_limit}
    yield Question(operation=Operation.LIST, params={**limit, "count": "exact"})
    yield Question(operation=Operation.LIST, where={}, about="a search")
    yield Question(operation=Operation.COUNT)
    yield Question(operation=Operation.EXPORT)
    yield Question(operation=Operation.AGGREGATE, params={"total": "count"})
    for name in resource.sortable:
        for sign in ("", "-"):
            params = {**limit, "sort": f"{sign}{name}"}
            yield Question(operation=Operation.LIST, params=params, about=f"sort={sign}{name}")
    for relation in resource.relations.values():
        about = f"include={relation.name}"
        yield Question(operation=Operation.LIST, params={**limit, "include": relation.name}, about=about)
        names = () if relation.many else relation.target.sortable[:3]
        for name in names:
            path = f"{relation.name}.{name}"
            yield Question(operation=Operation.LIST, params={**limit, "sort": path}, about=f"sort={path}")
    for name in resource.filterable:
        field = resource.fields[name]
        if field.kind in _COMPARED:
            params = {"group_by": name, "total": "count"}
            yield Question(operation=Operation.AGGREGATE, params=params, about=f"group_by={name}")
        for function in set(functions_of(field)) & {Function.MINIMUM, Function.MAXIMUM}:
            total = f"{function}:{name}"
            yield Question(operation=Operation.AGGREGATE, params={"total": total}, about=total)


def filter_pairs(resource: Resource[Any], hidden: Row, absent: Row, visible: Sequence[Row]) -> Iterator[Pair]:
    """Yield comparisons with the values of a *hidden* row, each beside one with those of *absent*, which is nowhere.

    Args:
        resource: The resource of the rows.

        hidden: A row that the caller may not see.

        absent: A row that is not stored.

        visible: The rows that the caller may see, whose values tell nothing.
    """
    names = [
        name for name in resource.filterable if _can_be_told(resource.fields[name], hidden, absent, visible)
    ]
    yield from _comparisons({name: name for name in names}, hidden, absent)
    texts = [name for name in names if resource.fields[name].kind is Kind.TEXT]
    for name in texts[:1]:
        for operator in ("startswith", "icontains"):
            yield _compared(Operation.COUNT, f"{name}__{operator}", hidden[name], absent[name])
    for name in [each for each in texts if each in resource.searchable][:1]:
        yield _compared(Operation.LIST, "q", hidden[name], absent[name])
    for name in names[:1]:
        one, other = (
            Question(
                operation=Operation.LIST,
                where={"not": {f"{name}__ne": to_json_value(row[name])}},
                about=f"a search by {name}",
            )
            for row in (hidden, absent)
        )
        yield one, other


def related_pairs(relation: Relation, hidden: Row, absent: Row, visible: Sequence[Row]) -> Iterator[Pair]:
    """Yield comparisons along *relation*, as `filter_pairs` does with the rows of its target."""
    target = relation.target
    names = [name for name in target.filterable if _can_be_told(target.fields[name], hidden, absent, visible)]
    yield from _comparisons({name: f"{relation.name}.{name}" for name in names}, hidden, absent)


def _comparisons(paths: Mapping[str, str], hidden: Row, absent: Row) -> Iterator[Pair]:
    """Yield a list by each of *paths*, and every other operation that filters by the first of them."""
    for number, (name, path) in enumerate(paths.items()):
        for operation in _FILTERED if number == 0 else (Operation.LIST,):
            yield _compared(operation, path, hidden[name], absent[name])


def key_pairs(resource: Resource[Any], key: Key, missing: Key, version: str | None) -> Iterator[Pair]:
    """Yield reads of the hidden *key*, each beside one of the *missing* key."""

    def pair(about: str, **more: Any) -> Pair:
        hidden, nothing = (
            Question(operation=Operation.GET, key=each, about=about, **more) for each in (key, missing)
        )
        return hidden, nothing

    yield pair("")
    for relation in resource.relations.values():
        yield pair(f"include={relation.name}", params={"include": relation.name})
    if version is not None:
        yield pair("If-None-Match", version=version)


def _compared(operation: Operation, name: str, hidden: object, absent: object) -> Pair:
    more = {"total": "count"} if operation is Operation.AGGREGATE else {}
    one, other = (
        Question(operation=operation, params={name: value, **more}, about=f"{name}=…")
        for value in (hidden, absent)
    )
    return one, other


def _can_be_told(field: Field, hidden: Row, absent: Row, visible: Sequence[Row]) -> bool:
    """Return whether a comparison of *field* tells the *hidden* row from *absent*."""
    if field.kind not in _COMPARED or Operator.EQUALS not in operators_for(field):
        return False
    name = field.name
    values = hidden.get(name), absent.get(name)
    return None not in values and values[0] not in {values[1], *(row[name] for row in visible)}
