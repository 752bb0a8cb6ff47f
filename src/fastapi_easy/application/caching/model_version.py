"""The version of a model: what a change of the program makes of the answers that were kept before."""

from typing import Any, Final

from fastapi_easy.domain.field import Field
from fastapi_easy.domain.resources.resource import Resource

_FORMAT: Final = 1
"""Raised when answers are written in another way."""


def model_version(resource: Resource[Any]) -> str:
    """Return a text that differs for resources of which one would answer what the other would not."""
    return repr(
        (
            _FORMAT,
            resource.name,
            resource.database,
            resource.key,
            resource.readable,
            str(resource.reading),
            resource.version,
            resource.soft_delete,
            [_field_version(each) for each in resource.fields.values()],
        )
    )


def _field_version(field: Field) -> tuple[object, ...]:
    members = None if field.enumeration is None else [(each.name, each.value) for each in field.enumeration]
    return (
        field.name,
        str(field.kind),
        str(field.item),
        field.nullable,
        field.precision,
        field.scale,
        repr(members),
    )
