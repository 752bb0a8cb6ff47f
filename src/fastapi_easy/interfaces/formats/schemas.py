"""Resource → what its bodies and answers look like."""

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, Required

import pydantic
from typing_extensions import TypedDict

from fastapi_easy.domain import Resource
from fastapi_easy.domain.ports import Validator
from fastapi_easy.interfaces.formats.output_types import output_type

_typed_dict: Any = TypedDict  # mypy wants literals


class ResourceSchemas:
    """The schemas of one resource, for those who describe it; each built when it is first needed.

    A derived schema is a typed dictionary; the user's own are pydantic models.
    """

    def __init__(self, resource: Resource[Any], validator: Callable[[], Validator], name: str) -> None:
        self._resource = resource
        self._validator = validator
        self._name = name

    @cached_property
    def create(self) -> Any:
        """The body of create: every writable field."""
        return self._validator().source("create", f"{self._name}Create")

    @cached_property
    def replace(self) -> Any:
        """The body of replace: every changeable field."""
        return self._validator().source("replace", f"{self._name}Replace")

    @cached_property
    def update(self) -> Any:
        """The body of update: every changeable field, none of them required."""
        return self._validator().source("update", f"{self._name}Update")

    @cached_property
    def read(self) -> Any:
        """An answer: every readable field."""
        return self._resource.schemas.read or read_schema_of(self._resource, self._name)


def read_schema_of(resource: Resource[Any], title: str) -> Any:
    """Build a typed dictionary of the readable fields of *resource*, called *title*."""
    fields = {
        name: Required[Annotated[output_type(field), pydantic.Field(description=field.description)]]
        for name in resource.readable
        for field in (resource.fields[name],)
    }
    schema = _typed_dict(title, fields)
    schema.__doc__ = resource.description or None
    return schema
