"""Tortoise's models → `Shape`."""

import copy
import datetime
import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Any

import annotated_types
from pydantic import AfterValidator
from tortoise import Model
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.exceptions import ValidationError
from tortoise.fields import DatetimeField, JSONField, TimeField
from tortoise.validators import (
    MaxLengthValidator,
    MaxValueValidator,
    MinLengthValidator,
    MinValueValidator,
    RegexValidator,
)

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.domain.resources.tables.omitted import OmittedColumn
from fastapi_easy.infrastructure.entities.annotations import (
    annotation_of,
    unreadable_annotation,
    without_none,
)
from fastapi_easy.infrastructure.entities.documents import with_document, with_items
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.field_type import FieldType
from fastapi_easy.infrastructure.persistence.tortoise.models.kinds import field_type_of
from fastapi_easy.infrastructure.persistence.tortoise.models.model_registry import register_models
from fastapi_easy.infrastructure.persistence.tortoise.models.references import references_of
from fastapi_easy.infrastructure.persistence.tortoise.models.relations import links_of, shared_tables
from fastapi_easy.infrastructure.persistence.tortoise.models.stored_fields import (
    StoredField,
    key_field,
    stored_fields,
    table_name,
    unique_sets,
)
from fastapi_easy.infrastructure.persistence.tortoise.tortoise_internals import meta_of

_KINDS_WITH_LENGTH = frozenset({Kind.TEXT, Kind.BINARY, Kind.ARRAY})


def recognises(entity: object) -> bool:
    """Return whether *entity* is a Tortoise model."""
    return isinstance(entity, type) and issubclass(entity, Model) and entity is not Model


def describe(entity: type[Any]) -> Shape:
    """Describe the fields and the key of *entity*, with the rules of its validators.

    Raises:
        DeclarationError: Every reason why it cannot be a resource.
    """
    if meta_of(entity).abstract:
        raise DeclarationError([f"{entity.__name__} is abstract; declare a model that derives from it"])
    _ = register_models([entity])
    stored = list(stored_fields(entity))
    field_types = {each.name: field_type_of(each.field) for each in stored}
    omitted = {each.name: _omitted(entity, each) for each in stored if field_types[each.name] is None}
    mistakes = [sentence for each in stored for sentence in _mistakes(entity, each)]
    mistakes += [omitted[each.name].reason for each in stored if each.field.pk and each.name in omitted]
    mistakes += shared_tables(entity)
    mistakes += [
        sentence
        for each in stored
        if isinstance(each.field, JSONField | ArrayField)
        and (sentence := unreadable_annotation(entity, each.name)) is not None
    ]
    if mistakes:
        raise DeclarationError(mistakes)
    key = (key_field(entity).name,)
    return Shape(
        fields=tuple(
            _field(entity, each, field_type)
            for each in stored
            if (field_type := field_types[each.name]) is not None
        ),
        key=key,
        unique=tuple(
            rule for rule in dict.fromkeys(_unique(entity, stored)) if omitted.keys().isdisjoint(rule)
        ),
        links=links_of(entity),
        references=tuple(references_of(stored)),
        table=table_name(entity),
        columns={each.column: each.name for each in stored},
        omitted=omitted,
    )


def auto_now_factory(field: Any) -> Callable[[], Any] | None:
    """Return what makes the value of *field*, if it has `auto_now` or `auto_now_add`; else `None`."""
    if not isinstance(field, DatetimeField | TimeField) or not (field.auto_now or field.auto_now_add):
        return None
    return _now if isinstance(field, DatetimeField) else _time


def _omitted(entity: type[Any], stored: StoredField) -> OmittedColumn:
    kind = type(stored.field)
    return OmittedColumn(
        reason=f"{entity.__name__}.{stored.name} is a {kind.__name__}, which no field kind supports: callers cannot see"
        " it; name it in fields.hidden, or give it one of Tortoise's own field types",
        # A class of the user's can be mended.
        is_mistake=not kind.__module__.startswith("tortoise."),
    )


def _mistakes(entity: type[Any], stored: StoredField) -> Iterator[str]:
    place = f"{entity.__name__}.{stored.name}"
    if inspect.iscoroutinefunction(stored.field.default):
        yield f"the default of {place} has to be awaited; give it a plain function"


def _unique(entity: type[Any], stored: list[StoredField]) -> Iterator[tuple[str, ...]]:
    for each in stored:
        if each.field.unique and not each.field.pk:
            yield (each.name,)
    yield from unique_sets(entity)


