"""`include=author,reviews&reviews.limit=5` becomes includes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi_easy.application.queries.allowed_comparisons import Names, nearest
from fastapi_easy.application.queries.comparisons import Misunderstood
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.application.queries.sorting import read_fields, read_order
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Include, Query
from fastapi_easy.domain.resources.resource import Relation, Resource

OPTIONS: Final = ("limit", "sort")
"""What can be said about an include, as `<relation>.<option>`."""


@dataclass(slots=True)
class Branch:
    """What has been read about the entities along one relation; `None` where the caller said nothing.

    Attributes:
        relation: What leads to them.

        included: They were asked for; otherwise something was only said about them.

        branches: What is wished for beside them.
    """

    relation: Relation
    included: bool = False
    limit: int | None = None
    order: tuple[Sort, ...] | None = None
    fields: list[str] = field(default_factory=list)
    branches: dict[str, "Branch"] = field(default_factory=dict)


class Including:
    """Reads the includes of one query. Every method raises `Misunderstood`."""

    def __init__(self, resource: Resource[Any], limits: QueryLimits, called: Names) -> None:
        self._resource = resource
        self._limits = limits
        self._called = called

    def include(self, branches: dict[str, Branch], path: str) -> Branch:
        """The entities at the end of *path* are wished for, and all on the way."""
        branch = None
        for branch in self._walk(branches, path, "include"):
            branch.included = True
        if branch is None:
            raise Misunderstood.grammar("include", "Names no relation")
        return branch

    def option(self, branches: dict[str, Branch], name: str, values: Sequence[str]) -> None:
        """Parameter *name*, which says something about an include."""
        path, _, option = name.rpartition(".")
        *_, branch = self._walk(branches, path, name)
        if len(values) > 1 and option == "limit":
            raise Misunderstood.grammar(name, "Was given more than once")
        if option == "limit":
            text = values[0]
            self.limit(branch, int(text) if text.isascii() and text.isdigit() else text, f"/{name}")
        else:
            names = [each.strip() for value in values for each in value.split(",") if each.strip()]
            self.order(branch, names)

    def document(self, branches: dict[str, Branch], tree: Any, pointer: str) -> None:
        """The member `include` of a search: a list of paths, or an object of relations and what to say of each."""
        if isinstance(tree, str):
            tree = [part.strip() for part in tree.split(",") if part.strip()]
        if isinstance(tree, Mapping):
            for name, wishes in tree.items():
                self._member(self.include(branches, name), wishes, f"{pointer}/{name}")
        elif isinstance(tree, Sequence) and all(isinstance(each, str) for each in tree):
            for path in tree:
                _ = self.include(branches, path)
        else:
            raise Misunderstood.value(pointer, "Must be a list of relations, or an object", "list_type")

    def limit(self, branch: Branch, number: Any, pointer: str) -> None:
        """How many at most beside each entity."""
        if not branch.relation.many:
            raise Misunderstood.grammar(pointer[1:], "Leads to one entity at most; leave it out")
        largest = branch.relation.target.query.max_limit
        if not isinstance(number, int) or isinstance(number, bool):
            raise Misunderstood.value(pointer, "Must be a whole number", "integer_parsing")
        if not 1 <= number <= largest:
            raise Misunderstood.value(pointer, f"Must be between 1 and {largest}", "out_of_range")
        branch.limit = number

    def order(self, branch: Branch, names: Sequence[str]) -> None:
        """In which order beside each entity."""
        branch.order = read_order(branch.relation.target, names, self._limits.relations, self._called)

    def built(self, branches: Mapping[str, Branch]) -> tuple[Include, ...]:
        """The includes that *branches* stand for."""
        if sum(1 for _ in _every(branches)) > self._limits.includes:
            raise Misunderstood.limit(
                "/include", f"Must not name more than {self._limits.includes} relations"
            )
        return tuple(self._include(name, branch) for name, branch in branches.items())

    def _include(self, path: str, branch: Branch) -> Include:
        if not branch.included:
            raise Misunderstood.grammar(
                path, f"Says something about {path}, which is not included: add include={path}"
            )
        target = branch.relation.target
        fields = read_fields(target, branch.fields, self._called)
        if not fields and branch.fields:
            fields = target.key
        query = Query(
            order=target.default_order if branch.order is None else branch.order,
            page=PageRequest(limit=target.query.limit if branch.limit is None else branch.limit),
            fields=fields or None,
            includes=tuple(self._include(f"{path}.{name}", inner) for name, inner in branch.branches.items()),
        )
        return Include(relation=branch.relation, query=query)

    def _member(self, branch: Branch, wishes: Any, pointer: str) -> None:
        if not isinstance(wishes, Mapping):
            raise Misunderstood.value(pointer, "Must be an object", "object_type")
        for name, value in wishes.items():
            at = f"{pointer}/{name}"
            if name == "limit":
                self.limit(branch, value, at)
            elif name == "include":
                inner = Including(branch.relation.target, self._limits, self._called)
                inner.document(branch.branches, value, at)
            elif name in {"sort", "fields"}:
                names = value.split(",") if isinstance(value, str) else value
                if not isinstance(names, Sequence) or not all(isinstance(each, str) for each in names):
                    raise Misunderstood.value(at, "Must be a list of names", "list_type")
                if name == "sort":
                    self.order(branch, names)
                else:
                    branch.fields = list(names)
            else:
                raise Misunderstood.grammar(
                    f"include.{name}",
                    "Is not part of an include",
                    nearest(name, ("fields", "include", *OPTIONS)),
                )

    def _walk(self, branches: dict[str, Branch], path: str, parameter: str) -> Iterator[Branch]:
        """The branches along *path*, each made where it is not there."""
        resource = self._resource
        names = path.split(".")
        if len(names) > self._limits.relations:
            raise Misunderstood.limit(
                f"/{parameter}",
                f"Must not follow more than {self._limits.relations} relations, one after the other",
            )
        for name in names:
            relation = resource.relations.get(name)
            if relation is None:
                raise Misunderstood.grammar(
                    parameter, "Names a relation that is not there", nearest(name, resource.relations)
                )
            branch = branches.setdefault(name, Branch(relation))
            yield branch
            resource, branches = relation.target, branch.branches


def _every(branches: Mapping[str, Branch]) -> Iterator[Branch]:
    for branch in branches.values():
        yield branch
        yield from _every(branch.branches)
