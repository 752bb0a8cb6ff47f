"""Each part of a query, from text, JSON or Python objects."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeAlias

from fastapi_easy.application.queries.allowed_comparisons import RESERVED, Names, Vocabulary, nearest
from fastapi_easy.application.queries.comparisons import Comparisons, Misunderstood
from fastapi_easy.application.queries.include_parser import OPTIONS, Branch, Including
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.application.queries.sorting import read_fields, read_order
from fastapi_easy.application.queries.where_tree import WhereTree
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.page import Count, Cursor
from fastapi_easy.domain.queries.query import Include
from fastapi_easy.domain.queries.specification import AnyOf, Operator, Specification, Where
from fastapi_easy.domain.resources.resource import Resource

_WHOLE: Final = re.compile(r"-?[0-9]{1,40}", re.ASCII)


@dataclass(slots=True)
class Wish:
    """What has been read of a query so far; `None` where the caller said nothing."""

    conditions: list[Specification] = field(default_factory=list)
    order: tuple[Sort, ...] | None = None
    fields: tuple[str, ...] | None = None
    limit: int | None = None
    offset: int | None = None
    cursor: str | Cursor | None = None
    count: Count = Count.NONE
    branches: dict[str, Branch] = field(default_factory=dict)


class QueryParts:
    """Reads the parts of one resource's queries into a wish. Every method raises `Misunderstood`."""

    def __init__(
        self, resource: Resource[Any], parameters: Vocabulary, limits: QueryLimits, called: Names
    ) -> None:
        self._resource = resource
        self._limits = limits
        self._called = called
        self._comparisons = Comparisons(parameters, limits)
        self._where = WhereTree(parameters, limits)
        self._including = Including(resource, limits, called)

    def parameter(self, wish: Wish, name: str, values: Sequence[str]) -> None:
        """One parameter of a query string with all the values it was given."""
        if name in _FROM_TEXT:
            _FROM_TEXT[name](self, wish, values)
        elif name.rpartition(".")[2] in OPTIONS and "." in name:
            self._including.option(wish.branches, name, values)
        else:
            wish.conditions.append(self._comparisons.from_text(name, values))

    def member(self, wish: Wish, name: str, value: Any) -> None:
        """One member of a search document."""
        if name not in _FROM_JSON:
            raise Misunderstood.grammar(name, "Is not part of a search", nearest(name, _FROM_JSON))
        _FROM_JSON[name](self, wish, value)

    def keyword(self, wish: Wish, name: str, value: Any) -> None:
        """Read one keyword of a call in Python."""
        path, _, option = name.replace("__", ".").rpartition(".")
        if name in _FROM_JSON:
            _FROM_JSON[name](self, wish, value)
        elif path and option in OPTIONS:
            self._including.option(wish.branches, f"{path}.{option}", as_texts(value))
        else:
            wish.conditions.append(self._comparisons.from_value(name, value, f"/{name}", RESERVED))

    def where_text(self, wish: Wish, values: Sequence[str]) -> None:
        """Each `where` of a query string."""
        for text in values:
            try:
                tree = json.loads(
                    text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once
                )
            except (ValueError, ArithmeticError, RecursionError):
                raise Misunderstood.grammar("where", "Must be one JSON object") from None
            self.where(wish, tree)

    def where(self, wish: Wish, tree: Any) -> None:
        """A `where` tree."""
        wish.conditions.append(self.condition(tree, "/where"))

    def condition(self, tree: Any, pointer: str) -> Specification:
        """What a `where` tree says."""
        return self._where.read(tree, pointer)

    def search(self, wish: Wish, text: Any) -> None:
        """The words to look for."""
        searchable = self._resource.searchable
        if not searchable:
            raise Misunderstood.grammar("q", "Is not offered here: no field can be searched")
        if not isinstance(text, str):
            raise Misunderstood.value("/q", "Must be text", "string_type")
        if len(text) > self._limits.text:
            raise Misunderstood.limit("/q", f"Must not be longer than {self._limits.text} characters")
        for word in text.split():
            value = self._comparisons.from_search(searchable[0], word)
            wish.conditions.append(
                AnyOf(tuple(Where(name, Operator.CONTAINS_ANY_CASE, value) for name in searchable))
            )

    def order(self, wish: Wish, names: Sequence[str]) -> None:
        """The order, as names of fields."""
        wish.order = read_order(self._resource, names, self._limits.relations, self._called)

    def fields(self, wish: Wish, names: Sequence[str]) -> None:
        """The chosen fields, also of related entities, which are thereby included."""
        own = [name for name in names if "." not in name]
        for name in names:
            path, dot, field_name = name.rpartition(".")
            if dot:
                self._including.include(wish.branches, path).fields.append(field_name)
        if names:
            wish.fields = read_fields(self._resource, own, self._called) or self._resource.key

    def include(self, wish: Wish, names: Sequence[str]) -> None:
        """Related entities, as paths of relations."""
        for name in names:
            _ = self._including.include(wish.branches, name)

    def include_tree(self, wish: Wish, tree: Any) -> None:
        """Related entities, as JSON."""
        self._including.document(wish.branches, tree, "/include")

    def includes(self, wish: Wish) -> tuple[Include, ...]:
        """The related entities wished for."""
        return self._including.built(wish.branches)

    def limit(self, wish: Wish, value: Any) -> None:
        """Entities on a page."""
        wish.limit = _between("/limit", value, 1, self._resource.query.max_limit)

    def offset(self, wish: Wish, value: Any) -> None:
        """Entities to skip."""
        wish.offset = _between("/offset", value, 0, self._limits.offset)

    def cursor(self, wish: Wish, value: Any) -> None:
        """The token to go on from, opened once the whole query is known; or, in Python, the place itself."""
        if not isinstance(value, str | Cursor):
            raise Misunderstood.value("/cursor", "Must be text", "string_type")
        wish.cursor = value

    def count(self, wish: Wish, value: Any) -> None:
        """How to count."""
        if value not in tuple(Count):
            raise Misunderstood.grammar(
                "count",
                f"Must be one of {', '.join(Count)}",
                nearest(value, [str(each) for each in Count]) if isinstance(value, str) else None,
            )
        wish.count = Count(value)


