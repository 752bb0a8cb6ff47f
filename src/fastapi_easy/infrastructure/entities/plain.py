"""A dataclass or a pydantic model → its shape; its instances → values and back.

Marks in the class: the key is the fields with `metadata={"key": True}` (dataclasses), else those that a class
attribute `__key__` names, else `id`. Unique is what has `metadata={"unique": True}`, and each entry of a class
attribute `__unique__`: a field name, or a tuple of names that are unique together. A key of one field that is
`int | None` or `str | None`, and `None` unless given, is made by the store: it counts up, or is 24 hexadecimal digits.
"""

import dataclasses
import datetime
import decimal
import enum
import functools
import types
import typing
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

import annotated_types
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.resources.resource import Resource, Shape
from fastapi_easy.infrastructure.entities.aliases import accepts_field_names, aliases_of
from fastapi_easy.infrastructure.entities.annotations import pydantic_metadata, unreadable_annotation
from fastapi_easy.infrastructure.entities.documents import is_document, with_document
from fastapi_easy.infrastructure.entities.pydantic_validators import field_validators, with_filled_fields
from fastapi_easy.infrastructure.entities.rules import class_rules

E = TypeVar("E")

_KINDS: Final[Mapping[Any, Kind]] = {
    str: Kind.TEXT,
    bool: Kind.BOOLEAN,
    int: Kind.INTEGER,
    decimal.Decimal: Kind.DECIMAL,
    float: Kind.FLOAT,
    datetime.datetime: Kind.DATETIME,
    AwareDatetime: Kind.DATETIME,
    datetime.date: Kind.DATE,
    datetime.time: Kind.TIME,
    datetime.timedelta: Kind.DURATION,
    uuid.UUID: Kind.UUID,
    bytes: Kind.BINARY,
    dict: Kind.JSON,
    list: Kind.JSON,
    object: Kind.JSON,
    Any: Kind.JSON,
}

_KINDS_WITH_LENGTH: Final = frozenset({Kind.TEXT, Kind.BINARY, Kind.ARRAY})
_GENERATED_KEY_KINDS: Final = frozenset({Kind.INTEGER, Kind.TEXT})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """One attribute of the class, however it was written."""

    name: str
    annotation: Any
    rules: tuple[Any, ...]
    default: Any
    default_factory: Callable[[], Any] | None
    description: str | None
    is_key: bool
    is_unique: bool
    alias: str | None = None
    by_name: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class _Type:
    """The kind that an annotation comes down to."""

    kind: Kind
    item: Kind | None
    enumeration: type[enum.Enum] | None
    nullable: bool
    rules: tuple[Any, ...]
    annotation: Any


def recognises(entity: type) -> bool:
    """Return whether *entity* is a plain dataclass or pydantic model, and not a class that an ORM has mapped."""
    plain = dataclasses.is_dataclass(entity) or issubclass(entity, BaseModel)
    return plain and not hasattr(entity, "__mapper__")


def describe(entity: type) -> Shape:
    """Read the shape of *entity*.

    Raises:
        DeclarationError: A field has a type that no store keeps, or there is no key.
    """
    members = tuple(
        _pydantic_members(entity) if issubclass(entity, BaseModel) else _dataclass_members(entity)
    )
    key, unique, mistakes = _key_and_unique(entity, members)
    fields: list[Field] = []
    for member in members:
        read = _parse_annotation(member.annotation)
        if read is None:
            mistakes.append(
                f"{entity.__name__}.{member.name} is of type {member.annotation!r}, which no store supports; "
                "use a scalar, an enumeration, a list of scalars, or what JSON has a form for"
            )
            continue
        field = _field(member, read, key, unique)
        fields.append(dataclasses.replace(field, rules=(*field.rules, *field_validators(entity, field))))
    if mistakes:
        raise DeclarationError(mistakes)
    complete = with_filled_fields(entity, fields, key)
    return Shape(
        fields=complete,
        key=key,
        unique=tuple(dict.fromkeys(unique)),
        rules=class_rules(entity, complete, functools.partial(_without_rules, entity)),
    )


def values_of(resource: Resource[Any], entity: Any) -> Values:
    """Return the values *entity* holds. What was never set on it, or may not be the null it is, is left out."""
    known = getattr(entity, "__dict__", {})
    values = {name: getattr(entity, name, None) for name in resource.fields}
    for name, document in _documents(resource):
        values[name] = document.to_json(values[name])
    return {
        name: value
        for name, value in values.items()
        if value is not None or (name in known and resource.fields[name].nullable)
    }


