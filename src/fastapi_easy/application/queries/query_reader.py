"""Query strings, search documents and arguments in Python become queries: one grammar."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.application.queries.aggregation_parser import AGGREGATION, read_aggregation
from fastapi_easy.application.queries.allowed_comparisons import RESERVED, Vocabulary, inside, outside
from fastapi_easy.application.queries.comparisons import Misunderstood
from fastapi_easy.application.queries.cursor_signer import CursorSeal
from fastapi_easy.application.queries.include_parser import OPTIONS
from fastapi_easy.application.queries.key_codec import KeyText
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.application.queries.query_parts import QueryParts, Wish, as_texts
from fastapi_easy.domain.errors import BadQuery, Invalid, Key, Outcome
from fastapi_easy.domain.queries.aggregation import Aggregation, Measure
from fastapi_easy.domain.queries.page import Cursor, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Specification, all_of, leaves
from fastapi_easy.domain.resources.naming import PLAIN, Naming
from fastapi_easy.domain.resources.resource import Resource

FILTERS: Final = frozenset({"where", "q"})
"""The options that say which entities are meant."""


class QueryReader:
    """Reads the queries of one resource.

    Attributes:
        parameters: Every allowed comparison, by the name callers write.

        limits: How large a query may be.
    """

    def __init__(self, resource: Resource[Any], limits: QueryLimits, secret: bytes) -> None:
        self.parameters = Vocabulary(resource, limits.relations)
        self.limits = limits
        self._resource = resource
        self._parts = QueryParts(resource, self.parameters, limits, outside)
        self._seal = CursorSeal(resource, secret)
        self._keys = KeyText(resource)
        self._plain = Success(
            Query(order=resource.default_order, page=PageRequest(limit=resource.query.limit)),
        )

    def from_parameters(
        self, pairs: Sequence[tuple[str, str]], *, tenant: str | None = None
    ) -> Outcome[Query]:
        """The query that the decoded query string *pairs* asks for.

        Fails with:
            BadQuery: A name or the grammar is not understood, or a cursor belongs elsewhere.

            Invalid: A value is not of its field's type, or beyond a limit.
        """
        if not pairs:
            return self._plain
        given: dict[str, list[str]] = {}
        for name, value in pairs:
            given.setdefault(name, []).append(value)
        wish = Wish()
        try:
            for name, values in given.items():
                self._parts.parameter(wish, name, values)
            return self._query(wish, tenant, self._parts)
        except Misunderstood as misunderstood:
            return Failure(misunderstood.error)

    def from_document(self, document: Any, *, tenant: str | None = None) -> Outcome[Query]:
        """The query that the parsed JSON *document* of a search asks for.

        Fails with: as `from_parameters`; the pointers lead into the document.
        """
        wish = Wish()
        try:
            if not isinstance(document, Mapping):
                raise Misunderstood.value("", "Must be a JSON object", "object_type")
            for name, value in document.items():
                self._parts.member(wish, name, value)
            return self._query(wish, tenant, self._parts)
        except Misunderstood as misunderstood:
            return Failure(_in_body(misunderstood.error))

    def from_values(
        self,
        values: Mapping[str, Any],
        *,
        tenant: str | None = None,
        options: frozenset[str] = RESERVED,
    ) -> Outcome[Query]:
        """Read the query that the arguments *values* of a call in Python ask for.

        Names are those of `from_parameters`, and `__` may stand in place of a dot. Values are Python objects of the
        fields' types, or what JSON would hold; `where` may be a specification, `cursor` what `Page.next` holds.

        Args:
            values: By name: options and comparisons.

            tenant: Whose cursor it is.

            options: Those that mean something to who asks.

        Fails with: as `from_parameters`.
        """
        if not values:
            return self._plain
        wish = Wish()
        try:
            for name, value in values.items():
                if _option(name) in RESERVED - options:
                    raise Misunderstood.grammar(name, "Says nothing here; leave it out")
                self._python.keyword(wish, name, value)
            if wish.branches and "include" not in options:
                raise Misunderstood.grammar("fields", "Only fields of the resource itself can be named here")
            return self._query(wish, tenant, self._python)
        except Misunderstood as misunderstood:
            return Failure(misunderstood.error)

    def of_one(self, pairs: Sequence[tuple[str, str]]) -> Outcome[Query]:
        """The fields and includes that the query string *pairs* asks for of a single entity.

        Fails with: as `from_parameters`, also for what makes sense for many only.
        """
        for name, _ in pairs:
            if name not in {"fields", "include"} and name.rpartition(".")[2] not in OPTIONS:
                return Failure(BadQuery(name[:64], "Only fields and include can be given here"))
            if name in OPTIONS:
                return Failure(BadQuery(name, "Says nothing about a single entity; leave it out"))
        return self.from_parameters(pairs)

    def condition(self, tree: Any, pointer: str) -> Outcome[Specification]:
        """What the parsed `where` tree at *pointer* of a body says.

        Fails with: as `from_document`.
        """
        try:
            specification = self._parts.condition(tree, pointer)
            self._weigh(specification)
        except Misunderstood as misunderstood:
            return Failure(_in_body(misunderstood.error))
        return Success(specification)

    def aggregation(self, pairs: Sequence[tuple[str, str]]) -> Outcome[Aggregation]:
        """The numbers that the decoded query string *pairs* asks for.

        Fails with: as `from_parameters`.
        """
        own = [pair for pair in pairs if pair[0] in AGGREGATION]
        filters = [pair for pair in pairs if pair[0] not in AGGREGATION]
        for name, _ in filters:
            if name in RESERVED - {"where", "q"} or name.rpartition(".")[2] in OPTIONS:
                return Failure(BadQuery(name[:64], "Says nothing about numbers; leave it out"))
        return self._aggregation(own, self.from_parameters(filters), self._resource.naming)

    def aggregation_from_values(self, values: Mapping[str, Any]) -> Outcome[Aggregation]:
        """Read the numbers that the arguments *values* of a call in Python ask for; `total` may hold measures.

        Fails with: as `from_values`.
        """
        own = [
            (name, text)
            for name, value in values.items()
            if name in AGGREGATION
            for text in as_texts(_measures(value))
        ]
        filters = {name: value for name, value in values.items() if name not in AGGREGATION}
        return self._aggregation(own, self.from_values(filters, options=FILTERS), PLAIN)

    def seal(self, query: Query, next: Cursor, *, tenant: str | None = None) -> str:  # noqa: A002 (the word of Page)
        """The token with which the caller goes on after a page of *query*."""
        return self._seal.seal(next, query, tenant)

    def read_key(self, segment: str) -> Outcome[Key]:
        """The key that one percent-decoded path segment spells.

        Fails with:
            Invalid: It spells none.
        """
        return self._keys.read(segment)

    def check_key(self, key: Key) -> Outcome[Key]:
        """Check *key* as Python code says it: a value, or a sequence of them when the key has several fields.

        Fails with:
            Invalid: It is of another type.
        """
        return self._keys.check(key)

    def write_key(self, key: Key) -> str:
        """The percent-encoded path segment for *key*."""
        return self._keys.write(key)

    @cached_property
    def _python(self) -> QueryParts:
        # Made when Python code asks for the first time: HTTP alone needs none.
        words = Vocabulary(self._resource, self.limits.relations, inside, keywords=True)
        return QueryParts(self._resource, words, self.limits, inside)

    def _aggregation(
        self, own: Sequence[tuple[str, str]], query: Outcome[Query], naming: Naming
    ) -> Outcome[Aggregation]:
        if isinstance(query, Failure):
            return query
        try:
            specification = query.unwrap().specification
            return Success(read_aggregation(self._resource, own, specification, self.limits, naming))
        except Misunderstood as misunderstood:
            return Failure(misunderstood.error)

    def _query(self, wish: Wish, tenant: str | None, parts: QueryParts) -> Outcome[Query]:
        specification = all_of(*wish.conditions)
        self._weigh(specification)
        if wish.cursor is not None and wish.offset is not None:
            raise Misunderstood.grammar("cursor", "Cannot be given together with offset")
        rules = self._resource.query
        order = self._resource.default_order if wish.order is None else wish.order
        limit = rules.limit if wish.limit is None else wish.limit
        page = PageRequest(limit=limit, offset=wish.offset or 0, count=wish.count)
        includes = parts.includes(wish) if wish.branches else ()
        query = Query(
            specification=specification, order=order, page=page, fields=wish.fields, includes=includes
        )
        if wish.cursor is None:
            return Success(query)
        if isinstance(wish.cursor, Cursor):
            opened = self._seal.check(wish.cursor, query)
        else:
            opened = self._seal.open(wish.cursor, query, tenant)
        if isinstance(opened, Failure):
            return opened
        return Success(replace(query, page=replace(page, after=opened.unwrap())))

    def _weigh(self, specification: Specification) -> None:
        if sum(1 for _ in leaves(specification)) > self.limits.leaves:
            raise Misunderstood.limit("", f"Must not have more than {self.limits.leaves} comparisons")


def _option(name: str) -> str:
    """The option that *name* is or belongs to, as `reviews__limit` does to `include`; else *name*."""
    path, _, last = name.replace("__", ".").rpartition(".")
    return "include" if path and last in OPTIONS else name


def _measures(value: Any) -> Any:
    """*value*, measures by their names."""
    if isinstance(value, Measure):
        return value.name
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_measures(each) for each in value]
    return value


def _in_body(error: BadQuery | Invalid) -> BadQuery | Invalid:
    if isinstance(error, BadQuery):
        return error
    return Invalid(tuple(replace(fault, source="body") for fault in error.faults))
