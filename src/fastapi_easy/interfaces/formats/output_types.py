"""The type of each field in an answer."""

from typing import Annotated, Any

from pydantic import PlainSerializer

from fastapi_easy.domain import Field, Kind
from fastapi_easy.domain.values.formats import FORMATS


def output_type(field: Field) -> Any:
    """Return the type of *field* in an answer: an annotation of which pydantic makes a serializer and JSON Schema."""
    annotation: Any = Any if field.kind is Kind.JSON else field.python_type
    write = FORMATS[field.kind].write_json
    if field.kind is Kind.ARRAY:
        item = Field(name=field.name, kind=field.item or Kind.TEXT)
        annotation = list[output_type(item)]  # type: ignore[misc]
    elif write is not None:
        annotation = Annotated[annotation, PlainSerializer(write, return_type=str)]
    if field.document is not None:
        annotation = Annotated[annotation, field.document]
        return annotation | None if field.nullable else annotation
    return annotation | None if field.nullable and field.kind is not Kind.JSON else annotation
