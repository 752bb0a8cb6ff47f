"""The parsers of each part of a query, from text, JSON or Python objects."""

import datetime
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeAlias

from fastapi_easy.application.queries.allowed_comparisons import (
    RESERVED,
    AliasLookup,
    AllowedComparisons,
    closest_match,
)
from fastapi_easy.application.queries.comparisons import ComparisonParser, QueryError
from fastapi_easy.application.queries.include_parser import OPTIONS, IncludeNode, IncludeParser
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.application.queries.sorting import read_fields, read_order, split_names
from fastapi_easy.application.queries.where_tree import WhereTree
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.page import Count, Cursor
from fastapi_easy.domain.queries.query import Include
from fastapi_easy.domain.queries.specification import AnyOf, Operator, Specification, Where
from fastapi_easy.domain.queries.words import HoldsWords, words_of
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.value_parsing import parse_value, read_text

AS_OF: Final = "as_of"
"""The parameter for a time in the past, where a resource offers its history."""

_AS_OF_FIELD: Final = Field(name=AS_OF, kind=Kind.DATETIME)
_INTEGER: Final = re.compile(r"-?[0-9]{1,40}", re.ASCII)


@dataclass(slots=True)
class QueryDraft:
    """A query as read so far; `None` where the caller said nothing.

    Attributes:
        takes_as_of: Whether `as_of` means a time here, and not a field that is compared.
    """

    conditions: list[Specification] = field(default_factory=list)
    order: tuple[Sort, ...] | None = None
    fields: tuple[str, ...] | None = None
    limit: int | None = None
    offset: int | None = None
    cursor: str | Cursor | None = None
    count: Count = Count.NONE
    nodes: dict[str, IncludeNode] = field(default_factory=dict)
    takes_as_of: bool = False
    as_of: datetime.datetime | None = None


class QueryParts:
    """Reads the parts of one resource's queries into a draft. Every method raises `QueryError`."""

    def __init__(
        self,
        resource: Resource[object],
        parameters: AllowedComparisons,
        limits: QueryLimits,
        aliases_for: AliasLookup,
    ) -> None:
        self._resource = resource
        self._limits = limits
        self._aliases_for = aliases_for
        self._comparisons = ComparisonParser(parameters, limits)
        self._where = WhereTree(parameters, limits)
        self._include_parser = IncludeParser(resource, limits, aliases_for)

    def parameter(self, draft: QueryDraft, name: str, values: Sequence[str]) -> None:
        """Read one parameter of a query string with all the values it was given."""
        if name in _FROM_TEXT:
            _FROM_TEXT[name](self, draft, values)
        elif name.rpartition(".")[2] in OPTIONS and "." in name:
            self._include_parser.option(draft.nodes, name, values)
        elif name == AS_OF and draft.takes_as_of:
            if len(values) > 1:
                raise QueryError.bad_query(name, "Was given more than once")
            draft.as_of = read_as_of(values[0])
        else:
            draft.conditions.append(self._comparisons.from_text(name, values))

    def member(self, draft: QueryDraft, name: str, value: object) -> None:
        """Read one member of a search document."""
        if name == AS_OF and draft.takes_as_of:
            draft.as_of = read_as_of(value)
            return
        if name not in _FROM_JSON:
            raise QueryError.bad_query(name, "Is not part of a search", closest_match(name, _FROM_JSON))
        _FROM_JSON[name](self, draft, value)

    def keyword(self, draft: QueryDraft, name: str, value: object) -> None:
        """Read one keyword of a call in Python."""
        path, _, option = name.replace("__", ".").rpartition(".")
        if name in _FROM_JSON:
            _FROM_JSON[name](self, draft, value)
        elif path and option in OPTIONS:
            self._include_parser.option(draft.nodes, f"{path}.{option}", as_texts(value))
        elif name == AS_OF and draft.takes_as_of:
            draft.as_of = read_as_of(value)
        else:
            draft.conditions.append(self._comparisons.from_value(name, value, f"/{name}", RESERVED))

    def where_text(self, draft: QueryDraft, values: Sequence[str]) -> None:
        """Read each `where` of a query string."""
        for text in values:
            try:
                tree = json.loads(
                    text,
                    parse_float=Decimal,
                    parse_constant=_reject_constant,
                    object_pairs_hook=_reject_duplicates,
                )
            except (ValueError, ArithmeticError, RecursionError):
                raise QueryError.bad_query("where", "Must be one JSON object") from None
            self.where(draft, tree)

    def where(self, draft: QueryDraft, tree: object) -> None:
        """Read a `where` tree."""
        draft.conditions.append(self.condition(tree, "/where"))

    def condition(self, tree: object, pointer: str) -> Specification:
        """Return the specification of a `where` tree."""
        return self._where.read(tree, pointer)

    def search(self, draft: QueryDraft, text: object) -> None:
        """Read the words of a text search."""
        searchable = self._resource.searchable
        if not searchable:
            raise QueryError.bad_query("q", "Is not offered here: no field can be searched")
        if not isinstance(text, str):
            raise QueryError.invalid_value("/q", "Must be text", "string_type")
        if len(text) > self._limits.text:
            raise QueryError.limit_exceeded("/q", f"Must not be longer than {self._limits.text} characters")
        if (declared := self._resource.query.full_text) is not None:
            if words := words_of(text):
                draft.conditions.append(HoldsWords(searchable, words, declared.language))
            return
        # Who searches by itself knows words that it leaves out, and phrases.
        has_texts = len(searchable) > len(self._resource.search_vectors)
        for word in text.split() if has_texts else [text] if text.strip() else []:
            value = self._comparisons.from_search(searchable[0], word)
            draft.conditions.append(
                AnyOf(tuple(Where(name, Operator.CONTAINS_ANY_CASE, value) for name in searchable))
            )

    def order(self, draft: QueryDraft, names: Sequence[str]) -> None:
        """Read the order, as names of fields."""
        draft.order = read_order(self._resource, names, self._limits.relations, self._aliases_for)

    def fields(self, draft: QueryDraft, names: Sequence[str]) -> None:
        """Read the selected fields; related entities of which one is named are thereby included."""
        known = self._aliases_for(self._resource)
        own = [name for name in names if "." not in name or known.resolve(name) in self._resource.readable]
        for name in names:
            path, dot, field_name = name.rpartition(".")
            if dot and name not in own:
                self._include_parser.include(draft.nodes, path).fields.append(field_name)
        if names:
            draft.fields = read_fields(self._resource, own, self._aliases_for) or self._resource.key

    def include(self, draft: QueryDraft, names: Sequence[str]) -> None:
        """Read the includes, as paths of relations."""
        for name in names:
            _ = self._include_parser.include(draft.nodes, name)

    def include_tree(self, draft: QueryDraft, tree: object) -> None:
        """Read the includes, as JSON."""
        self._include_parser.document(draft.nodes, tree, "/include")

    def includes(self, draft: QueryDraft) -> tuple[Include, ...]:
        """Build the includes of *draft*."""
        return self._include_parser.build(draft.nodes)

    def limit(self, draft: QueryDraft, value: object) -> None:
        """Read the number of entities on a page."""
        draft.limit = integer_between("/limit", value, 1, self._resource.query.max_limit)

    def offset(self, draft: QueryDraft, value: object) -> None:
        """Read the number of entities to skip."""
        draft.offset = integer_between("/offset", value, 0, self._limits.offset)

    def cursor(self, draft: QueryDraft, value: object) -> None:
        """Read the cursor: a token, verified once the whole query is known, or in Python the `Cursor` itself."""
        if not isinstance(value, str | Cursor):
            raise QueryError.invalid_value("/cursor", "Must be text", "string_type")
        draft.cursor = value

    def count(self, draft: QueryDraft, value: Any) -> None:
        """Read the kind of count."""
        if value not in tuple(Count):
            raise QueryError.bad_query(
                "count",
                f"Must be one of {', '.join(Count)}",
                closest_match(value, [str(each) for each in Count]) if isinstance(value, str) else None,
            )
        draft.count = Count(value)


