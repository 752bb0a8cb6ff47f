"""Specifications and orders along relations, written as paths like `books.author.name`."""

from collections.abc import Callable
from typing import TypeAlias

from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.specification import Everything, Specification
from fastapi_easy.domain.resources.resource import Relation
from fastapi_easy.testing.conformance.store import Store

SpecificationFactory: TypeAlias = Callable[[Store], Specification]
SortFactory: TypeAlias = Callable[[Store], Sort]
OrderFactory: TypeAlias = Callable[[Store], tuple[Sort, ...]]


def related_to(path: str, specification: Specification = Everything()) -> SpecificationFactory:
    """Return *specification* applied to the end of *path*, a path of relations like `books.author.mentor`."""

    def specification_of(store: Store) -> Specification:
        made = specification
        for relation in reversed(_relations_along(store, path)):
            made = relation.exists(made)
        return made

    return specification_of


def sort_by(path: str, direction: Direction = Direction.ASCENDING) -> SortFactory:
    """Return the order by the field at the end of *path*, like `books.author.name`."""
    relations, _, field = path.rpartition(".")
    return lambda store: Sort(field, direction, _relations_along(store, relations))


def order(*terms: SortFactory) -> OrderFactory:
    """Return the order by *terms*, the first one first."""
    return lambda store: tuple(term(store) for term in terms)


def _relations_along(store: Store, path: str) -> tuple[Relation, ...]:
    resource, *names = path.split(".")
    relations: list[Relation] = []
    for name in names:
        relations.append(store.resources[resource].relations[name])
        resource = relations[-1].target.name
    return tuple(relations)
