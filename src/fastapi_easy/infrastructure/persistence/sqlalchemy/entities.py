"""Rows ↔ instances of the user's class that no session holds."""

from collections.abc import Mapping
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy.orm import InstanceState, Mapper, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from fastapi_easy.domain.resource import Resource

E = TypeVar("E")


def entity_from(resource: Resource[E], values: Mapping[str, Any]) -> E:
    """An instance that holds *values*, as if a session had loaded it and let it go.

    `__init__` is not called, as SQLAlchemy does not either: what a constructor asks for, the store need not
    have. Relationships are not loaded, and say so when they are touched.
    """
    mapper: Mapper[E] = sqlalchemy.inspect(resource.entity)
    made: E = mapper.class_manager.new_instance()
    for name, value in values.items():
        set_committed_value(made, name, value)
    make_transient_to_detached(made)
    return made


def values_of(resource: Resource[Any], entity: Any) -> dict[str, Any]:
    """The values that *entity* holds; what it was never given is left out."""
    state: InstanceState[Any] = sqlalchemy.inspect(entity)
    held = state.dict
    return {name: held[name] for name in resource.fields if name in held}