def entity_from(resource: Resource[E], row: Row) -> E:
    """Return an instance of the user's class that holds the values of *row*."""
    entity: Any = resource.entity
    made: E
    if documents := _documents(resource):
        row = Row(row)
        for name, document in documents:
            if name in row:
                row[name] = document.to_python(row[name])
    if issubclass(entity, BaseModel) and not hasattr(entity, "__mapper__"):
        # What the store holds was let in once; a rule made since then must not keep it from being read.
        try:
            made = entity.model_construct(**row)
        except (ValueError, AssertionError):
            made = _without_rules(entity, row)
        return made
    marks: Any = entity
    if not dataclasses.is_dataclass(marks):
        made = entity(**row)
        return made
    given = {each.name for each in dataclasses.fields(marks) if each.init}
    try:
        made = entity(**{name: value for name, value in row.items() if name in given})
    except (ValueError, AssertionError):
        made = _without_rules(entity, row)
        return made
    for name in row.keys() - given:
        # Also where the class is frozen: the object is still being made.
        object.__setattr__(made, name, row[name])
    return made


def _without_rules(entity: type[Any], values: Mapping[str, Any]) -> Any:
    """Make an instance of *entity*, a dataclass or a model, without asking its rules."""
    made = object.__new__(entity)
    if issubclass(entity, BaseModel):
        private = {
            name: default
            for name, attribute in entity.__private_attributes__.items()
            if (default := attribute.get_default()) is not PydanticUndefined
        }
        state = {"__dict__": dict(values), "__pydantic_fields_set__": set(values)}
        made.__setstate__({**state, "__pydantic_extra__": None, "__pydantic_private__": private or None})
        return made
    for name, value in values.items():
        # Also where the class is frozen: the object is still being made.
        object.__setattr__(made, name, value)
    return made


@functools.lru_cache(maxsize=1024)
def _documents(resource: Resource[Any]) -> tuple[tuple[str, Any], ...]:
    """Return what is known of the documents of *resource*, by field."""
    return tuple(
        (name, field.document) for name, field in resource.fields.items() if field.document is not None
    )


def _key_and_unique(
    entity: type, members: tuple[_Member, ...]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], list[str]]:
    names = {each.name for each in members}
    key = tuple(each.name for each in members if each.is_key) or tuple(getattr(entity, "__key__", ("id",)))
    listed = [(rule,) if isinstance(rule, str) else tuple(rule) for rule in getattr(entity, "__unique__", ())]
    unique = (*((each.name,) for each in members if each.is_unique), *listed)
    mistakes = [
        f"{entity.__name__} has no field {name!r} to use as key; list the key fields in __key__"
        for name in key
        if name not in names
    ]
    mistakes += [
        f"{entity.__name__}.__unique__ lists {name!r}, which is not a field of the class"
        for rule in listed
        for name in rule
        if name not in names
    ]
    return key, unique, mistakes


def _field(member: _Member, read: _Type, key: tuple[str, ...], unique: tuple[tuple[str, ...], ...]) -> Field:
    is_key = member.name in key
    is_made = is_key and len(key) == 1 and read.kind in _GENERATED_KEY_KINDS and member.default is None
    rules = (*read.rules, *member.rules)
    shortest, longest = _lengths(rules) if read.kind in _KINDS_WITH_LENGTH else (None, None)
    made = Field(
        name=member.name,
        kind=read.kind,
        nullable=read.nullable and not is_key,
        generated=is_made,
        default=UNSET if is_made else member.default,
        default_factory=member.default_factory,
        unique=(member.name,) in unique,
        enumeration=read.enumeration,
        item=read.item,
        item_rules=_item_annotation(read.annotation)[1] if read.kind is Kind.ARRAY else (),
        min_length=shortest,
        max_length=longest,
        precision=_first(rules, "max_digits") if read.kind is Kind.DECIMAL else None,
        scale=_first(rules, "decimal_places") if read.kind is Kind.DECIMAL else None,
        rules=rules,
        description=member.description,
        alias=member.alias,
        by_name=member.by_name,
    )
    return with_document(made, read.annotation)


def _dataclass_members(entity: type) -> Iterator[_Member]:
    hints = _hints(entity)
    declared: Mapping[str, FieldInfo] = getattr(entity, "__pydantic_fields__", {})
    for each in dataclasses.fields(entity):
        if each.name in declared:
            info = declared[each.name]
            yield dataclasses.replace(
                _pydantic_member(entity, each.name, info),
                is_key=bool(each.metadata.get("key")),
                is_unique=bool(each.metadata.get("unique")),
            )
            continue
        yield _Member(
            name=each.name,
            annotation=hints[each.name],
            rules=(),
            default=UNSET if each.default is dataclasses.MISSING else each.default,
            default_factory=None if each.default_factory is dataclasses.MISSING else each.default_factory,
            description=each.metadata.get("description"),
            is_key=bool(each.metadata.get("key")),
            is_unique=bool(each.metadata.get("unique")),
        )


