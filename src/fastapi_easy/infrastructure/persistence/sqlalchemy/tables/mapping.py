"""SQLAlchemy's declarative classes → `Shape`."""

import dataclasses
import re
import typing
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final

import sqlalchemy
from sqlalchemy import ARRAY, JSON, Column, Table, UniqueConstraint
from sqlalchemy import Sequence as Counter
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Mapper
from sqlalchemy.sql.functions import next_value
from sqlalchemy.types import NullType

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.domain.resources.tables.omitted import OmittedColumn
from fastapi_easy.infrastructure.entities.annotations import (
    annotation_of,
    pydantic_metadata,
    unreadable_annotation,
    without_none,
)
from fastapi_easy.infrastructure.entities.documents import with_document, with_items
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.conversions import Conversion
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.discovery import (
    conversion_of,
    converted_field_type,
    is_custom,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.field_type import FieldType
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.inheritance import (
    names_of,
    parts_of,
    refusal_of,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.kinds import field_type_of
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.references import references_of
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.relations import links_of
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.soft_delete import is_partial
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.validates import rules_of
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.variants import variant_of
from fastapi_easy.infrastructure.relational.column_defaults import context_free_default

VIEW: Final = "is_view"
"""The key in the `info` of a table that is a view: nobody creates it, and nobody changes it."""

_NEXT_VALUE: Final = re.compile(r"\s*nextval\s*\(", re.IGNORECASE)


def recognises(entity: object) -> bool:
    """Return whether *entity* is a class that SQLAlchemy maps to a table."""
    return isinstance(entity, type) and isinstance(sqlalchemy.inspect(entity, raiseerr=False), Mapper)


def describe(entity: type[object]) -> Shape:
    """Describe the fields, the key and the rules of *entity*.

    Raises:
        DeclarationError: Every reason why it cannot be a resource.
    """
    mapper: Mapper[Any] = sqlalchemy.inspect(entity)
    refusals = _refusals(entity, mapper)
    if refusals:
        raise DeclarationError(refusals)
    table, parts = table_of(entity), parts_of(mapper)
    names = attributes_of(entity)
    # Where several tables hold an attribute, as they do the key, it is what the uppermost makes of it.
    first = {name: column for column, name in reversed(names.items())}
    found_types = {
        column: _type_of(entity, column, name) for column, name in names.items() if first[name] is column
    }
    field_types = {column: found for column, found in found_types.items() if isinstance(found, FieldType)}
    omitted = {
        names[column]: found for column, found in found_types.items() if isinstance(found, OmittedColumn)
    }
    key_columns = _key_columns(mapper)
    mistakes = [omitted[names[column]].reason for column in key_columns if names[column] in omitted]
    mistakes += [
        sentence
        for column, found in field_types.items()
        if isinstance(column.type, JSON | ARRAY)
        and found.kind in {Kind.JSON, Kind.ARRAY}
        and (sentence := unreadable_annotation(entity, names[column])) is not None
    ]
    # References are resolved by name only when they are looked at.
    mistakes += [each for part in parts for each in _undeclared_references(entity, part.table)]
    if mistakes:
        raise DeclarationError(mistakes)
    every, names = names, {column: name for column, name in names.items() if first[name] in field_types}
    key = tuple(names[column] for column in key_columns)
    unique = tuple(dict.fromkeys(each for part in parts for each in _unique(part.table, names)))
    singles = {rule[0] for rule in unique if len(rule) == 1} | (set(key) if len(key) == 1 else set())
    fields = tuple(
        _field(
            entity,
            column,
            names[column],
            found,
            is_key=names[column] in key,
            is_unique=names[column] in singles,
        )
        for column, found in field_types.items()
    )
    return Shape(
        fields=fields,
        key=key,
        unique=tuple(rule for rule in unique if set(rule) != set(key)),
        links=links_of(mapper),
        references=tuple(
            each
            for number, part in enumerate(parts)
            for each in references_of(part.table, names)
            # The key of a further table refers to the one above, which holds the same entity.
            if number == 0 or set(each.fields) != set(key)
        ),
        table=table.fullname,
        root_table=parts[0].table.fullname,
        columns={column.name: every[column] for column in table.columns if column in every},
        rules=rules_of(entity, fields),
        omitted=omitted,
        read_only=next(filter(None, (_why_read_only(entity, part.table) for part in parts)), None),
        variant=variant_of(mapper, every),
    )


def table_of(entity: type[object]) -> Table:
    """Return the table of *entity*; of several the one that holds nothing but its own entities."""
    mapper: Mapper[Any] = sqlalchemy.inspect(entity)
    table = mapper.local_table
    if not isinstance(table, Table):
        raise DeclarationError([f"{entity.__name__} is not mapped to a table of its own"])
    return table


def attributes_of(entity: type[object]) -> dict[Column[Any], str]:
    """Return the columns of *entity* and the attributes they are mapped to, in the order of its tables."""
    _ = table_of(entity)
    mapper: Mapper[Any] = sqlalchemy.inspect(entity)
    return {column: name for part in parts_of(mapper) for column, name in part.attributes.items()}


def column_of(entity: type[object], name: str) -> Column[Any]:
    """Return the column of the attribute *name* of *entity*."""
    return next(column for column, attribute in attributes_of(entity).items() if attribute == name)


def _refusals(entity: type[object], mapper: Mapper[Any]) -> list[str]:
    name = entity.__name__
    if not isinstance(mapper.local_table, Table):
        return [f"{name} is not mapped to a table of its own; map it to one"]
    refusal = refusal_of(mapper)
    if refusal is not None:
        return [refusal]
    mapped = names_of(mapper)
    return [
        f"{name} does not map {column.name!r}, a part of the primary key; give it an attribute"
        for column in _key_columns(mapper)
        if column not in mapped
    ]


def _key_columns(mapper: Mapper[Any]) -> list[Column[Any]]:
    """Return the columns of the key: those of the table, or those that the class says identify a row of it."""
    table: Any = parts_of(mapper)[0].table
    return list(table.primary_key.columns) or list(mapper.primary_key)


def _why_read_only(entity: type[object], table: Table) -> str | None:
    """Return why nothing can be changed in *table*; `None` when it can."""
    if table.info.get(VIEW):
        return f"{table.name} is a view"
    return (
        None
        if table.primary_key.columns
        else f"the table {table.name} of {entity.__name__} has no primary key"
    )


def _undeclared_references(entity: type[object], table: Table) -> Iterator[str]:
    for reference in table.foreign_keys:
        try:
            _ = reference.column
        except SQLAlchemyError:
            yield (
                f"{entity.__name__}.{reference.parent.name} refers to {reference.target_fullname}, a table that"
                " is not declared; import the module that declares it"
            )


def _unique(table: Table, names: dict[Column[Any], str]) -> Iterator[tuple[str, ...]]:
    for column, name in names.items():
        if column.unique:
            yield (name,)
    for rule in sorted(table.constraints, key=lambda each: str(each.name)):
        if isinstance(rule, UniqueConstraint):
            yield from _named(list(rule.columns), names)
    for index in sorted(table.indexes, key=lambda each: str(each.name)):
        if index.unique and not is_partial(index):
            yield from _named(list(index.expressions), names)


def _named(columns: list[Any], names: dict[Column[Any], str]) -> Iterator[tuple[str, ...]]:
    """Yield the fields of *columns*, if all are mapped: an index on an expression is about none."""
    if all(isinstance(column, Column) and column in names for column in columns):
        yield tuple(names[column] for column in columns)


def _type_of(entity: type[object], column: Column[Any], name: str) -> FieldType | OmittedColumn:
    """Return what values of *column* are, or why they cannot be those of a field."""
    if is_custom(column.type):
        conversion = conversion_of(entity, name, column.type)
        if isinstance(conversion, str):
            return OmittedColumn(reason=conversion, is_mistake=True)
        return converted_field_type(conversion)
    found = field_type_of(column.type)
    if found is None:
        has = f"the type {column.type!r}, which no field kind supports"
        if isinstance(column.type, NullType):
            has = "a type that SQLAlchemy does not know"
        return OmittedColumn(
            reason=f"{entity.__name__}.{name} has {has}: callers cannot see it; name it in fields.hidden, or give it"
            " another type",
            is_searched=isinstance(column.type, TSVECTOR),
        )
    return found


def _field(
    entity: type[object],
    column: Column[Any],
    name: str,
    found: FieldType,
    *,
    is_key: bool,
    is_unique: bool,
) -> Field:
    generated = _is_generated(column)
    default, factory, store_default = (UNSET, None, False) if generated else _default(entity, column, name)
    if isinstance(found.check, Conversion):
        default, factory = found.check.value_of_default(default), _converted(found.check, factory)
    made = Field(
        name=name,
        **found.field_arguments,
        nullable=bool(column.nullable) and not is_key,
        generated=generated,
        computed=column.computed is not None,
        default=default,
        default_factory=factory,
        store_default=store_default,
        update_default=not generated and _is_updated(column),
        unique=is_unique,
        description=column.comment or column.doc,
    )
    if isinstance(column.type, JSON) or found.check is not None:
        return with_document(made, _annotation(entity, name))
    if isinstance(column.type, ARRAY):
        return with_items(made, _annotation(entity, name))
    # Another class stands between the column and Python, and the annotation is about its values.
    return made


def _annotation(entity: type[object], name: str) -> Any:
    """Return what `Mapped[…]` says of the attribute *name*, with what pydantic reads of its metadata."""
    annotation = annotation_of(entity, name)
    is_mapped = isinstance(origin := typing.get_origin(annotation), type) and issubclass(origin, Mapped)
    given = typing.get_args(annotation)[0] if is_mapped else annotation
    plain, metadata = without_none(given), pydantic_metadata(given)
    return Annotated[(plain, *metadata)] if metadata else plain


def _converted(conversion: Conversion, factory: Callable[[], object] | None) -> Callable[[], object] | None:
    """Return a factory of values of a row, where *factory* makes objects of the user's."""
    if factory is None or conversion.value.to_object is None:
        return factory
    return lambda: conversion.value_of_default(factory())


def _is_generated(column: Column[Any]) -> bool:
    if column.computed is not None or column.identity is not None:
        return True
    is_counted = column.default is None or isinstance(column.default, Counter)
    if column.table.autoincrement_column is column:
        return is_counted
    # SQLAlchemy itself takes a key whose default is a sequence for one that is counted only where it reads the table.
    return column.primary_key and is_counted and _is_sequence(column.server_default)


def _is_sequence(default: object) -> bool:
    """Tell whether *default*, of the store, is the next number of a sequence."""
    made = getattr(default, "arg", None)
    return isinstance(made, next_value) or _NEXT_VALUE.match(str(made)) is not None


def _is_updated(column: Column[Any]) -> bool:
    """Return whether each change that leaves *column* out sets it anew."""
    if column.onupdate is not None or column.server_onupdate is not None:
        return True
    # MySQL's way to say it is a part of the default.
    declared = getattr(column.server_default, "arg", "")
    return " on update " in str(declared).lower()


def _default(
    entity: type[object], column: Column[Any], name: str
) -> tuple[Any, Callable[[], object] | None, bool]:
    """Return the default, what makes it, and whether the store fills it in."""
    made: Any = column.default
    if made is not None and made.is_scalar:
        return made.arg, None, False
    if made is not None and made.is_callable:
        factory = context_free_default(made)
        return UNSET, factory, factory is None
    if made is not None or column.server_default is not None:
        return UNSET, None, True
    return (*_default_of_dataclass(entity, name, nullable=bool(column.nullable)), False)


def _default_of_dataclass(
    entity: type[object], name: str, *, nullable: bool
) -> tuple[Any, Callable[[], object] | None]:
    if dataclasses.is_dataclass(entity):
        for each in dataclasses.fields(entity):
            if each.name != name:
                continue
            if each.default_factory is not dataclasses.MISSING:
                return UNSET, each.default_factory
            if _is_value(each.default, nullable=nullable):
                return each.default, None
    return UNSET, None


def _is_value(default: object, *, nullable: bool) -> bool:
    """Return whether a dataclass default is a value to store, not SQLAlchemy's mark for "not given"."""
    if default is dataclasses.MISSING or type(default).__module__.startswith("sqlalchemy"):
        return False
    return default is not None or nullable