def as_texts(value: Any) -> list[str]:
    """Return what a query string would hold in place of *value*, an object or a list of some."""
    several = isinstance(value, Sequence) and not isinstance(value, str)
    return [str(each) for each in (value if several else [value])]


def _between(pointer: str, value: Any, low: int, high: int) -> int:
    number = int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value
    if not isinstance(number, int) or isinstance(number, bool):
        raise Misunderstood.value(pointer, "Must be a whole number", "integer_parsing")
    if not low <= number <= high:
        raise Misunderstood.value(pointer, f"Must be between {low} and {high}", "out_of_range")
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that names nothing twice."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


_Reads: TypeAlias = Callable[[QueryParts, Wish, Any], None]


def _alone(name: str, read: _Reads) -> _Reads:
    """For a parameter that may be given once."""

    def checked(parts: QueryParts, wish: Wish, values: Sequence[str]) -> None:
        if len(values) > 1:
            raise Misunderstood.grammar(name, "Was given more than once")
        read(parts, wish, values[0])

    return checked


def _text_list(read: _Reads) -> _Reads:
    """For a list of names: repeated, separated by commas, or both."""

    def split(parts: QueryParts, wish: Wish, values: Sequence[str]) -> None:
        read(parts, wish, [name.strip() for value in values for name in value.split(",") if name.strip()])

    return split


def _json_list(name: str, read: _Reads) -> _Reads:
    """For a list of names in JSON: a list, or one text as in a query string."""

    def split(parts: QueryParts, wish: Wish, value: Any) -> None:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, Sequence) or not all(isinstance(each, str) for each in value):
            raise Misunderstood.value(f"/{name}", "Must be a list of names", "list_type")
        read(parts, wish, value)

    return split


_WHOLE_PARTS: Final[Mapping[str, _Reads]] = {
    "q": QueryParts.search,
    "limit": QueryParts.limit,
    "offset": QueryParts.offset,
    "cursor": QueryParts.cursor,
    "count": QueryParts.count,
}
_FROM_TEXT: Final[Mapping[str, _Reads]] = {
    "where": QueryParts.where_text,
    "sort": _text_list(QueryParts.order),
    "fields": _text_list(QueryParts.fields),
    "include": _text_list(QueryParts.include),
    **{name: _alone(name, read) for name, read in _WHOLE_PARTS.items()},
}
_FROM_JSON: Final[Mapping[str, _Reads]] = {
    "where": QueryParts.where,
    "sort": _json_list("sort", QueryParts.order),
    "fields": _json_list("fields", QueryParts.fields),
    "include": QueryParts.include_tree,
    **_WHOLE_PARTS,
}
