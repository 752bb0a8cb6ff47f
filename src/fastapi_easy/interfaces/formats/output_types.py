"""How each kind of field is written to an answer."""

import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import PlainSerializer

from fastapi_easy.domain import Field, Kind
from fastapi_easy.interfaces.formats.scalar_text import bytes_text, decimal_text, duration_text


def output_type(field: Field) -> Any:
    """The type of *field* in an answer: an annotation from which pydantic builds serializer and JSON Schema."""
    annotation: Any = Any if field.kind is Kind.JSON else field.python_type
    if field.kind is Kind.ARRAY:
        item = Field(name=field.name, kind=field.item or Kind.TEXT)
        annotation = list[output_type(item)]  # type: ignore[misc]
    elif field.kind is Kind.DECIMAL:
        annotation = Annotated[Decimal, PlainSerializer(decimal_text, return_type=str)]
    elif field.kind is Kind.BINARY:
        annotation = Annotated[bytes, PlainSerializer(bytes_text, return_type=str)]
    elif field.kind is Kind.DURATION:
        annotation = Annotated[datetime.timedelta, PlainSerializer(duration_text, return_type=str)]
    return annotation | None if field.nullable and field.kind is not Kind.JSON else annotation
