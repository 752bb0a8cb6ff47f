"""What tells one question from another: exact texts of queries, and of what a caller may see.

Equal questions have equal texts, in every process; different ones never have. A value of a type that is not known here
has no text, so that nothing is taken for anything else.
"""

import datetime
import decimal
import enum
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi_easy.application.access import Access
from fastapi_easy.application.caching.uncacheable import Uncacheable
from fastapi_easy.domain.queries.aggregation import Aggregation
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.path_where import PathWhere
from fastapi_easy.domain.queries.query import Include, Query
from fastapi_easy.domain.queries.shown_where import ShownWhere
from fastapi_easy.domain.queries.specification import AllOf, AnyOf, Everything, Not, Related, Where
from fastapi_easy.domain.queries.words import HoldsWords
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.domain.values.unexpected import UnexpectedValue


class Fingerprint:
    """The text of one question to *resource*, and what its answer depends on.

    Args:
        resource: The resource that is asked.

    Attributes:
        resources: The resource and every other one that the question names, by name.

        relations: The relations that it follows, by their place.
    """

    __slots__ = ("_parts", "relations", "resources")

    def __init__(self, resource: Resource[Any]) -> None:
        self.resources: dict[str, Resource[Any]] = {resource.name: resource}
        self.relations: dict[str, Relation] = {}
        self._parts: list[str] = []

    def text(self) -> str:
        """Return the text of all that was added."""
        return "".join(self._parts)

    def add(self, *values: object) -> None:
        """Add *values*.

        Raises:
            Uncacheable: One of them has no exact text.
        """
        self._parts += map(exact_text, values)

    def add_query(self, query: Query) -> None:
        """Add *query*, with everything that it includes."""
        page = query.page
        self.add_specification(query.specification)
        for sort in query.order:
            self._add_sort(sort)
        self.add(page.limit, page.offset, str(page.count), query.fields)
        self.add(None if page.after is None else page.after.values)
        for include in query.includes:
            self.add_include(include)

    def add_include(self, include: Include) -> None:
        """Add *include*."""
        self._add_relation(include.relation)
        self._parts.append("{")
        self.add_query(include.query)
        self._parts.append("}")

    def add_aggregation(self, asked: Aggregation) -> None:
        """Add *asked*."""
        self.add_specification(asked.specification)
        self.add(tuple((str(each.function), each.field) for each in asked.measures))
        self.add(asked.group_by, asked.limit, asked.offset)

    def add_specification(self, specification: object) -> None:
        """Add *specification*."""
        kind = type(specification)
        if kind is Everything:
            self._parts.append("*")
        elif isinstance(specification, Where) and (
            kind in {Where, PathWhere} or _is_undoubted(specification)
        ):
            self.add(kind.__name__, specification.field, str(specification.operator), specification.value)
        elif isinstance(specification, HoldsWords) and kind is HoldsWords:
            self.add("words", specification.fields, specification.words, specification.language)
        elif isinstance(specification, Not) and kind is Not:
            self._add_group("!", (specification.specification,))
        elif isinstance(specification, AllOf | AnyOf) and kind in {AllOf, AnyOf}:
            self._add_group("&" if kind is AllOf else "|", specification.specifications)
        elif isinstance(specification, Related) and kind is Related:
            self._add_relation(specification.relation)
            self._add_group("?", (specification.specification,))
        else:
            # What may be answered by a mistake, and kinds of somebody else's.
            raise Uncacheable

    def add_grants(self, access: Access) -> None:
        """Add what the caller of *access* may see of every resource named so far."""
        if not access.is_limited:
            return
        for _, resource in sorted(self.resources.items()):
            grant = access.read_grant(resource)
            self._parts.append("#")
            self.add(resource.name, grant.readable)
            self.add_specification(grant.rows)

    def _add_group(self, sign: str, members: tuple[Any, ...]) -> None:
        self._parts.append(f"{sign}(")
        for each in members:
            self.add_specification(each)
        self._parts.append(")")

    def _add_sort(self, sort: Sort) -> None:
        self.add(sort.field, str(sort.direction))
        for relation in sort.path:
            self._add_relation(relation)

    def _add_relation(self, relation: Relation) -> None:
        place = repr(relation)
        self._parts.append(f">{place};")
        self.relations[place] = relation
        _ = self.resources.setdefault(relation.target.name, relation.target)


def exact_text(value: object) -> str:
    """Return a text that only values equal to *value*, and of its type, have.

    Raises:
        Uncacheable: Nothing is known of its type.
    """
    write = _WRITERS.get(type(value))
    if write is not None:
        return write(value)
    if isinstance(value, enum.Enum):
        return f"e{_sized(f'{type(value).__module__}.{type(value).__qualname__}.{value.name}')}"
    if isinstance(value, uuid.UUID):
        # Of a driver's own class.
        return f"u{value.hex}"
    raise Uncacheable


def _is_undoubted(specification: Where) -> bool:
    return type(specification) is ShownWhere and specification.fault is None


def _sized(text: str) -> str:
    return f"{len(text)}:{text}"


def _write_items(values: Any) -> str:
    return f"({''.join(map(exact_text, values))})"


def _write_mapping(values: Any) -> str:
    return f"<{''.join(f'{exact_text(name)}{exact_text(each)}' for name, each in values.items())}>"


def _write_time(value: Any) -> str:
    return _sized(f"{value.isoformat()}{'' if value.tzinfo is None else value.utcoffset()}{value.fold}")


_WRITERS: Final[Mapping[type, Callable[[Any], str]]] = {
    type(None): lambda _: "N",
    bool: lambda value: "T" if value else "F",
    str: lambda value: f"s{_sized(value)}",
    int: lambda value: f"i{value};",
    float: lambda value: f"f{value!r};",
    decimal.Decimal: lambda value: f"d{value};",
    bytes: lambda value: f"b{value.hex()};",
    uuid.UUID: lambda value: f"u{value.hex}",
    datetime.date: lambda value: f"D{value.isoformat()}",
    datetime.datetime: lambda value: f"t{_write_time(value)}",
    datetime.time: lambda value: f"h{_write_time(value)}",
    datetime.timedelta: lambda value: f"l{value.days},{value.seconds},{value.microseconds};",
    tuple: _write_items,
    list: lambda value: f"[{_write_items(value)}",
    frozenset: lambda value: f"$({''.join(sorted(map(exact_text, value)))})",
    dict: _write_mapping,
    UnexpectedValue: lambda value: f"x{exact_text(value.shown)}",
}
