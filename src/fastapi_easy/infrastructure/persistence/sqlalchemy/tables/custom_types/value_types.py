"""Python types → the kinds of their values, for columns whose type is the user's own."""

import datetime
import decimal
import enum
import types
import typing
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.values.naive_times import in_utc
from fastapi_easy.domain.values.plain_json import to_plain_json
from fastapi_easy.infrastructure.entities.annotations import readable

_SCALARS: Final[tuple[tuple[type, Kind], ...]] = (
    (bool, Kind.BOOLEAN),
    (int, Kind.INTEGER),
    (str, Kind.TEXT),
    (float, Kind.FLOAT),
    (decimal.Decimal, Kind.DECIMAL),
    (datetime.datetime, Kind.DATETIME),
    (datetime.date, Kind.DATE),
    (datetime.time, Kind.TIME),
    (datetime.timedelta, Kind.DURATION),
    (uuid.UUID, Kind.UUID),
    (bytes, Kind.BINARY),
)
"""Subclasses before their superclasses."""

_JSON_TYPES: Final[Mapping[str, Kind]] = {
    "string": Kind.TEXT,
    "integer": Kind.INTEGER,
    "number": Kind.FLOAT,
    "boolean": Kind.BOOLEAN,
}


@dataclass(frozen=True, slots=True, eq=False)
class ValueType:
    """What the objects are that a column type of the user's gives, and what stands for them in a row.

    Attributes:
        kind: The kind of the values in a row.

        classes: The Python types of those values.

        name: The Python type of the objects, for sentences.

        enumeration: The members, for kind ENUM.

        to_value: Makes the value of a row from an object; `None` where the object is that value.

        to_object: Makes the object from a value of a row.
    """

    kind: Kind
    classes: tuple[type, ...]
    name: str
    enumeration: type[enum.Enum] | None = None
    to_value: Callable[[Any], Any] | None = None
    to_object: Callable[[Any], Any] | None = None

    def holds(self, value: object) -> bool:
        """Return whether *value*, which was read, may be a value of a row."""
        if self.kind is Kind.JSON:
            # Whatever JSON can say: others may have stored an array where an object is expected.
            return True
        # In Python, and nowhere else, a bool is an int and a time is a date.
        is_other = type(value) in {bool, datetime.datetime} and type(value) not in self.classes
        return isinstance(value, self.classes) and not is_other


def scalar_type(python_type: type) -> ValueType | None:
    """Return the values of *python_type*, if they are of a kind by themselves; else `None`."""
    if issubclass(python_type, enum.Enum) and not issubclass(python_type, enum.Flag):
        return ValueType(Kind.ENUM, (python_type,), python_type.__name__, enumeration=python_type)
    for base, kind in _SCALARS:
        if python_type is base:
            return ValueType(kind, (base,), base.__name__, to_value=_NORMALIZERS.get(kind))
        # A date is not made of a date, as a text is of a text.
        if issubclass(python_type, base) and not issubclass(python_type, datetime.date):
            make: Callable[[Any], Any] = python_type
            return ValueType(kind, (base,), python_type.__name__, to_value=base, to_object=make)
    return None


def json_type(name: str, classes: tuple[type, ...] = (dict, list)) -> ValueType:
    """Return the values of JSON documents, which are objects, arrays or both."""
    return ValueType(Kind.JSON, classes, name, to_value=to_plain_json)


def value_type_of(annotation: object) -> ValueType | None:
    """Return the values of what *annotation* means; `None` when neither we nor pydantic know any."""
    inner = annotation
    while (
        supertype := getattr(inner, "__supertype__", None) or getattr(inner, "__value__", None)
    ) is not None:
        inner = supertype
    if typing.get_origin(inner) is typing.Annotated and not _speaks_to_pydantic(inner):
        return value_type_of(typing.get_args(inner)[0])
    if isinstance(inner, type) and not isinstance(inner, types.GenericAlias):
        if inner is dict or inner is list:
            return json_type(inner.__name__, (inner,))
        if (scalar := scalar_type(inner)) is not None:
            return scalar
    return None if inner is Any or inner is object else _read_by_pydantic(inner)


def _read_by_pydantic(annotation: Any) -> ValueType | None:
    """Return the values in JSON of a type that pydantic reads and writes: a model, a dataclass, a path, a set."""
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(readable(annotation))
        schema = adapter.json_schema(mode="serialization")
    except (PydanticUserError, TypeError, NameError):
        return None
    kinds = {_JSON_TYPES.get(str(each.get("type")), Kind.JSON) for each in schema.get("anyOf", (schema,))}
    kind = kinds.pop() if len(kinds) == 1 else Kind.JSON
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    name = getattr(annotation, "__name__", str(annotation))
    classes = next(((base,) for base, each in _SCALARS if each is kind), (dict, list))

    def write(given: Any) -> Any:
        # Pydantic only warns of an object of another type.
        return adapter.dump_python(given, mode="json", by_alias=True, round_trip=True, warnings="error")

    return ValueType(kind, classes, name, to_value=write, to_object=adapter.validate_python)


def _speaks_to_pydantic(annotation: object) -> bool:
    """Return whether the metadata of *annotation* says to pydantic how to read or write its values."""
    return any(hasattr(each, "__get_pydantic_core_schema__") for each in typing.get_args(annotation)[1:])


def _own_uuid(given: uuid.UUID) -> uuid.UUID:
    """Return *given* as Python's own class; a driver may have one of its own."""
    return given if type(given) is uuid.UUID else uuid.UUID(int=given.int)


def _as_float(given: float) -> float:
    """Return *given*, a whole number perhaps, as a float."""
    return float(given) if type(given) is int else given


_NORMALIZERS: Final[Mapping[Kind, Callable[[Any], Any]]] = {
    Kind.DATETIME: in_utc,
    Kind.UUID: _own_uuid,
    Kind.FLOAT: _as_float,
}
