"""The rules of SQLAlchemy's classes: `@validates`, and those that dataclasses and pydantic's models have too."""

import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from types import FunctionType
from typing import Any

import sqlalchemy
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.attributes import set_committed_value

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.field import Field
from fastapi_easy.domain.resources.entity_rules import EntityRules
from fastapi_easy.infrastructure.entities.mentioned_names import mentioned_names
from fastapi_easy.infrastructure.entities.pydantic_validators import FieldRule
from fastapi_easy.infrastructure.entities.rules import class_rules


def rules_of(entity: type[object], fields: Iterable[Field]) -> EntityRules | None:
    """Return the rules of *entity* over several fields; `None` when there are none."""
    every = tuple(fields)
    mapper: Mapper[Any] = sqlalchemy.inspect(entity)

    def make(values: Mapping[str, Any]) -> Any:
        made = mapper.class_manager.new_instance()
        for name, value in values.items():
            set_committed_value(made, name, value)
        return made

    return class_rules(entity, every, make, _field_rules(entity, mapper, {field.name for field in every}))


def _field_rules(entity: type[object], mapper: Mapper[Any], names: AbstractSet[str]) -> Iterator[FieldRule]:
    # What is said of relationships is about objects, which no write of ours holds.
    for name, registered in mapper.validators.items():
        if name in names:
            # Typed as the text it is not.
            method, options = typing.cast("tuple[FunctionType, Mapping[str, Any]]", registered)
            others = names - {name}
            compares = not others.isdisjoint(mentioned_names(entity, method))
            yield FieldRule(name, _asking(name, method, options), compares)


def _asking(
    name: str, method: Callable[..., Any], options: Mapping[str, Any]
) -> Callable[[Callable[[], Any], Values, Any], Any]:
    more = (False,) if options.get("include_removes") else ()

    # The instance has the other values already, whatever their order: a program that sets one after the other
    # would be refused for a state in between.
    return lambda make, _, value: method(make(), name, value, *more)
