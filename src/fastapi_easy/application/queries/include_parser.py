"""The parser of includes: `include=author,reviews&reviews.limit=5`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from fastapi_easy.application.queries.allowed_comparisons import AliasLookup, closest_match, offered
from fastapi_easy.application.queries.comparisons import QueryError
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.application.queries.sorting import read_fields, read_order, split_names
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Include, Query
from fastapi_easy.domain.resources.resource import Relation, Resource

OPTIONS: Final = ("limit", "sort")
"""The options of an include, written `<relation>.<option>`."""


@dataclass(slots=True)
class IncludeNode:
    """One relation of an include tree as read so far; `None` where the caller said nothing.

    Attributes:
        relation: The relation that leads to them.

        included: Whether they are included; otherwise only an option of them was given.

        nodes: The includes of these entities in turn.
    """

    relation: Relation
    included: bool = False
    limit: int | None = None
    order: tuple[Sort, ...] | None = None
    fields: list[str] = field(default_factory=list)
    nodes: dict[str, "IncludeNode"] = field(default_factory=dict)


class IncludeParser:
    """Reads the includes of one query. Every method raises `QueryError`."""

    def __init__(self, resource: Resource[object], limits: QueryLimits, aliases_for: AliasLookup) -> None:
        self._resource = resource
        self._limits = limits
        self._aliases_for = aliases_for

    def include(self, nodes: dict[str, IncludeNode], path: str) -> IncludeNode:
        """Include the entities at the end of *path*, and all on the way; return the last node."""
        node = None
        for node in self._walk(nodes, path, "include"):
            node.included = True
        if node is None:
            raise QueryError.bad_query("include", "Names no relation")
        return node

    def option(self, nodes: dict[str, IncludeNode], name: str, values: Sequence[str]) -> None:
        """Read parameter *name*, an option of an include such as `reviews.limit`."""
        path, _, option = name.rpartition(".")
        *_, node = self._walk(nodes, path, name)
        if len(values) > 1 and option == "limit":
            raise QueryError.bad_query(name, "Was given more than once")
        if option == "limit":
            text = values[0]
            self.limit(node, int(text) if text.isascii() and text.isdigit() else text, f"/{name}")
        else:
            self.order(node, split_names(name, values))

    def document(self, nodes: dict[str, IncludeNode], tree: object, pointer: str) -> None:
        """Read the member `include` of a search: a list of paths, or an object of relations and their options."""
        if isinstance(tree, str):
            tree = split_names(pointer[1:].replace("/", "."), [tree])
        if isinstance(tree, Mapping):
            for name, options in tree.items():
                self._member(self.include(nodes, name), options, f"{pointer}/{name}")
        elif isinstance(tree, Sequence) and all(isinstance(each, str) for each in tree):
            for path in tree:
                _ = self.include(nodes, path)
        else:
            raise QueryError.invalid_value(pointer, "Must be a list of relations, or an object", "list_type")

    def limit(self, node: IncludeNode, number: object, pointer: str) -> None:
        """Set the largest number of related entities for each entity."""
        if not node.relation.many:
            raise QueryError.bad_query(pointer[1:], "Is a to-one relation; leave it out")
        largest = node.relation.target.query.max_limit
        # `bool` is a subclass of `int`.
        if not isinstance(number, int) or isinstance(number, bool):
            raise QueryError.invalid_value(pointer, "Must be a whole number", "integer_parsing")
        if not 1 <= number <= largest:
            raise QueryError.invalid_value(pointer, f"Must be between 1 and {largest}", "out_of_range")
        node.limit = number

    def order(self, node: IncludeNode, names: Sequence[str]) -> None:
        """Set the order of the related entities."""
        node.order = read_order(node.relation.target, names, self._limits.relations, self._aliases_for)

    def build(self, nodes: Mapping[str, IncludeNode]) -> tuple[Include, ...]:
        """Build the includes of *nodes*."""
        if sum(1 for _ in _all_nodes(nodes)) > self._limits.includes:
            raise QueryError.limit_exceeded(
                "/include", f"Must not name more than {self._limits.includes} relations"
            )
        return tuple(self._include(name, node) for name, node in nodes.items())

    def _include(self, path: str, node: IncludeNode) -> Include:
        if not node.included:
            raise QueryError.bad_query(
                path, f"Is an option of {path}, which is not included: add include={path}"
            )
        target = node.relation.target
        fields = read_fields(target, node.fields, self._aliases_for)
        if not fields and node.fields:
            fields = target.key
        query = Query(
            order=node.relation.order if node.order is None else node.order,
            page=PageRequest(limit=target.query.limit if node.limit is None else node.limit),
            fields=fields or None,
            includes=tuple(self._include(f"{path}.{name}", inner) for name, inner in node.nodes.items()),
        )
        return Include(relation=node.relation, query=query)

    def _member(self, node: IncludeNode, options: object, pointer: str) -> None:
        if not isinstance(options, Mapping):
            raise QueryError.invalid_value(pointer, "Must be an object", "object_type")
        for name, value in options.items():
            at = f"{pointer}/{name}"
            if name == "limit":
                self.limit(node, value, at)
            elif name == "include":
                inner = IncludeParser(node.relation.target, self._limits, self._aliases_for)
                inner.document(node.nodes, value, at)
            elif name in {"sort", "fields"}:
                names = split_names(at[1:].replace("/", "."), [value]) if isinstance(value, str) else value
                if not isinstance(names, Sequence) or not all(isinstance(each, str) for each in names):
                    raise QueryError.invalid_value(at, "Must be a list of names", "list_type")
                if name == "sort":
                    self.order(node, names)
                else:
                    node.fields = list(names)
            else:
                raise QueryError.bad_query(
                    f"include.{name}",
                    "Is not part of an include",
                    closest_match(name, ("fields", "include", *OPTIONS)),
                )

    def _walk(self, nodes: dict[str, IncludeNode], path: str, parameter: str) -> Iterator[IncludeNode]:
        """Yield the nodes along *path*, creating those that are missing."""
        resource = self._resource
        names = path.split(".")
        if len(names) > self._limits.relations:
            raise QueryError.limit_exceeded(
                f"/{parameter}",
                f"Must not follow more than {self._limits.relations} relations, one after the other",
            )
        for name in names:
            relation = resource.relations.get(name)
            if relation is None:
                raise _unknown_relation(parameter, name, resource.relations)
            node = nodes.setdefault(name, IncludeNode(relation))
            yield node
            resource, nodes = relation.target, node.nodes


def _unknown_relation(parameter: str, name: str, known: Collection[str]) -> QueryError:
    """Return the error for a relation that is not there, with those that are."""
    suggestion = closest_match(name, known)
    if suggestion is not None:
        return QueryError.bad_query(parameter, "Unknown relation", suggestion)
    return QueryError.bad_query(parameter, f"Unknown relation; {offered(known)}")


def _all_nodes(nodes: Mapping[str, IncludeNode]) -> Iterator[IncludeNode]:
    for node in nodes.values():
        yield node
        yield from _all_nodes(node.nodes)
