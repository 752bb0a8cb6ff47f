"""SQLModel's table classes → `Shape`, as SQLAlchemy sees them, with the rules that pydantic knows besides."""

import dataclasses
import enum
import types
import typing
from collections.abc import Iterator
from typing import Any

import annotated_types
from pydantic import (
    AfterValidator,
    EmailStr,
    StringConstraints,
    TypeAdapter,
)
from pydantic.fields import FieldInfo
from sqlalchemy import JSON
from sqlmodel import SQLModel

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.infrastructure.entities.aliases import accepts_field_names, aliases_of
from fastapi_easy.infrastructure.entities.annotations import annotation_of
from fastapi_easy.infrastructure.entities.documents import with_document, with_items
from fastapi_easy.infrastructure.entities.pydantic_validators import field_validators, with_filled_fields
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables import mapping
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.validates import rules_of
from fastapi_easy.infrastructure.persistence.sqlmodel.pydantic_internals import given_regex


def recognises(entity: object) -> bool:
    """Return whether *entity* is a SQLModel class with a table."""
    return isinstance(entity, type) and issubclass(entity, SQLModel) and mapping.recognises(entity)


def describe(entity: type[Any]) -> Shape:
    """Describe *entity* as SQLAlchemy sees it, with its pydantic rules.

    SQLModel itself checks none of them when an instance of a table class is made; the doors do.

    Raises:
        DeclarationError: Every reason why it cannot be a resource.
    """
    shape = mapping.describe(entity)
    declared: dict[str, FieldInfo] = entity.model_fields
    mistakes = [
        f"the default_factory of {entity.__name__}.{name} must not take an argument"
        for name, info in declared.items()
        if info.default_factory_takes_validated_data
    ]
    if mistakes:
        raise DeclarationError(mistakes)
    aliases, by_name = aliases_of(entity), accepts_field_names(entity)
    fields = (
        _with_pydantic_rules(entity, field, declared[field.name]) if field.name in declared else field
        for field in shape.fields
    )
    named = tuple(
        dataclasses.replace(field, alias=aliases.get(field.name), by_name=by_name) for field in fields
    )
    complete = with_filled_fields(entity, named, shape.key)
    return dataclasses.replace(shape, fields=complete, rules=rules_of(entity, complete))


def _with_pydantic_rules(entity: type[Any], field: Field, info: FieldInfo) -> Field:
    annotation, inner = _unwrap_annotation(info.annotation)
    # Where another class stands between the column and Python, the annotation is about its values.
    is_plain_json = isinstance(mapping.column_of(entity, field.name).type, JSON)
    field = with_document(field, annotation) if is_plain_json else field
    rules = (
        *_pydantic_type_rule(field, annotation),
        *_pattern(info),
        # What SQLModel notes down about the column stands among the rules, but rules nothing.
        *(rule for rule in (*inner, *info.metadata) if not type(rule).__module__.startswith("sqlmodel")),
        *field_validators(entity, field),
    )
    shortest, longest = _lengths(rules)
    is_measured = field.kind in {Kind.TEXT, Kind.BINARY, Kind.ARRAY}
    made = dataclasses.replace(
        field,
        rules=rules,
        nullable=_may_be_null(field, info),
        min_length=shortest if is_measured else None,
        max_length=_smallest(field.max_length, longest) if is_measured else None,
        description=info.description or info.title or field.description,
        **_default(field, info),
    )
    if is_plain_json:
        return with_document(made, annotation)
    # What SQLAlchemy could read of the annotation counts already.
    return with_items(made, annotation) if annotation_of(entity, field.name) is Any else made


def _default(field: Field, info: FieldInfo) -> dict[str, Any]:
    """Return the default factory declared to pydantic, where SQLAlchemy has not read one from the column."""
    factory: Any = info.default_factory
    has_one = field.default is not UNSET or field.default_factory is not None
    if factory is None or has_one or field.generated:
        return {}
    return {"default_factory": factory, "store_default": False}


def _unwrap_annotation(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return *annotation* without `Optional` and `Annotated`, and the metadata of the latter."""
    rules: tuple[Any, ...] = ()
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation, *more = typing.get_args(annotation)
            rules = (*more, *rules)
        elif origin in {typing.Union, types.UnionType}:
            alternatives = [each for each in typing.get_args(annotation) if each is not types.NoneType]
            if len(alternatives) != 1:
                return annotation, rules
            annotation = alternatives[0]
        else:
            return annotation, rules


def _pydantic_type_rule(field: Field, annotation: Any) -> Iterator[Any]:
    """Yield a rule for a type of pydantic's that is stored as text: an e-mail address, a URL, a literal."""
    is_plain = isinstance(annotation, type) and issubclass(annotation, str | enum.Enum)
    # A column type of the user's has read the annotation already.
    if field.kind is not Kind.TEXT or is_plain or field.check is not None:
        return
    if annotation is EmailStr:
        # Speaks for itself, and brings its format to the documentation.
        yield EmailStr
        return
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    yield AfterValidator(lambda text: str(adapter.validate_python(text)))


def _may_be_null(field: Field, info: FieldInfo) -> bool:
    """Return whether *field* takes null: a column given by `sa_column` does by itself, whatever the annotation says."""
    if field.document is None or not field.nullable:
        return field.nullable
    return info.default is None or _allows_none(info.annotation)


def _allows_none(annotation: Any) -> bool:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _allows_none(arguments[0])
    if origin in {typing.Union, types.UnionType}:
        return any(map(_allows_none, arguments))
    return annotation is types.NoneType or annotation is Any


def _pattern(info: FieldInfo) -> Iterator[Any]:
    """Yield the rule of `Field(regex=…)`, which SQLModel records but does not apply."""
    if pattern := given_regex(info):
        yield StringConstraints(pattern=pattern)


def _lengths(rules: tuple[Any, ...]) -> tuple[int | None, int | None]:
    shortest = longest = None
    for rule in rules:
        if isinstance(rule, annotated_types.MinLen | annotated_types.Len):
            shortest = rule.min_length or None
        if isinstance(rule, annotated_types.MaxLen | annotated_types.Len):
            longest = rule.max_length
    return shortest, longest


def _smallest(one: int | None, other: int | None) -> int | None:
    given = [each for each in (one, other) if each is not None]
    return min(given) if given else None