def _field(entity: type[Any], stored: StoredField, field_type: FieldType) -> Field:
    field = stored.field
    clock = auto_now_factory(field)
    filled = field.generated or clock is not None
    rules, shortest, longest = _rules(field, field_type)
    default, factory = (UNSET, clock) if filled else _default(field)
    field_arguments = dict(field_type.field_arguments)
    if field_type.kind in _KINDS_WITH_LENGTH:
        field_arguments["max_length"] = _smallest(field_type.max_length, longest)
    made = Field(
        name=stored.name,
        **field_arguments,
        nullable=field.null,
        generated=filled,
        default=default,
        default_factory=factory,
        store_default=not filled and default is UNSET and factory is None and field.has_db_default(),
        unique=field.unique,
        min_length=shortest if field_type.kind in _KINDS_WITH_LENGTH else None,
        rules=rules,
        description=_description(field),
    )
    if isinstance(field, JSONField):
        return with_document(made, _annotation(entity, stored))
    return with_items(made, annotation_of(entity, stored.name)) if made.kind is Kind.ARRAY else made


def _annotation(entity: type[Any], stored: StoredField) -> Any:
    """Return what the JSON field *stored* holds: `tags: list[str] = JSONField()`, `tags = JSONField[list[str]]()`."""
    annotation = annotation_of(entity, stored.name)
    origin = typing.get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, JSONField):
        annotation = typing.get_args(annotation)[0]
    if annotation is Any or annotation is JSONField:
        annotation = _parameter(stored.field)
    return without_none(annotation)


def _parameter(field: Any) -> Any:
    """Return the type that *field* was made with, by `JSONField[…]` or `field_type=…`."""
    made = getattr(field, "__orig_class__", None)
    if made is not None:
        return typing.get_args(made)[0]
    return Any if field.field_type == JSONField.field_type else field.field_type


def _default(field: Any) -> tuple[Any, Callable[[], Any] | None]:
    given = field.default
    if given is None:
        return UNSET, None
    if callable(given):
        return UNSET, lambda: _to_python(field, given())
    if isinstance(given, dict | list):
        # Each entity gets a copy of its own.
        return UNSET, lambda: copy.deepcopy(given)
    return _to_python(field, given), None


def _to_python(field: Any, value: Any) -> Any:
    """Convert the default *value*, which Tortoise takes loosely, to what a query would return."""
    if value is None or isinstance(field, JSONField):
        return value
    made = field.to_python_value(value)
    return made.replace(tzinfo=None) if isinstance(field, TimeField) else made


def _rules(field: Any, field_type: FieldType) -> tuple[tuple[Any, ...], int | None, int | None]:
    """Return the rules of the validators, the least and the largest length."""
    rules: list[Any] = []
    shortest = longest = None
    for validator in field.validators:
        match validator:
            case MaxLengthValidator():
                longest = _smallest(longest, validator.max_length)
            case MinLengthValidator():
                shortest = max(shortest or 0, validator.min_length)
            case MinValueValidator():
                rules.append(annotated_types.Ge(validator.min_value))
            case MaxValueValidator():
                rules.append(annotated_types.Le(validator.max_value))
            case _:
                rules.append(AfterValidator(_validator_rule(validator)))
    if field_type.kind in {Kind.TEXT, Kind.BINARY}:
        rules += [annotated_types.MinLen(shortest)] if shortest else []
        rules += [annotated_types.MaxLen(longest)] if longest is not None else []
    return tuple(rules), shortest, longest


def _validator_rule(validator: Callable[[Any], None]) -> Callable[[Any], Any]:
    pattern = f" {validator.regex.pattern!r}" if isinstance(validator, RegexValidator) else ""
    message = f"Does not match{pattern}" if pattern else f"{type(validator).__name__} rejects it"
    is_own = type(validator).__module__.startswith("tortoise.")

    def check(value: Any) -> Any:
        try:
            validator(value)
        except ValidationError as error:
            # Tortoise's own message repeats the value.
            raise ValueError(message if is_own else str(error)) from None
        return value

    return check


def _smallest(one: int | None, other: int | None) -> int | None:
    given = [each for each in (one, other) if each is not None]
    return min(given) if given else None


def _description(field: Any) -> str | None:
    description: str | None = field.description
    # An enumeration without a description gets one from Tortoise, a list of its members.
    is_generated = description is not None and hasattr(field, "enum_type") and "\n" in description
    return None if is_generated else description


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _time() -> datetime.time:
    return _now().time()
