"""JSON documents and arrays, which are neither compared nor keys."""

from decimal import Decimal
from typing import Any, Final, NoReturn

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.kind_format import (
    JsonForm,
    JsonSchema,
    KindFormat,
    ParseError,
    checked_text,
    fixed_schema,
    read_unchanged,
    type_error,
    unchanged,
)
from fastapi_easy.domain.values.limits import JSON_INTEGER_LIMITS

_ALREADY_PLAIN: Final = frozenset({str, bool, float, type(None)})


def _reject_text(field: Field, text: str) -> NoReturn:
    raise ParseError(f"A {field.kind} cannot be given as text", f"{field.kind}_type")


_reject_array_text: Final = checked_text(Kind.ARRAY, _reject_text)


def _read_anything(_: Field, value: object) -> object:
    return value


def _reject_array_json(field: Field, value: object) -> object:
    if isinstance(value, str):
        return _reject_array_text(field, value)
    raise type_error(field)


def _read_document(value: Any) -> Any:
    """Return *value* with ordinary floats in place of exact numbers, as every store knows them; changed in place."""
    # Compared by exact type, the quickest there is: a reader of JSON and `to_document` make no subclasses.
    kind = type(value)
    if kind is dict:
        for name, member in value.items():
            if type(member) is not str:
                value[name] = _read_document(member)
    elif kind is list:
        for place, item in enumerate(value):
            if type(item) is not str:
                value[place] = _read_document(item)
    elif kind is int:
        low, high = JSON_INTEGER_LIMITS
        if not low <= value <= high:
            raise ParseError("Holds an integer of more than 64 bits", "int_range")
    elif kind not in _ALREADY_PLAIN:
        return _to_float(value)
    return value


def _to_float(value: object) -> float:
    if not isinstance(value, Decimal):
        raise ParseError("Holds a value that JSON cannot represent", "json_type")
    return float(value)


def _schema_of_document(field: Field, inner: JsonSchema) -> JsonSchema:
    return {} if field.document is None else inner


JSON: Final[KindFormat[object]] = KindFormat(
    json_form=JsonForm.DOCUMENT,
    read_text=checked_text(Kind.JSON, _reject_text),
    read_json=_read_anything,
    body_reader=lambda _: _read_document,
    write_key=str,
    write_journal=unchanged,
    read_journal=read_unchanged,
    query_schema=fixed_schema({}),
    body_schema=_schema_of_document,
)

ARRAY: Final[KindFormat[object]] = KindFormat(
    json_form=JsonForm.DOCUMENT,
    read_text=_reject_array_text,
    read_json=_reject_array_json,
    write_key=str,
    write_journal=unchanged,
    read_journal=read_unchanged,
    query_schema=fixed_schema({"type": "array"}),
)
