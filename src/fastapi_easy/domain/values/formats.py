"""The table of what the interfaces and journals know of each kind of value."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi_easy.domain.field import PYTHON_TYPES, Kind
from fastapi_easy.domain.values import documents, numbers, texts, times
from fastapi_easy.domain.values.kind_format import JsonForm, KindFormat


def _format_of(kind: Kind) -> KindFormat[Any]:  # noqa: C901, PLR0911, PLR0912 (a line for each kind)
    # A match, and not a literal mapping: a type checker names a kind that is missing.
    match kind:
        case Kind.TEXT:
            return texts.TEXT
        case Kind.INTEGER:
            return numbers.INTEGER
        case Kind.DECIMAL:
            return numbers.DECIMAL
        case Kind.FLOAT:
            return numbers.FLOAT
        case Kind.BOOLEAN:
            return numbers.BOOLEAN
        case Kind.DATE:
            return times.DATE
        case Kind.TIME:
            return times.TIME
        case Kind.DATETIME:
            return times.DATETIME
        case Kind.DURATION:
            return times.DURATION
        case Kind.UUID:
            return texts.UUID
        case Kind.BINARY:
            return texts.BINARY
        case Kind.ENUM:
            return texts.ENUM
        case Kind.JSON:
            return documents.JSON
        case Kind.ARRAY:
            return documents.ARRAY


FORMATS: Final[Mapping[Kind, KindFormat[Any]]] = {kind: _format_of(kind) for kind in Kind}
"""How values of each kind are read, written and described."""

SCALAR_FORMATS: Final[Mapping[type, KindFormat[Any]]] = {
    PYTHON_TYPES[kind]: FORMATS[kind]
    for kind in sorted(PYTHON_TYPES, key=lambda kind: -len(PYTHON_TYPES[kind].__mro__))
    if FORMATS[kind].json_form is not JsonForm.DOCUMENT
}
"""The same by the Python type of the value, for those who do not know its field; subclasses before their superclasses,
since a datetime is a date, and a bool an int."""
