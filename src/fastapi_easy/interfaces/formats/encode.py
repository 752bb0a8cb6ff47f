"""Rows → JSON bytes.

orjson writes what it knows; what it does not know, or not as pydantic would, is turned over to pydantic. The output is,
byte for byte, what pydantic would write for the read schema (`tests/unit/interfaces/http/test_encode.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json, to_jsonable_python

from fastapi_easy.domain import Include, Kind, Resource, Rows
from fastapi_easy.domain.changes.row import PartialRow
from fastapi_easy.domain.values.formats import SCALAR_FORMATS
from fastapi_easy.domain.values.numbers import decimal_text
from fastapi_easy.domain.values.texts import bytes_text
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.interfaces.formats.record_serializer import JsonObjects, RecordSerializer

_OPTIONS: Final = orjson.OPT_UTC_Z
_LINE_OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
Row: TypeAlias = Mapping[str, Any]
RowProjection: TypeAlias = Callable[[Row, Sequence[str] | None], Row]


class RowEncoder:
    """Writes the rows of one resource and what is included beside them. No field outside a read schema ever leaves.

    An `UnexpectedValue` is written as it is shown.

    Args:
        resource: Whose rows.

        known: The encoders made so far, by the name of their resource; those of related resources are added when they
            are first asked for.
    """

    def __init__(self, resource: Resource[Any], known: dict[str, "RowEncoder"]) -> None:
        model = resource.schemas.read
        self._project = _derived_projection(resource) if model is None else _model_projection(resource, model)
        self._serialize_records = None if model is not None else RecordSerializer(resource)
        self._known = known

    def row(self, row: Row, fields: Sequence[str] | None = None, includes: Sequence[Include] = ()) -> bytes:
        """Return *row* as a JSON object with *fields*, or all of the read schema, and a member for each include."""
        if includes:
            return dumps(self.row_serializer(fields, includes)(row))
        shown = self._project(row, fields)
        try:
            return orjson.dumps(shown, _encode_other, _OPTIONS)
        except orjson.JSONEncodeError:
            # As in `dumps`, which would be a call more for each entity that is read.
            return dumps_with_fallback(shown)

    def page(
        self,
        rows: Sequence[Row],
        fields: Sequence[str] | None,
        total: int | None,
        cursor: str | None,
        includes: Sequence[Include] = (),
        problems: Sequence[object] = (),
    ) -> bytes:
        """Return *rows* as a page, with *problems* beside them if there are any."""
        items = None if includes else self._serialize_raw(rows, fields)
        if items is not None:
            try:
                return _dumps_fast({"items": items, "total": total, "next_cursor": cursor})
            except orjson.JSONEncodeError:
                # Written again by the slower way below, which knows every value.
                pass
        shown = self.row_serializer(fields, includes)
        page = {"items": [shown(row) for row in rows], "total": total, "next_cursor": cursor}
        return dumps({**page, "problems": problems} if problems else page)

    def lines(self, rows: Sequence[Row], fields: Sequence[str] | None) -> bytes:
        """Return *rows* as JSON objects with *fields*, or all fields of the read schema, each on a line."""
        items = self._serialize_raw(rows, fields)
        if items is not None:
            try:
                return b"".join([orjson.dumps(item, _encode_other, _LINE_OPTIONS) for item in items])
            except orjson.JSONEncodeError:
                # As in `page`.
                pass
        shown = self.row_serializer(fields)
        return b"".join([dumps(shown(row)) + b"\n" for row in rows])

    def row_serializer(
        self, fields: Sequence[str] | None = None, includes: Sequence[Include] = ()
    ) -> Callable[[Row], Row]:
        """Build the function that cuts a row to what `dumps` may write of it."""
        project = self._project
        if not includes:
            return lambda row: project(row, fields)
        related = [
            (
                relation.name,
                relation.many,
                self._of(relation.target).row_serializer(query.fields, query.includes),
            )
            for include in includes
            for relation, query in ((include.relation, include.query),)
        ]

        def shown(row: Row) -> Row:
            whole = dict(project(row, fields))
            for name, many, each in related:
                there = row[name]
                if many:
                    whole[name] = [each(one) for one in there]
                else:
                    whole[name] = None if there is None else each(there)
            return whole

        return shown

    def _serialize_raw(self, rows: Sequence[Row], fields: Sequence[str] | None) -> JsonObjects | None:
        """Return what `dumps` may write of *rows*; `None` where the quick way does not apply."""
        if self._serialize_records is None or not isinstance(rows, Rows):
            return None
        try:
            return self._serialize_records(rows, fields)
        except (TypeError, ValueError):
            # An `UnexpectedValue`, which is not of the type that its writer is for.
            return None

    def _of(self, resource: Resource[Any]) -> "RowEncoder":
        if resource.name not in self._known:
            self._known[resource.name] = RowEncoder(resource, self._known)
        return self._known[resource.name]


def encoder_of(resource: Resource[Any]) -> RowEncoder:
    """Build the encoder for the answers of *resource*."""
    known: dict[str, RowEncoder] = {}
    known[resource.name] = encoder = RowEncoder(resource, known)
    return encoder


def _derived_projection(resource: Resource[Any]) -> RowProjection:
    """Build the projection of rows to the derived read schema."""
    readable, naming = resource.readable, resource.naming
    # orjson 3.13 loses the leading zero of 10,000 to 99,999 microseconds in times of day.
    times = frozenset(
        name for name in readable if Kind.TIME in {resource.fields[name].kind, resource.fields[name].item}
    )

    def project(row: Row, fields: Sequence[str] | None) -> Row:
        names = fields or readable
        # A row from `select` holds just these fields in this order; anything else is cut to size. What its caller
        # may not read is not there.
        return row if tuple(row) == names else {name: row[name] for name in names if name in row}

    def made(row: Row, fields: Sequence[str] | None) -> Row:
        return {
            naming.alias_of(name): (
                to_jsonable_python(row[name], fallback=_encode_other) if name in times else row[name]
            )
            for name in fields or readable
            if name in row
        }

    return made if times or naming.alias_by_name else project


def _model_projection(resource: Resource[Any], model: type[BaseModel]) -> RowProjection:
    """Build the projection of rows to the user's own read model."""
    keys = {name: key_in(model, name) for name in resource.readable}

    def project(row: Row, fields: Sequence[str] | None) -> Row:
        if fields is None and type(row) is PartialRow:
            fields = tuple(row)
        if fields is None:
            try:
                whole = model.model_validate({key: row[name] for name, key in keys.items() if name in row})
            except ValidationError:
                # What is stored is shown, also where the model would not have let it in.
                fields = tuple(name for name in keys if name in row)
            else:
                return whole.model_dump(mode="json", by_alias=True)
        # Half a row cannot be validated; what the model says of writing each field still holds.
        values = {name: value for name, value in row.items() if name in keys}
        half = model.model_construct(set(fields), **values)
        return half.model_dump(
            mode="json", include=set(fields), by_alias=True, warnings=False, fallback=_encode_other
        )

    return project


