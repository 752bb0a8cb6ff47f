"""Cells of CSV ↔ what the same values are in JSON, field by field."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from fastapi_easy.application.queries.allowed_comparisons import closest_match
from fastapi_easy.domain import (
    UNSET,
    Failure,
    Fault,
    Field,
    Invalid,
    Json,
    Kind,
    Outcome,
    Resource,
    Success,
    Values,
)
from fastapi_easy.domain.values.formats import FORMATS
from fastapi_easy.domain.values.kind_format import JsonForm, ParseError
from fastapi_easy.domain.values.limits import MAX_FAULTS
from fastapi_easy.interfaces.formats.csv_text import Cell, write_record
from fastapi_easy.interfaces.formats.encode import key_in
from fastapi_easy.interfaces.formats.strict_json import JsonValue, Malformed, read_json

_MAY_BE_EMPTY: Final = frozenset({Kind.TEXT, Kind.BINARY})


class _Number:
    """A number as JSON spells it: no float would hold 1e400, nor every whole number of twenty digits."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def record_writer(columns: Mapping[str, Field | None]) -> Callable[[bytes], str]:
    """Build a writer of records with the members *columns* of an answer, a JSON object."""
    as_json = {
        name: field is not None and FORMATS[field.kind].json_form is JsonForm.DOCUMENT
        for name, field in columns.items()
    }

    def write(answer: bytes) -> str:
        row = json.loads(answer, parse_float=_Number, parse_int=_Number)
        # What the caller may not read is not in the answer.
        return write_record(_cell(row.get(name), as_json=each) for name, each in as_json.items())

    return write


def _cell(value: object, *, as_json: bool) -> Cell:
    if value is None:
        return None
    if isinstance(value, str) and not as_json:
        return value
    return orjson.dumps(value, _spell).decode()


def _spell(number: _Number) -> orjson.Fragment:
    return orjson.Fragment(number.text)


def record_columns(resource: Resource[Any], *, takes_stored: bool = False) -> Mapping[str, Field | None]:
    """Return the names that the first record of an import may hold, with their fields; `None` if no store keeps it.

    With *takes_stored* they are also those that an export shows and `create` does not take.
    """
    schema, fields = resource.schemas.create, resource.fields
    if schema is None:
        columns: dict[str, Field | None] = {
            resource.naming.alias_of(each): fields[each] for each in resource.writable
        }
        names = resource.writable
    else:
        columns = {key_in(schema, each): fields.get(each) for each in schema.model_fields}
        names = tuple(schema.model_fields)
    named = columns | {each: fields[each] for each in names if each in fields and fields[each].by_name}
    return {**_stored_columns(resource), **named} if takes_stored else named


def _stored_columns(resource: Resource[Any]) -> Mapping[str, Field | None]:
    """Return the columns of what is restored, and of what answers compute, which an import leaves out."""
    fields, shown = resource.fields, resource.schemas.read
    columns: dict[str, Field | None] = {}
    for name in resource.readable:
        field = fields[name]
        if name in resource.restorable or field.computed:
            words = (field.alias or name, *((name,) if field.by_name else ()))
            columns |= dict.fromkeys(words, None if field.computed else field)
    answers = {} if shown is None else shown.model_computed_fields
    return columns | {info.alias or name: None for name, info in answers.items()}


class RecordReader:
    """Reads the records of a file whose first one was *header*.

    Args:
        header: The names of the fields.

        columns: What may be named.
    """

    def __init__(self, header: Sequence[Cell], columns: Mapping[str, Field | None]) -> None:
        self._columns = [(name, columns[name]) for name in header if name is not None]

    def __call__(self, cells: Sequence[Cell]) -> Outcome[Values]:
        """Return the body of create that one record stands for.

        Fails with:
            Invalid: It has another number of cells, or one of them cannot be read.
        """
        if len(cells) != len(self._columns):
            message = f"Must have {len(self._columns)} cells, as many as the first line"
            return Failure(Invalid((Fault("", message, "csv_cells"),)))
        document: dict[str, object] = {}
        faults: list[Fault] = []
        for (name, field), cell in zip(self._columns, cells, strict=True):
            try:
                value = cell if field is None else _value(field, cell)
            except ParseError as error:
                faults.append(Fault(f"/{name}", str(error), error.code))
            else:
                if value is not UNSET:
                    document[name] = value
        if faults:
            return Failure(Invalid(tuple(faults[:MAX_FAULTS])))
        return Success(Json(document))


def find_header_faults(header: Sequence[Cell], columns: Mapping[str, Field | None]) -> tuple[Fault, ...]:
    """Return what is wrong with the first record of an import, which must name fields, each once."""
    if len(header) == 1 and (delimiter := _find_delimiter(header[0] or "", columns)) is not None:
        return (Fault("", f"Cells must be separated by commas, not by {delimiter!r}", "csv_header"),)
    faults = []
    seen: set[Cell] = set()
    for cell in header[: len(columns) + MAX_FAULTS]:
        if cell not in columns or cell is None:
            near = closest_match(cell or "", columns)
            hint = f"; did you mean {near!r}?" if near else ""
            faults.append(
                Fault(_pointer(cell), f"Is not a field that can be written{hint}", "extra_forbidden")
            )
        elif cell in seen:
            faults.append(Fault(_pointer(cell), "Given more than once", "duplicate_name"))
        seen.add(cell)
    return tuple(faults[:MAX_FAULTS])


def _find_delimiter(line: str, columns: Mapping[str, Field | None]) -> str | None:
    """Return what separates the names in *line* in place of commas, as spreadsheets write where 9.5 is "9,5"."""
    for each in ";\t|":
        names = line.split(each)
        if len(names) > 1 and not columns.keys().isdisjoint(names):
            return each
    return None


def _pointer(name: Cell) -> str:
    return "/" + (name or "")[:64].replace("~", "~0").replace("/", "~1")


def _value(field: Field, cell: Cell) -> object:
    """Return *cell* as it would be in a JSON body; `UNSET` when the field would be left out."""
    if cell is None or (not cell and not _may_be_empty(field)):
        if field.nullable:
            return None
        return "" if field.required and field.kind is Kind.TEXT else UNSET
    format_ = FORMATS[field.kind]
    if format_.json_form is JsonForm.DOCUMENT:
        return _json(cell)
    if field.kind is Kind.ENUM and field.enumeration is not None:
        # Read here, since members may be numbers, and there is no telling from the cell.
        return format_.read_text(field, cell).value
    if format_.json_form is JsonForm.LITERAL or field.kind is Kind.TEXT:
        return format_.read_text(field, cell)
    # A string in JSON, too: read by whoever reads bodies.
    return cell


def _may_be_empty(field: Field) -> bool:
    """Return whether `""` is a value of *field*; else it is null, as it is written where it is the only cell."""
    if field.kind is Kind.ENUM and field.enumeration is not None:
        return any(member.value == "" for member in field.enumeration)
    return field.kind in _MAY_BE_EMPTY


def _json(text: str) -> JsonValue:
    value = read_json(text.encode())
    if isinstance(value, Malformed | Invalid):
        raise ParseError("Must be JSON", "json_invalid")
    return value