def _hints(entity: type) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(entity, include_extras=True)
    except NameError as error:
        found = (unreadable_annotation(entity, each.name) for each in dataclasses.fields(entity))
        raise DeclarationError([sentence for sentence in found if sentence is not None]) from error


def _pydantic_members(entity: type[BaseModel]) -> Iterator[_Member]:
    aliases, by_name = aliases_of(entity), accepts_field_names(entity)
    for name, info in entity.model_fields.items():
        yield dataclasses.replace(
            _pydantic_member(entity, name, info), alias=aliases.get(name), by_name=by_name
        )


def _pydantic_member(entity: type[Any], name: str, info: FieldInfo) -> _Member:
    return _Member(
        name=name,
        annotation=info.annotation,
        rules=tuple(info.metadata),
        default=UNSET if info.default is PydanticUndefined else info.default,
        default_factory=_default_factory(entity, name, info),
        description=info.description,
        is_key=False,
        is_unique=False,
    )


def _default_factory(entity: type[Any], name: str, info: FieldInfo) -> Callable[[], Any] | None:
    if info.default_factory_takes_validated_data:
        raise DeclarationError([f"the default_factory of {entity.__name__}.{name} must not take an argument"])
    return typing.cast("Callable[[], Any] | None", info.default_factory)


def _parse_annotation(annotation: Any) -> _Type | None:
    """Peel `Annotated` and `Optional` off *annotation*; `None` when no kind is left."""
    nullable = False
    rules: tuple[Any, ...] = ()
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation, *more = typing.get_args(annotation)
            rules = (*(rule for each in more for rule in _expand_field_info(each)), *rules)
        elif origin in {typing.Union, types.UnionType}:
            alternatives = [each for each in typing.get_args(annotation) if each is not types.NoneType]
            nullable = nullable or len(alternatives) < len(typing.get_args(annotation))
            if len(alternatives) != 1:
                annotation = typing.Union[tuple(alternatives)]  # noqa: UP007 (made from a tuple)
                break
            annotation = alternatives[0]
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        else:
            break
    kind, item, enumeration = _kind(annotation)
    if kind is None and is_document(annotation):
        kind = Kind.JSON
    return None if kind is None else _Type(kind, item, enumeration, nullable, rules, annotation)


def _expand_field_info(rule: object) -> list[object]:
    """Replace pydantic's `Field(...)` inside of `Annotated` by the rules it stands for."""
    return list(rule.metadata) if isinstance(rule, FieldInfo) else [rule]


def _kind(annotation: Any) -> tuple[Kind | None, Kind | None, type[enum.Enum] | None]:
    origin = typing.get_origin(annotation)
    if origin is list:
        item, _, _ = _kind(_item_annotation(annotation)[0])
        scalar = item not in {None, Kind.JSON, Kind.ARRAY, Kind.ENUM}
        return (Kind.ARRAY, item, None) if scalar else (Kind.JSON, None, None)
    if origin is dict:
        return Kind.JSON, None, None
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return Kind.ENUM, None, annotation
    if annotation in _KINDS:
        return _KINDS[annotation], None, None
    ancestors = annotation.__mro__[1:-1] if isinstance(annotation, type) else ()
    return next((_KINDS[each] for each in ancestors if each in _KINDS), None), None, None


def _item_annotation(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return what the items of a list are annotated with, and its marks, which say nothing to pydantic."""
    item = typing.get_args(annotation)[0]
    if typing.get_origin(item) is not typing.Annotated or pydantic_metadata(item):
        return item, ()
    plain, *marks = typing.get_args(item)
    return plain, tuple(marks)


def _lengths(rules: tuple[object, ...]) -> tuple[int | None, int | None]:
    shortest = longest = None
    for rule in rules:
        if isinstance(rule, annotated_types.MinLen | annotated_types.Len):
            shortest = rule.min_length or None
        if isinstance(rule, annotated_types.MaxLen | annotated_types.Len):
            longest = rule.max_length
    return shortest, longest


def _first(rules: tuple[object, ...], attribute: str) -> int | None:
    return next((value for rule in rules if (value := getattr(rule, attribute, None)) is not None), None)
