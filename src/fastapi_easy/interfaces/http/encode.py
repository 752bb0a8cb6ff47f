"""Rows → JSON bytes.

orjson writes what it knows; what it does not know, or not as pydantic would, is turned over to pydantic. The output is,
byte for byte, what pydantic would write for the read schema (`tests/unit/interfaces/http/test_encode.py`).
"""

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Protocol

import orjson
from pydantic import BaseModel
from pydantic_core import to_json, to_jsonable_python

from fastapi_easy.domain import Kind, Resource
from fastapi_easy.interfaces.http.kind_texts import bytes_text, decimal_text, duration_text

_OPTIONS: Final = orjson.OPT_UTC_Z
Row = Mapping[str, Any]


class RowEncoder(Protocol):
    """Writes the rows of one resource. No field outside the read schema ever leaves."""

    def row(self, row: Row, fields: Sequence[str] | None = None) -> bytes:
        """*row* as a JSON object with *fields*, or all fields of the read schema."""
        ...

    def page(
        self, rows: Sequence[Row], fields: Sequence[str] | None, total: int | None, cursor: str | None
    ) -> bytes:
        """*rows* as a page."""
        ...


class DerivedEncoder:
    """Writes rows as the derived read schema shows them."""

    def __init__(self, resource: Resource[Any]) -> None:
        self._readable = resource.readable
        # orjson 3.13 loses the leading zero of 10,000 to 99,999 microseconds in times of day.
        self._times = frozenset(
            name
            for name in resource.readable
            if Kind.TIME in {resource.fields[name].kind, resource.fields[name].item}
        )

    def row(self, row: Row, fields: Sequence[str] | None = None) -> bytes:
        """*row* as a JSON object with *fields*, or all readable ones."""
        return dumps(self._shown(row, fields or self._readable))

    def page(
        self, rows: Sequence[Row], fields: Sequence[str] | None, total: int | None, cursor: str | None
    ) -> bytes:
        """*rows* as a page."""
        names = fields or self._readable
        items = [self._shown(row, names) for row in rows]
        return dumps({"items": items, "total": total, "next_cursor": cursor})

    def _shown(self, row: Row, names: Sequence[str]) -> Row:
        if self._times:
            times = self._times
            return {name: to_jsonable_python(row[name]) if name in times else row[name] for name in names}
        # A row from `select` holds just these fields in this order; anything else is cut to size.
        return row if tuple(row) == names else {name: row[name] for name in names}


class ModelEncoder:
    """Writes rows as the user's own read model shows them."""

    def __init__(self, resource: Resource[Any], model: type[BaseModel]) -> None:
        self._readable = frozenset(resource.readable)
        self._model = model

    def row(self, row: Row, fields: Sequence[str] | None = None) -> bytes:
        """*row* as a JSON object with *fields*, or all fields of the model."""
        return dumps(self._shown(row, fields))

    def page(
        self, rows: Sequence[Row], fields: Sequence[str] | None, total: int | None, cursor: str | None
    ) -> bytes:
        """*rows* as a page."""
        items = [self._shown(row, fields) for row in rows]
        return dumps({"items": items, "total": total, "next_cursor": cursor})

    def _shown(self, row: Row, fields: Sequence[str] | None) -> dict[str, Any]:
        model = self._model
        values = {name: value for name, value in row.items() if name in self._readable}
        if fields is None:
            return model.model_validate(values).model_dump(mode="json")
        # Half a row cannot be validated; what the model says of writing each field still holds.
        return model.model_construct(set(fields), **values).model_dump(mode="json", include=set(fields))


def encoder_of(resource: Resource[Any]) -> RowEncoder:
    """The encoder for the answers of *resource*."""
    model = resource.schemas.read
    return DerivedEncoder(resource) if model is None else ModelEncoder(resource, model)


def dumps(document: Any) -> bytes:
    """*document* as JSON."""
    try:
        return orjson.dumps(document, default=_other, option=_OPTIONS)
    except orjson.JSONEncodeError:
        # Integers beyond 64 bits, times with an offset, names that are not text: rare, and pydantic knows them.
        return dumps_anything(document)


def dumps_anything(document: Any) -> bytes:
    """*document* as JSON, whatever it holds, a little slower."""
    return to_json(_exact(document), fallback=_other)


def _other(value: Any) -> Any:
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes_text(bytes(value))
    if isinstance(value, datetime.timedelta):
        return duration_text(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, bytes | datetime.timedelta):
        return _other(value)
    if isinstance(value, Mapping):
        return {name: _exact(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(item) for item in value]
    return value
