"""A shape → a resource on which everything is allowed."""

import dataclasses
from typing import Any, TypeVar

from fastapi_easy.domain.field import ORDERED, Kind
from fastapi_easy.domain.options import EVERY_OPERATION, QueryRules, Schemas
from fastapi_easy.domain.ordering import Sort
from fastapi_easy.domain.resource import Resource, Shape
from fastapi_easy.domain.specification import operators_of

E = TypeVar("E")


def resource_from(shape: Shape, name: str, entity: type[E], **replaced: Any) -> Resource[E]:
    """The resource *name* of *entity*: every field readable, what is not generated writable, every operation.

    Args:
        shape: As an adapter's `mapping` read it.

        name: Its name.

        entity: The class that was described.

        replaced: Attributes of `Resource` that shall be otherwise.
    """
    names = tuple(each.name for each in shape.fields)
    writable = tuple(each.name for each in shape.fields if not each.generated)
    asked = tuple(each.name for each in shape.fields if operators_of(each.kind, nullable=each.nullable))
    made = Resource(
        name=name,
        entity=entity,
        fields={each.name: each for each in shape.fields},
        key=shape.key,
        readable=names,
        writable=writable,
        changeable=tuple(each for each in writable if each not in shape.key),
        filterable=asked,
        sortable=tuple(each.name for each in shape.fields if each.kind in ORDERED),
        searchable=tuple(each.name for each in shape.fields if each.kind is Kind.TEXT),
        default_order=tuple(Sort(each) for each in shape.key),
        operations=frozenset(EVERY_OPERATION),
        query=QueryRules(),
        schemas=Schemas(),
        database="default",
        unique=shape.unique,
    )
    return dataclasses.replace(made, **replaced)
