"""How each kind of field is read: a value of its own Python type as it is, anything else as JSON would be."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import annotated_types
import pydantic
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.addressable_keys import (
    KEY_CODE,
    KEY_MESSAGE,
    NOT_ADDRESSABLE,
    is_addressable,
)
from fastapi_easy.domain.values.formats import FORMATS
from fastapi_easy.domain.values.kind_format import JsonSchema, ParseError
from fastapi_easy.domain.values.limits import integer_limits
from fastapi_easy.infrastructure.entities.documents import InstancesAsJson


@dataclass(frozen=True, slots=True)
class ParsedBy:
    """Annotation metadata: makes the value of a field, before pydantic's own rules see it.

    Attributes:
        read: Makes the value; raises `ParseError`.

        json_schema: Makes the JSON Schema of what it reads from that of the value.
    """

    read: Callable[[object], object]
    json_schema: Callable[[JsonSchema], JsonSchema]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Run *read* in front of everything else that is said of the field."""
        return core_schema.no_info_before_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        """Describe what callers may send."""
        return self.json_schema(handler(schema))

    def _checked(self, value: object) -> object:
        try:
            return self.read(value)
        except ParseError as error:
            raise _as_pydantic_error(error) from None


@dataclass(frozen=True, slots=True)
class CheckedBy:
    """Annotation metadata: refuses a value that the store does not take, after pydantic's own rules.

    Attributes:
        check: Raises `ParseError`.
    """

    check: Callable[[Any], None]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Run *check* behind everything else that is said of the field."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def _checked(self, value: object) -> object:
        try:
            self.check(value)
        except ParseError as error:
            raise _as_pydantic_error(error) from None
        return value


def _as_pydantic_error(error: ParseError) -> PydanticCustomError:
    # Braces would be taken for placeholders.
    return PydanticCustomError(error.code, str(error).replace("{", "(").replace("}", ")"))


class AddressableKey:
    """Annotation metadata: the value is a key that a path can name."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the value after everything else that is said of the field."""
        return core_schema.no_info_after_validator_function(_addressable, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        """Describe what callers may send."""
        return {**handler(schema), "not": {"enum": list(NOT_ADDRESSABLE)}}


def _addressable(value: object) -> object:
    if not is_addressable(value):
        raise PydanticCustomError(KEY_CODE, KEY_MESSAGE)
    return value


def input_type(field: Field) -> Any:
    """Return what callers may give for *field*, as an annotation for pydantic's validator and JSON Schema."""
    python_type: Any = Any if field.kind is Kind.JSON else field.python_type
    rules: list[Any] = [*_bounds(field), *_documents(field), *field.rules]
    if field.check is not None:
        rules.append(CheckedBy(field.check))
    if field.kind is Kind.ARRAY:
        python_type = list[input_type(_item(field))]  # type: ignore[misc]
    elif (parser := _parser_for(field)) is not None:
        # The last one in the list is asked first.
        rules.append(parser)
        if field.document is not None:
            rules.append(InstancesAsJson())
    annotation = Annotated[(python_type, *rules)] if rules else python_type
    if field.nullable and field.kind is not Kind.JSON:
        annotation = annotation | None
    elif field.kind is Kind.JSON and not field.nullable:
        annotation = Annotated[annotation, pydantic.AfterValidator(_not_null)]
    return annotation


def _documents(field: Field) -> tuple[Any, ...]:
    return () if field.document is None else (field.document,)


def _item(field: Field) -> Field:
    return Field(name=field.name, kind=field.item or Kind.TEXT, rules=field.item_rules)


def _bounds(field: Field) -> list[Any]:
    rules: list[Any] = []
    if field.kind in {Kind.TEXT, Kind.BINARY, Kind.ARRAY}:
        if field.min_length is not None:
            rules.append(annotated_types.MinLen(field.min_length))
        if field.max_length is not None:
            rules.append(annotated_types.MaxLen(field.max_length))
    elif field.kind is Kind.INTEGER:
        low, high = integer_limits(field)
        rules += [annotated_types.Ge(low), annotated_types.Le(high)]
    elif field.kind is Kind.DECIMAL and field.precision is not None:
        rules.append(pydantic.Field(max_digits=field.precision, decimal_places=field.scale))
    return rules


def _not_null(value: object) -> object:
    if value is None:
        raise PydanticCustomError("null", "Must not be null")
    return value


def _parser_for(field: Field) -> ParsedBy | None:
    format_ = FORMATS[field.kind]
    read = format_.body_reader(field)
    return None if read is None else ParsedBy(read, partial(format_.body_schema, field))
