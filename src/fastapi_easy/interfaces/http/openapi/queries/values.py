"""The values of comparisons and keys as JSON Schema: short, because a document has thousands of them."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi_easy.application.queries.allowed_comparisons import Parameter
from fastapi_easy.domain import Field, Kind, Operator, Resource
from fastapi_easy.domain.values.formats import FORMATS
from fastapi_easy.domain.values.limits import INTEGER_LIMITS
from fastapi_easy.interfaces.http.openapi.documents import Document

INT64: Final[Document] = {"type": "integer", "format": "int64"}
"""A whole number of 64 bits: generators of clients know the format, and it is shorter than its bounds."""

_TEXT: Final[Document] = {"type": "string"}
_BOOLEAN: Final[Document] = {"type": "boolean"}

_DECIMAL_NAME: Final = "ComparedDecimal"
_DECIMAL: Final[Document] = {"$ref": f"#/components/schemas/{_DECIMAL_NAME}"}
_LOW, _HIGH = INTEGER_LIMITS


def value_schemas() -> dict[str, Document]:
    """Return the schemas that a `where` with decimals refers to, by name."""
    text = FORMATS[Kind.DECIMAL].query_schema(Field(name="", kind=Kind.DECIMAL))
    return {_DECIMAL_NAME: {"anyOf": [text, {"type": "integer"}]}}


def text_schema(field: Field) -> Document:
    """Return the JSON Schema of a value of *field* in a path or a query string."""
    schema = FORMATS[field.kind].query_schema(field)
    if field.kind is Kind.INTEGER:
        return INT64 if (schema["minimum"], schema["maximum"]) == (_LOW, _HIGH) else schema
    return {name: each for name, each in schema.items() if name != "examples"}


def key_schema(resource: Resource[Any]) -> Document:
    """Return the JSON Schema of a key as one segment of a path."""
    fields = [resource.fields[name] for name in resource.key]
    if len(fields) > 1:
        parts = (_PARTS.get(field.kind, r"[^,~/\u0000]+") for field in fields)
        return {"type": "string", "pattern": f"^{','.join(parts)}$"}
    schema = text_schema(fields[0])
    return {**schema, "minLength": 1} if fields[0].kind is Kind.TEXT else schema


class ComparedValues:
    """The values that the fields of one resource are compared with; made once for all operators of a field.

    Attributes:
        has_decimals: A schema that was asked for refers to those of `value_schemas`.
    """

    def __init__(self) -> None:
        self.has_decimals = False
        self._in_texts: dict[str, Document] = {}
        self._in_documents: dict[tuple[str, bool, Operator | None], Document] = {}

    def in_text(self, parameter: Parameter) -> Document:
        """Return the schema of what *parameter* compares with in a query string."""
        value = self._one(parameter)
        if not parameter.takes_list:
            return value
        return {"type": "array", "items": value, **({"maxItems": 2} if _is_range(parameter) else {})}

    def in_document(self, parameter: Parameter) -> Document:
        """Return the schema of what *parameter* compares with in JSON; the same object for each operator alike."""
        is_null = parameter.operator is Operator.IS_NULL
        form = parameter.operator if parameter.takes_list and _is_range(parameter) else None
        if form is None and parameter.takes_list:
            form = Operator.IN
        known = self._in_documents.get((parameter.field.name, is_null, form))
        if known is None:
            is_decimal = parameter.value.kind is Kind.DECIMAL
            self.has_decimals |= is_decimal
            value = _DECIMAL if is_decimal else self._one(parameter)
            if form is not None:
                bounds: Document = {"minItems": 2, "maxItems": 2} if _is_range(parameter) else {}
                value = {"type": "array", "items": value, **bounds}
            known = self._in_documents[parameter.field.name, is_null, form] = value
        return known

    def _one(self, parameter: Parameter) -> Document:
        field = parameter.value
        if parameter.operator is Operator.IS_NULL:
            return _BOOLEAN
        if field.kind is Kind.TEXT:
            return _TEXT
        known = self._in_texts.get(field.name)
        if known is None:
            known = self._in_texts[field.name] = text_schema(field)
        return known


def _is_range(parameter: Parameter) -> bool:
    return parameter.operator is Operator.BETWEEN


_PARTS: Final[Mapping[Kind, str]] = {
    Kind.INTEGER: "(?:0|-?[1-9][0-9]{0,8})",
    Kind.UUID: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    Kind.DATE: "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])",
}
"""The pattern of each part of a composite key: narrower than what is read, so that generated examples are valid."""
