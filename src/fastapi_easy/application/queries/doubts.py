"""Values in queries that are a mistake unless the store holds one that is shown like them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, assert_never

from returns.result import Failure

from fastapi_easy.application.access import Access
from fastapi_easy.domain.errors import Error, Fault, Invalid
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.shown_where import ShownWhere
from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Operator,
    Related,
    Specification,
    Where,
)
from fastapi_easy.domain.queries.words import HoldsWords
from fastapi_easy.domain.resources.resource import Resource


@dataclass(frozen=True, slots=True)
class Doubted(AllOf):
    """A specification with comparisons that are a mistake unless the store holds what they name.

    Attributes:
        source: Where the comparisons were given, as `Fault.source`.
    """

    source: str


async def refuse_unheld(
    specification: Specification, resource: Resource[Any], repository: Repository[Any], access: Access
) -> Failure[Error] | None:
    """Return a failure if *specification* names a value that no entity of *repository* holds and no field can.

    Fails with:
        Invalid: With the fault that was found when the value was read.
    """
    if not isinstance(specification, Doubted):
        return None
    for held, fault in _doubts(specification):
        found = await repository.select(
            Query(
                specification=access.restrict_relations(held),
                fields=resource.key,
                page=PageRequest(limit=1),
            )
        )
        if isinstance(found, Failure):
            return found
        if not found.unwrap().items:
            return Failure(Invalid((replace(fault, source=specification.source),)))
    return None


def _doubts(specification: Specification) -> Iterator[tuple[Specification, Fault]]:
    """Yield what holds for an entity that has one of the named values, and the fault if there is none."""
    match specification:
        case ShownWhere(field, _, _, doubted, Fault() as fault):
            yield ShownWhere(field, Operator.IN, doubted, doubted), fault
        case Related(relation, inner):
            for held, fault in _doubts(inner):
                yield Related(relation, held), fault
        case Not(inner):
            yield from _doubts(inner)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _doubts(part)
        case Where() | HoldsWords() | Everything():
            return
        case _:
            assert_never(specification)