def key_in(model: type[BaseModel], name: str) -> str:
    """Return what an instance of *model* is made with for field *name*."""
    info = model.model_fields.get(name)
    alias = None if info is None else info.validation_alias
    return (
        alias if isinstance(alias, str) and model.model_config.get("validate_by_alias") is not False else name
    )


def dumps(document: object) -> bytes:
    """Return *document* as JSON."""
    try:
        return _dumps_fast(document)
    except orjson.JSONEncodeError:
        # Integers beyond 64 bits, times with an offset, names that are not text: rare, and pydantic knows them.
        return dumps_with_fallback(document)


def _dumps_fast(document: object) -> bytes:
    return orjson.dumps(document, default=_encode_other, option=_OPTIONS)


def dumps_with_fallback(document: object) -> bytes:
    """Return *document* as JSON, whatever it holds, a little slower."""
    return to_json(_convert_scalars(document), fallback=_encode_other)


# What orjson has no form for, by type.
_WRITERS: Final[Mapping[type, Callable[[Any], str]]] = {
    python_type: each.write_json
    for python_type, each in SCALAR_FORMATS.items()
    if each.write_json is not None
}
_WRITTEN_TYPES: Final = (*_WRITERS, UnexpectedValue)


def _encode_other(value: object) -> object:
    if type(value) is Decimal:
        # By far the most frequent.
        return decimal_text(value)
    write = _WRITERS.get(type(value))
    if write is not None:
        return write(value)
    if isinstance(value, UnexpectedValue):
        return value.shown
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if isinstance(value, bytearray | memoryview):
        return bytes_text(value)
    for python_type, each in _WRITERS.items():
        if isinstance(value, python_type):
            return each(value)
    raise TypeError


def _convert_scalars(value: object) -> object:
    """Return *value* with text for scalars that pydantic would spell in another way."""
    if isinstance(value, _WRITTEN_TYPES):
        return _encode_other(value)
    if isinstance(value, Mapping):
        return {name: _convert_scalars(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_convert_scalars(item) for item in value]
    return value
