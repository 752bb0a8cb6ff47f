"""Column types of the user's own: which they are, and which values they give (ADR 42)."""

import datetime
import decimal
import enum
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import PickleType, TypeDecorator, TypeEngine, UserDefinedType

from fastapi_easy.domain.field import Comparison, Field, Kind
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.annotations import (
    annotation_of,
    annotations_of_type,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.conversions import (
    Conversion,
    Unreadable,
    reads_as_it_is,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.value_types import (
    ValueType,
    json_type,
    scalar_type,
    value_type_of,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.field_type import FieldType
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.kinds import (
    field_type_of,
    unwrap_decorators,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.server_types.known_types import (
    server_field_type,
)
from fastapi_easy.infrastructure.relational.column_types import ColumnType

_LIBRARIES: Final = ("sqlalchemy.", "sqlmodel.", "fastapi_easy.")
_PROCESSORS: Final = ("bind_processor", "result_processor", "bind_expression", "column_expression")

_SCALARS: Final = (
    uuid.UUID,
    datetime.datetime,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    float,
    int,
    bool,
    bytes,
    str,
)
_BY_KIND: Final[Mapping[Kind, ValueType]] = {
    value.kind: value
    for value in (json_type("JSON value", (object,)), *map(scalar_type, _SCALARS))
    if value is not None
}
_DIALECT_CLASSES: Final[tuple[Callable[[], Dialect], ...]] = (
    sqlite.dialect,
    postgresql.dialect,
    mysql.dialect,
)
_DIALECTS: Final = tuple(cls() for cls in _DIALECT_CLASSES)
_RAW: Final[tuple[Any, ...]] = (*range(-1, 11), *"abcdefghijklmnopqrstuvwxyz", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What a column may hold for a member of an enumeration."""


def is_custom(declared: ColumnType) -> bool:
    """Return whether *declared* is a type of the user's that stores values in its own way."""
    plain = unwrap_decorators(declared)
    cls = type(plain)
    if isinstance(plain, PickleType):
        return True
    if cls.__module__.startswith(_LIBRARIES):
        return False
    if isinstance(plain, TypeDecorator):
        return True
    if isinstance(plain, UserDefinedType):
        return server_field_type(plain) is None
    return any(not _definer(cls, name).__module__.startswith(_LIBRARIES) for name in _PROCESSORS)


def conversion_of(entity: type[object], name: str, declared: ColumnType) -> Conversion | str:
    """Return what the custom type *declared* of the attribute *name* does, or why it cannot be a field.

    Which database it will be is not known yet, and the type may support one only: the first one counts where it works.
    """
    plain, mistakes = unwrap_decorators(declared), []
    for dialect in _DIALECTS:
        try:
            found = _conversion_on(entity, name, plain, dialect)
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            found = f"{entity.__name__}.{name}: its type {type(plain).__name__} fails on {dialect.name} ({error!r})"
        if not isinstance(found, str):
            return found
        mistakes.append(found)
    return mistakes[0]


def _conversion_on(entity: type[object], name: str, plain: ColumnType, dialect: Dialect) -> Conversion | str:
    place, title = f"{entity.__name__}.{name}", type(plain).__name__
    annotation = annotation_of(entity, name)
    if annotation is not None:
        called = getattr(annotation, "__name__", str(annotation))
        value = value_type_of(annotation)
        if value is None:
            return (
                f"{place} is annotated as {called}, which cannot be written in JSON; say how it can, as in"
                f" Mapped[Annotated[{called}, PlainValidator(…), PlainSerializer(…)]], or leave the column out of the"
                " class"
            )
        made = _on_dialect(plain, value, dialect)
        mistake = made.mistake()
        if mistake is None:
            return made
        return (
            f"{place} is annotated as {value.name}, but its type {title} {mistake};"
            " annotate it with what the type gives"
        )
    for claimed in annotations_of_type(plain):
        value = value_type_of(claimed)
        if value is not None and (made := _on_dialect(plain, value, dialect)).mistake() is None:
            return made
    guessed = _guessed(plain, dialect)
    if guessed is not None:
        return guessed
    return (
        f"{place} has the type {title}, which does not say what it gives; annotate the attribute with the Python type"
        " of its values, as in Mapped[dict], or give the type a python_type"
    )


def converted_field_type(conversion: Conversion) -> FieldType:
    """Return what a field with *conversion* holds."""
    comparison, value, column = conversion.comparison, conversion.value, conversion.column
    is_plain = value.kind is Kind.TEXT and comparison is Comparison.FULL and column is not None
    return FieldType(
        kind=value.kind,
        enumeration=value.enumeration,
        max_length=column.max_length if is_plain and column is not None else None,
        check=conversion,
        comparison=comparison,
    )


def narrow_to_dialect(place: str, field: Field, dialect: Dialect) -> Field | str:
    """Return *field* as it is on *dialect*, if its column type is the user's; or why it cannot be one there."""
    if not isinstance(field.check, Conversion):
        return field
    try:
        made = _on_dialect(field.check.declared, field.check.value, dialect)
    except Exception as error:  # noqa: BLE001 - as in `conversion_of`
        title = type(field.check.declared).__name__
        return f"{place}: its type {title} fails on {dialect.name} ({error!r}); give the column another type"
    if (mistake := made.mistake()) is not None:
        title = type(made.declared).__name__
        return f"{place}: its type {title} {mistake} on {dialect.name}; give the column another type"
    return replace(field, check=made, comparison=made.comparison)


def _on_dialect(declared: ColumnType, value: ValueType, dialect: Dialect) -> Conversion:
    made = Conversion(declared, value, dialect, _column(declared, dialect))
    if value.kind is Kind.DATETIME and value.to_object is None and not made.takes_any_sample:
        # Some reckon with times without a zone.
        return Conversion(declared, replace(value, to_object=_without_zone), dialect, made.column)
    return made


def _column(declared: ColumnType, dialect: Dialect) -> FieldType | None:
    """Return what the column of a custom type holds, before the type itself has read it."""
    while isinstance(declared, TypeDecorator) and is_custom(declared):
        declared = declared.load_dialect_impl(dialect)
    return field_type_of(declared)


def _guessed(declared: ColumnType, dialect: Dialect) -> Conversion | None:
    """Return the conversions of a type that nobody has annotated, told by which samples it gives back."""
    column = _column(declared, dialect)
    if column is not None and reads_as_it_is(declared) and column.kind in _BY_KIND:
        return _on_dialect(declared, _BY_KIND[column.kind], dialect)
    documents = [json_type("object or array"), json_type("array", (list,)), json_type("object", (dict,))]
    scalars = [value for each in _SCALARS if (value := scalar_type(each)) is not None]
    # Whole numbers pass for decimals as well: rather what the column holds.
    scalars.sort(key=lambda value: column is None or value.kind is not column.kind)
    fitting = [
        made for value in (*documents, *scalars) if (made := _fitting(declared, value, dialect)) is not None
    ]
    if len(fitting) == len(documents) + len(scalars):
        # It gives back whatever it is given: only the column says what that is, unless bytes stand for anything.
        kind = None if column is None or column.kind is Kind.BINARY else column.kind
        fitting = [made for made in fitting if made.value.kind is kind]
    return next(iter((*fitting, *_enumerated(declared, dialect))), None)


def _fitting(declared: ColumnType, value: ValueType, dialect: Dialect) -> Conversion | None:
    """Return the conversions with *value*, if every sample of it is taken and given back; else `None`."""
    made = _on_dialect(declared, value, dialect)
    return made if made.gives_samples_back else None


def _enumerated(declared: ColumnType, dialect: Dialect) -> Iterator[Conversion]:
    """Yield the conversions of an enumeration, if the type makes members of one of numbers or letters."""
    anything = Conversion(declared, json_type("anything"), dialect)
    for raw in _RAW:
        try:
            member = anything.read_by_type(raw)
        except Unreadable:
            continue
        if isinstance(member, enum.Enum) and (value := scalar_type(type(member))) is not None:
            yield _on_dialect(declared, value, dialect)
            return


def _without_zone(moment: datetime.datetime) -> datetime.datetime:
    return moment.replace(tzinfo=None)


def _definer(cls: type, name: str) -> type:
    return next((each for each in cls.__mro__ if name in vars(each)), TypeEngine)
