"""Instances of a user's class as values by field name."""

import dataclasses
from typing import Any, TypeVar

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Key
from fastapi_easy.domain.resources.resource import Resource

E = TypeVar("E")


def values_in(resource: Resource[Any], entity: Any) -> dict[str, Any]:
    """Return the values of every field that *entity* has."""
    return {name: getattr(entity, name) for name in resource.fields if hasattr(entity, name)}


def key_in(resource: Resource[Any], entity: Any) -> Key | None:
    """Return the key of *entity*; `None` when a part of it is not set."""
    parts = tuple(getattr(entity, name, None) for name in resource.key)
    if None in parts:
        return None
    return parts[0] if len(parts) == 1 else parts


def with_values(entity: E, given: Values, wanted: Values) -> E:
    """Return *entity*, which has the values *given*, with those that are *wanted* in their place."""
    others = {name: value for name, value in wanted.items() if name not in given or given[name] is not value}
    if not others:
        return entity
    if dataclasses.is_dataclass(entity) and not isinstance(entity, type):
        return dataclasses.replace(entity, **others)
    for name, value in others.items():
        setattr(entity, name, value)
    return entity
