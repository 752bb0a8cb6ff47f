"""References to entities that the caller may not see: answered as if nothing were there."""

from collections.abc import Iterable, Iterator
from typing import Any

from returns.result import Failure

from fastapi_easy.application.access import Access
from fastapi_easy.domain.errors import Error, ReferenceBroken
from fastapi_easy.domain.patch import Values
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resource import Resource
from fastapi_easy.domain.specification import Operator, Where, all_of


async def hidden_reference(
    resource: Resource[Any], many: Iterable[Values], access: Access, work: UnitOfWork
) -> Failure[Error] | None:
    """Return the refusal of values of which some refer to an entity the caller may not see; `None` without any.

    Asks once for each entity referred to, and not at all where the caller may see every entity there is.
    """
    for target, here, there in _leading(resource):
        if access.sees_all(target):
            continue
        sources = {tuple(values.get(name) for name in here): None for values in many}
        for source in sources:
            if None in source:
                continue
            same = all_of(
                *(Where(name, Operator.EQUALS, value) for name, value in zip(there, source, strict=True))
            )
            seen = await access.narrow(target, work.repository(target)).count(same)
            if isinstance(seen, Failure):
                return seen
            if not seen.unwrap():
                return Failure(ReferenceBroken(resource.name, here))
    return None


def _leading(resource: Resource[Any]) -> Iterator[tuple[Resource[Any], tuple[str, ...], tuple[str, ...]]]:
    """Yield what *resource* refers to: the other resource, the fields here that hold the reference, and those there."""
    told = set()
    for reference in resource.references:
        told.add((reference.target.name, reference.fields))
        yield reference.target, reference.fields, reference.there
    for relation in resource.relations.values():
        place = relation.target.name, relation.here
        # From its own key a relation leads to what refers here.
        if not relation.many and relation.here != resource.key and place not in told:
            yield relation.target, relation.here, relation.there
