"""The query parameters of one resource: paging first, then common comparisons, and `where` for all others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain import Count, Operation, QueryRules
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documents import Document
from fastapi_easy.interfaces.http.openapi.queries.comparisons import comparison_parameter
from fastapi_easy.interfaces.http.openapi.queries.documented import common_comparisons, every_comparison
from fastapi_easy.interfaces.http.openapi.queries.filters import filter_name
from fastapi_easy.interfaces.http.openapi.queries.relations import (
    include_options,
    include_schema,
    related_fields,
    related_sorts,
)
from fastapi_easy.interfaces.http.openapi.queries.values import ComparedValues

_CURSOR: Final[Document] = {
    "name": "cursor",
    "in": "query",
    "description": "Where to continue: next_cursor of the previous page. Not with offset.",
    "schema": {"type": "string"},
}
_COUNT: Final[Document] = {
    "name": "count",
    "in": "query",
    "description": "Whether total is counted.",
    "schema": {"$ref": "#/components/schemas/CountMode"},
}
PAGE_SCHEMAS: Final[Mapping[str, Document]] = {
    "CountMode": {"type": "string", "enum": [each.value for each in Count], "default": Count.NONE.value}
}
"""The schemas that the lists of all resources share, by name."""

_USUAL: Final = QueryRules()
_FIELDS: Final = "The fields of the answer."


class QueryDocs:
    """What is documented of the queries of one resource; each part is made once.

    Attributes:
        components: The parameters that several operations refer to, by name.

        schemas: The schemas that these, and others, refer to, by name.

        values: The schemas of compared values.

        listing: The parameters of a list.

        selection: Those that select entities, for operations on all that match.

        sort: That of the order; none where nothing can be sorted by.

        fields: That of the fields of an answer.

        own_fields: The same without those of related entities.

        field_list: The schema of a list of them.

        including: Those that include related entities.
    """

    def __init__(self, http_resource: HttpResource) -> None:
        self._http_resource = http_resource
        self._resource = http_resource.resource
        self._plural = http_resource.names.plural
        self._is_whole = http_resource.resource.query.document == "all"
        self.values = ComparedValues()
        self.components: dict[str, Document] = {}
        self.schemas: dict[str, Document] = {}
        self.sort = [self._own(each) for each in self._sort()]
        every = list(self._resource.readable)
        self.own_fields = self.fields = self._own(self._choice("fields", _FIELDS, every, "Field"))
        if self._is_whole and (related := related_fields(http_resource)):
            self.fields = _names("fields", _FIELDS, [*every, *related])
        self.field_list: Document = self._resolved(self.own_fields)["schema"]
        self.including = [self._own(each) for each in self._including()]
        comparisons, text, tree = list(self._comparisons()), list(self._text()), list(self._where())
        self.selection = [*text, *(comparisons if self._is_whole else ()), *tree]
        pages = [*map(self._shared, self._pages())]
        self.listing = [*pages, *self.sort, *text, self.fields, *self.including, *comparisons, *tree]

    def search_schema(self, *, has_filter: bool) -> Document:
        """Return the schema of the body of a search, which has members of the same names as the parameters."""
        resource = self._resource
        rules, limits = resource.query, self._http_resource.use_cases.queries.limits
        members: dict[str, Document] = {
            # Without its default, which would make generators of TypeScript require it.
            "limit": _bounds(rules),
            "cursor": _CURSOR["schema"],
            "offset": _offset(limits.offset),
            "count": _COUNT["schema"],
            **{each["name"]: each["schema"] for each in self._sort()},
            "fields": self._resolved(self.fields)["schema"],
        }
        if resource.searchable:
            members["q"] = {"type": "string", "maxLength": limits.text}
        if (names := include_schema(self._http_resource)) is not None:
            members["include"] = {
                "anyOf": [names, include_options(self._http_resource, is_whole=self._is_whole)]
            }
        if Operation.HISTORY in resource.operations:
            members["as_of"] = {"type": "string", "format": "date-time"}
        if has_filter:
            members["where"] = {"$ref": f"#/components/schemas/{filter_name(self._http_resource)}"}
        return {"type": "object", "properties": members, "additionalProperties": False}

    def published(self, names: Iterable[str]) -> list[Document]:
        """Return the parameters that select among changes: those of `selection` about the fields called *names*."""
        known = frozenset(names)
        return [
            each
            for each in self.selection
            if "." not in (name := self.name_of(each))
            and ((field := name.partition("__")[0]) not in self._resource.fields or field in known)
        ]

    def name_of(self, parameter: Document) -> str:
        """Return the name of *parameter*, which may be a reference to one of `components`."""
        name: str = self._resolved(parameter)["name"]
        return name

    def _resolved(self, parameter: Document) -> Document:
        reference: str | None = parameter.get("$ref")
        return parameter if reference is None else self.components[reference.rpartition("/")[2]]

    def _own(self, parameter: Document) -> Document:
        """Return a reference to *parameter*, which is like no other resource's."""
        return self._component(f"{self._plural}.{parameter['name']}", parameter)

    def _shared(self, parameter: Document) -> Document:
        """Return a reference to *parameter*, which is the same for all resources that have the usual rules."""
        rules, name = self._resource.query, parameter["name"]
        is_usual = (rules.limit, rules.max_limit) == (_USUAL.limit, _USUAL.max_limit)
        return self._own(parameter) if name == "limit" and not is_usual else self._component(name, parameter)

    def _component(self, name: str, parameter: Document) -> Document:
        self.components[name] = parameter
        return {"$ref": f"#/components/parameters/{name}"}

    def _pages(self) -> Iterator[Document]:
        limits = self._http_resource.use_cases.queries.limits
        yield _query("limit", "Entities on the page at most.", _limit(self._resource.query))
        yield _CURSOR
        skipped = "Entities to skip; slow when large, so prefer cursor."
        yield _query("offset", skipped, _offset(limits.offset))
        yield _COUNT

    def _comparisons(self) -> Iterator[Document]:
        allowed = self._http_resource.use_cases.queries.parameters
        for each in every_comparison(allowed) if self._is_whole else common_comparisons(allowed):
            parameter = comparison_parameter(each, self.values)
            # Without all of them only lists have them, in which they are shorter than a reference and what it names.
            yield self._own(parameter) if self._is_whole else parameter

    def _text(self) -> Iterator[Document]:
        if self._resource.searchable:
            fields = " or ".join(self._resource.searchable)
            limit = self._http_resource.use_cases.queries.limits.text
            how = "is contained" if self._resource.query.full_text is None else "occurs"
            described = f"Every word {how} in {fields}, whatever the case."
            yield self._own(_query("q", described, {"type": "string", "maxLength": limit}))

    def _where(self) -> Iterator[Document]:
        if self._http_resource.use_cases.queries.parameters:
            schema = {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": f"#/components/schemas/{filter_name(self._http_resource)}"},
            }
            described = "JSON: every comparison, also of related entities, with `and`, `or` and `not`."
            yield self._own(_query("where", described, schema))

    def _sort(self) -> Iterator[Document]:
        sortable = list(self._resource.sortable)
        if self._is_whole:
            sortable += related_sorts(self._http_resource)
        if not sortable:
            return
        choices = [choice for name in sortable for choice in (name, f"-{name}")]
        described = "The order; a leading minus means the largest first. Nulls come last."
        yield self._choice("sort", described, choices, "Sort")

    def _choice(self, name: str, described: str, choices: list[str], kind: str) -> Document:
        """Return a parameter that takes a list of *choices*, which get a schema of their own."""
        schema = f"{self._http_resource.names.schema}{kind}"
        self.schemas[schema] = {"type": "string", "enum": choices}
        items = {"$ref": f"#/components/schemas/{schema}"}
        return _listed(name, described, {"type": "array", "items": items})

    def _including(self) -> Iterator[Document]:
        schema = include_schema(self._http_resource)
        if schema is None:
            return
        described = "Relations to include, as members of the same names."
        yield _listed("include", described, schema)
        if self._is_whole:
            yield from self._include_parameters()

    def _include_parameters(self) -> Iterator[Document]:
        for relation in self._resource.relations.values():
            if not relation.many:
                continue
            name, only = relation.name, f"only with include={relation.name}."
            described = f"{name.capitalize()} at most for each entity; {only}"
            yield _query(f"{name}.limit", described, _bounds(relation.target.query))
            if relation.target.sortable:
                choices = [choice for each in relation.target.sortable for choice in (each, f"-{each}")]
                described = f"The order of {name} for each entity; {only}"
                yield _names(f"{name}.sort", described, choices, len(relation.target.sortable))


def _bounds(rules: QueryRules) -> Document:
    return {"type": "integer", "minimum": 1, "maximum": rules.max_limit}


def _limit(rules: QueryRules) -> Document:
    return {**_bounds(rules), "default": rules.limit}


def _offset(most: int) -> Document:
    # No default: whoever sends it beside a cursor is refused, and clients may send what they are told is the default.
    return {"type": "integer", "minimum": 0, "maximum": most}


def _names(name: str, described: str, choices: Sequence[Any], most: int | None = None) -> Document:
    schema: Document = {"type": "array", "items": {"type": "string", "enum": list(choices)}}
    return _listed(name, described, schema if most is None else {**schema, "maxItems": most})


def _listed(name: str, described: str, schema: Document) -> Document:
    """Return a parameter whose values are separated by commas."""
    return {**_query(name, described, schema), "explode": False}


def _query(name: str, description: str, schema: Document) -> Document:
    return {"name": name, "in": "query", "description": description, "schema": schema}