def read_as_of(value: object) -> datetime.datetime:
    """Return the time that *value* is, or spells, in UTC.

    Raises:
        QueryError: It is none, or does not say its offset.
    """
    try:
        read: datetime.datetime = (
            read_text(_AS_OF_FIELD, value) if isinstance(value, str) else parse_value(_AS_OF_FIELD, value)
        )
    except ParseError as error:
        raise QueryError.invalid_value(f"/{AS_OF}", str(error), error.code) from None
    return read


def as_texts(value: object) -> list[str]:
    """Return *value*, one object or a list of them, as the texts of a query string."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [str(each) for each in value]
    return [str(value)]


def integer_between(pointer: str, value: object, low: int, high: int) -> int:
    """Return the whole number that *value* is, or spells, which is for *pointer* and from *low* to *high*.

    Raises:
        QueryError: It is none.
    """
    number = int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value
    if not isinstance(number, int) or isinstance(number, bool):
        raise QueryError.invalid_value(pointer, "Must be a whole number", "integer_parsing")
    if not low <= number <= high:
        raise QueryError.invalid_value(pointer, f"Must be between {low} and {high}", "out_of_range")
    return number


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _reject_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the members of a JSON object; raise `ValueError` when a name occurs twice."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate name")
    return members


_Reads: TypeAlias = Callable[[QueryParts, QueryDraft, Any], None]


def _single_value(name: str, read: _Reads) -> _Reads:
    """Wrap *read* for a parameter that may be given once."""

    def checked(parts: QueryParts, draft: QueryDraft, values: Sequence[str]) -> None:
        if len(values) > 1:
            raise QueryError.bad_query(name, "Was given more than once")
        read(parts, draft, values[0])

    return checked


def _text_list(name: str, read: _Reads) -> _Reads:
    """Wrap *read* for a list of names in text: repeated, separated by commas, or both."""

    def split(parts: QueryParts, draft: QueryDraft, values: Sequence[str]) -> None:
        read(parts, draft, split_names(name, values))

    return split


def _json_list(name: str, read: _Reads) -> _Reads:
    """Wrap *read* for a list of names in JSON: a list, or one text as in a query string."""

    def split(parts: QueryParts, draft: QueryDraft, value: object) -> None:
        if isinstance(value, str):
            value = split_names(name, [value])
        if not isinstance(value, Sequence) or not all(isinstance(each, str) for each in value):
            raise QueryError.invalid_value(f"/{name}", "Must be a list of names", "list_type")
        read(parts, draft, value)

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
    "sort": _text_list("sort", QueryParts.order),
    "fields": _text_list("fields", QueryParts.fields),
    "include": _text_list("include", QueryParts.include),
    **{name: _single_value(name, read) for name, read in _WHOLE_PARTS.items()},
}
_FROM_JSON: Final[Mapping[str, _Reads]] = {
    "where": QueryParts.where,
    "sort": _json_list("sort", QueryParts.order),
    "fields": _json_list("fields", QueryParts.fields),
    "include": QueryParts.include_tree,
    **_WHOLE_PARTS,
}
