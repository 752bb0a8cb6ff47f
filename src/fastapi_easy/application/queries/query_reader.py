"""The one grammar of queries: query strings, search documents and Python arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.application.queries.aggregation_parser import AGGREGATION, read_aggregation
from fastapi_easy.application.queries.allowed_comparisons import (
    RESERVED,
    AllowedComparisons,
    external_aliases,
    no_aliases,
)
from fastapi_easy.application.queries.comparisons import QueryError
from fastapi_easy.application.queries.cursor_signer import CursorSigner
from fastapi_easy.application.queries.doubts import Doubted
from fastapi_easy.application.queries.include_parser import OPTIONS
from fastapi_easy.application.queries.key_codec import KeyCodec
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.application.queries.query_parts import AS_OF, QueryDraft, QueryParts, as_texts
from fastapi_easy.domain.errors import BadQuery, Invalid, Key, Outcome
from fastapi_easy.domain.queries.aggregation import Aggregation, Measure
from fastapi_easy.domain.queries.page import Cursor, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.shown_where import ShownWhere
from fastapi_easy.domain.queries.specification import Specification, all_of, leaves
from fastapi_easy.domain.resources.naming import NO_ALIASES, FieldAliases
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Resource

FILTERS: Final = frozenset({"where", "q"})
"""The options that select entities."""


class QueryReader:
    """Reads the queries of one resource.

    Attributes:
        parameters: Every allowed comparison, by the name callers write.

        limits: How large a query may be.

        default_query: What is asked for without parameters.

        plain_digits: How many digits, the first of which is no zero, spell a key whatever they are; 0 where every key
            has to be read.
    """

    def __init__(self, resource: Resource[object], limits: QueryLimits, secret: bytes) -> None:
        self.parameters = AllowedComparisons(resource, limits.relations)
        self.limits = limits
        self._resource = resource
        self._parts = QueryParts(resource, self.parameters, limits, external_aliases)
        self._cursor_signer = CursorSigner(resource, secret)
        self._keys = KeyCodec(resource)
        self.plain_digits = self._keys.plain_digits
        self._has_history = Operation.HISTORY in resource.operations
        # Made once: most lists are asked for without parameters.
        self.default_query = Query(order=resource.default_order, page=PageRequest(limit=resource.query.limit))
        self._default_outcome = Success(self.default_query)

    def from_parameters(
        self, pairs: Sequence[tuple[str, str]], *, tenant: str | None = None, takes_as_of: bool = False
    ) -> Outcome[Query]:
        """Parse the decoded query string *pairs* into a query.

        Args:
            pairs: Names and values.

            tenant: The tenant that a cursor was signed for.

            takes_as_of: Whether the past can be asked for, of a resource that offers its history.

        Fails with:
            BadQuery: A name or the grammar is not understood, or a cursor belongs elsewhere.

            Invalid: A value is not of its field's type, or beyond a limit.
        """
        if not pairs:
            return self._default_outcome
        given: dict[str, list[str]] = {}
        for name, value in pairs:
            given.setdefault(name, []).append(value)
        draft = QueryDraft(takes_as_of=takes_as_of and self._has_history)
        try:
            for name, values in given.items():
                self._parts.parameter(draft, name, values)
            return self._query(draft, tenant, self._parts)
        except QueryError as query_error:
            return Failure(query_error.error)

    def from_document(self, document: object, *, tenant: str | None = None) -> Outcome[Query]:
        """Parse the JSON *document* of a search into a query; it may ask for the past.

        Fails with: as `from_parameters`; the pointers lead into the document.
        """
        draft = QueryDraft(takes_as_of=self._has_history)
        try:
            if not isinstance(document, Mapping):
                raise QueryError.invalid_value("", "Must be a JSON object", "object_type")
            for name, value in document.items():
                self._parts.member(draft, name, value)
            return self._query(draft, tenant, self._parts, source="body")
        except QueryError as query_error:
            return Failure(_in_body(query_error.error))

    def from_values(
        self,
        values: Mapping[str, object],
        *,
        tenant: str | None = None,
        options: frozenset[str] = RESERVED,
        takes_as_of: bool = False,
    ) -> Outcome[Query]:
        """Parse the arguments *values* of a call in Python into a query.

        Names are those of `from_parameters`, and `__` may stand in place of a dot. Values are Python objects of the
        fields' types, or what JSON would hold; `where` may be a specification, `cursor` what `Page.next` holds.

        Args:
            values: By name: options and comparisons.

            tenant: The tenant that the cursor was signed for.

            options: The options that the calling method supports.

            takes_as_of: As in `from_parameters`.

        Fails with: as `from_parameters`.
        """
        if not values:
            return self._default_outcome
        draft = QueryDraft(takes_as_of=takes_as_of and self._has_history)
        try:
            for name, value in values.items():
                if _option(name) in RESERVED - options:
                    raise QueryError.bad_query(name, "Is not supported here; leave it out")
                self._keyword_parts.keyword(draft, name, value)
            if draft.nodes and "include" not in options:
                raise QueryError.bad_query("fields", "Only fields of the resource itself can be named here")
            return self._query(draft, tenant, self._keyword_parts)
        except QueryError as query_error:
            return Failure(query_error.error)

    def for_single_entity(self, pairs: Sequence[tuple[str, str]]) -> Outcome[Query]:
        """Parse the query string *pairs* of a single entity, which takes fields and includes only.

        Fails with: as `from_parameters`, also for what makes sense for many only.
        """
        for name, _ in pairs:
            if name == AS_OF and self._has_history:
                continue
            if name not in {"fields", "include"} and name.rpartition(".")[2] not in OPTIONS:
                also = ", as_of" if self._has_history else ""
                return Failure(BadQuery(name[:64], f"Only fields{also} and include can be given here"))
            if name in OPTIONS:
                return Failure(BadQuery(name, "Does not apply to a single entity; leave it out"))
        return self.from_parameters(pairs, takes_as_of=True)

    def condition(self, tree: object, pointer: str) -> Outcome[Specification]:
        """Parse the `where` tree at *pointer* of a body into a specification.

        Fails with: as `from_document`.
        """
        try:
            specification = self._parts.condition(tree, pointer)
            return Success(self._checked(specification, "body"))
        except QueryError as query_error:
            return Failure(_in_body(query_error.error))

    def aggregation(self, pairs: Sequence[tuple[str, str]]) -> Outcome[Aggregation]:
        """Parse the decoded query string *pairs* into an aggregation.

        Fails with: as `from_parameters`.
        """
        own = [pair for pair in pairs if pair[0] in AGGREGATION]
        filters = [pair for pair in pairs if pair[0] not in AGGREGATION]
        for name, _ in filters:
            if name in RESERVED - {"where", "q"} or name.rpartition(".")[2] in OPTIONS:
                return Failure(BadQuery(name[:64], "Does not apply to aggregations; leave it out"))
        return self._aggregation(own, self.from_parameters(filters), self._resource.naming)

    def aggregation_from_values(self, values: Mapping[str, object]) -> Outcome[Aggregation]:
        """Parse the arguments *values* of a call in Python into an aggregation; `total` may hold measures.

        Fails with: as `from_values`.
        """
        own = [
            (name, text)
            for name, value in values.items()
            if name in AGGREGATION
            for text in as_texts(_measures(value))
        ]
        filters = {name: value for name, value in values.items() if name not in AGGREGATION}
        return self._aggregation(own, self.from_values(filters, options=FILTERS), NO_ALIASES)

    def sign(self, query: Query, next: Cursor, *, tenant: str | None = None) -> str:  # noqa: A002 (the word of Page)
        """Return the signed token of *next*, with which the caller asks for the next page of *query*."""
        return self._cursor_signer.sign(next, query, tenant)

    def read_key(self, segment: str) -> Outcome[Key]:
        """Parse one percent-decoded path segment into a key.

        Fails with:
            Invalid: It spells none.
        """
        return self._keys.read(segment)

    def check_key(self, key: Key) -> Outcome[Key]:
        """Check *key* as given by Python code: a value, or a sequence of them when the key has several fields.

        Fails with:
            Invalid: It is of another type.
        """
        return self._keys.check(key)

    def write_key(self, key: Key) -> str:
        """Return the percent-encoded path segment for *key*."""
        return self._keys.write(key)

    @cached_property
    def _keyword_parts(self) -> QueryParts:
        # Made when Python code calls for the first time: applications with HTTP only need none.
        parameters = AllowedComparisons(self._resource, self.limits.relations, no_aliases, keywords=True)
        return QueryParts(self._resource, parameters, self.limits, no_aliases)

    def _aggregation(
        self, own: Sequence[tuple[str, str]], query: Outcome[Query], naming: FieldAliases
    ) -> Outcome[Aggregation]:
        if isinstance(query, Failure):
            return query
        try:
            specification = query.unwrap().specification
            return Success(read_aggregation(self._resource, own, specification, self.limits, naming))
        except QueryError as query_error:
            return Failure(query_error.error)

    def _query(
        self, draft: QueryDraft, tenant: str | None, parts: QueryParts, source: str = "query"
    ) -> Outcome[Query]:
        specification = self._checked(all_of(*draft.conditions), source)
        if draft.cursor is not None and draft.offset is not None:
            raise QueryError.bad_query("cursor", "Cannot be given together with offset")
        rules = self._resource.query
        order = self._resource.default_order if draft.order is None else draft.order
        limit = rules.limit if draft.limit is None else draft.limit
        page = PageRequest(limit=limit, offset=draft.offset or 0, count=draft.count)
        includes = parts.includes(draft) if draft.nodes else ()
        query = Query(
            specification=specification,
            order=order,
            page=page,
            fields=draft.fields,
            includes=includes,
            as_of=draft.as_of,
        )
        if draft.cursor is None:
            return Success(query)
        if isinstance(draft.cursor, Cursor):
            opened = self._cursor_signer.check(draft.cursor, query)
        else:
            opened = self._cursor_signer.verify(draft.cursor, query, tenant)
        if isinstance(opened, Failure):
            return opened
        return Success(replace(query, page=replace(page, after=opened.unwrap())))

    def _checked(self, specification: Specification, source: str) -> Specification:
        """Return *specification*, which is not too large, and says whether the store has to be asked about values."""
        number, is_doubted = 0, False
        for leaf in leaves(specification):
            number += 1
            if type(leaf) is ShownWhere and leaf.fault is not None:
                is_doubted = True
        if number > self.limits.leaves:
            raise QueryError.limit_exceeded("", f"Must not have more than {self.limits.leaves} comparisons")
        return Doubted((specification,), source) if is_doubted else specification


def _option(name: str) -> str:
    """Return the option that *name* belongs to, as `reviews__limit` does to `include`; otherwise *name*."""
    path, _, last = name.replace("__", ".").rpartition(".")
    return "include" if path and last in OPTIONS else name


def _measures(value: object) -> object:
    """Return *value* with each measure replaced by its name."""
    if isinstance(value, Measure):
        return value.name
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_measures(each) for each in value]
    return value


def _in_body(error: BadQuery | Invalid) -> BadQuery | Invalid:
    if isinstance(error, BadQuery):
        return error
    return Invalid(tuple(replace(fault, source="body") for fault in error.faults))
