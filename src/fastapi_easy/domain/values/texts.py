"""Texts, members of enumerations, UUIDs and bytes, which are strings in JSON."""

import base64
import binascii
import enum
import json
import math
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeAlias

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.kind_format import (
    JsonForm,
    JsonScalar,
    JsonSchema,
    KindFormat,
    ParseError,
    checked_text,
    fixed_body_schema,
    fixed_schema,
    read_unchanged,
    string_body_reader,
    type_error,
    unchanged,
)

WITHOUT_NUL: Final = r"^[^\u0000]*$"
"""Regular expression of text that every store takes."""

Member: TypeAlias = Any
"""A member of the field's enumeration, or text where it has none."""

BytesLike: TypeAlias = bytes | bytearray | memoryview

_BASE64: Final = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", re.ASCII)
_UUID_LENGTH: Final = 36
_UUID_SCHEMA: Final[JsonSchema] = {"type": "string", "format": "uuid"}


def bytes_text(data: BytesLike) -> str:
    """Return *data* in base64, RFC 4648 section 4."""
    return base64.b64encode(data).decode("ascii")


def _read_text(_: Field, text: str) -> str:
    return text


def _read_uuid(_: Field, text: str) -> uuid.UUID:
    # `UUID` itself would also take braces, `urn:uuid:` and hyphens anywhere.
    if not _UUID.fullmatch(text):
        raise ParseError("Must be a UUID", "uuid_parsing")
    return uuid.UUID(text)


def _has_hyphens(text: str) -> bool:
    # In capitals as well, which RFC 9562 has readers take for the same.
    return len(text) == _UUID_LENGTH


def _read_member(field: Field, text: str) -> Member:
    return text if field.enumeration is None else _member_of(field.enumeration, text)


def _member_of(enumeration: type[enum.Enum], value: object) -> enum.Enum:
    for member in enumeration:
        if member.value == value or str(member.value) == value:
            return member
    allowed = ", ".join(str(member.value) for member in enumeration)
    raise ParseError(f"Must be one of {allowed}", "enum")


def _reject_bytes(field: Field, text: str) -> bytes:
    raise ParseError(f"A {field.kind} cannot be given as text", f"{field.kind}_type")


_read_checked: Final = checked_text(Kind.TEXT, _read_text)
_read_uuid_text: Final = checked_text(Kind.UUID, _read_uuid)
_read_member_text: Final = checked_text(Kind.ENUM, _read_member)
_reject_bytes_text: Final = checked_text(Kind.BINARY, _reject_bytes)


def _read_text_json(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise type_error(field)
    return _read_checked(field, value)


def _read_uuid_json(field: Field, value: object) -> uuid.UUID:
    if isinstance(value, str):
        return _read_uuid_text(field, value)
    if not isinstance(value, uuid.UUID):
        raise type_error(field)
    return value


def _read_member_json(field: Field, value: object) -> Member:
    enumeration = field.enumeration
    # First: a member may be a string or a number as well.
    if enumeration is not None and isinstance(value, enumeration):
        return value
    if isinstance(value, str):
        return _read_member_text(field, value)
    # `True` equals 1 in Python, and not in JSON.
    if enumeration is None or isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise type_error(field)
    return _member_of(enumeration, value)


def _read_bytes_json(field: Field, value: object) -> bytes:
    if not isinstance(value, str):
        raise type_error(field)
    return _reject_bytes_text(field, value)


def _member_body_reader(field: Field) -> Callable[[object], object] | None:
    enumeration = field.enumeration
    if enumeration is None:
        return None
    # By type and value, since True == 1 == 1.0 in Python and not in JSON.
    members = {(type(each.value), each.value): each for each in enumeration}
    allowed = ", ".join(json.dumps(each.value, default=str) for each in enumeration)
    unknown = ParseError(f"Must be one of {allowed}", "enum")

    def read(value: object) -> enum.Enum:
        try:
            return members[type(value), value]
        except (KeyError, TypeError):
            if isinstance(value, enumeration):
                return value
            raise unknown from None

    return read


def _read_bytes_body(value: object) -> bytes:
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ParseError("Must be base64", "base64") from None
    if isinstance(value, BytesLike):
        return bytes(value)
    raise ParseError("Must be a string in base64", "string_type")


def _write_member(member: Member) -> JsonScalar:
    value: JsonScalar = member.value if isinstance(member, enum.Enum) else member
    return value


def _read_member_journal(field: Field, value: Any) -> Member:
    return value if field.enumeration is None else field.enumeration(value)


def _member_query_schema(field: Field) -> JsonSchema:
    return _members_schema(field.enumeration) if field.enumeration else {"type": "string"}


def _member_body_schema(field: Field, inner: JsonSchema) -> JsonSchema:
    return inner if field.enumeration is None else _members_schema(field.enumeration)


def _members_schema(enumeration: type[enum.Enum]) -> JsonSchema:
    values = [each.value for each in enumeration]
    # Generators of clients make no enumeration of values without a type.
    of_text: JsonSchema = {"type": "string"} if all(isinstance(each, str) for each in values) else {}
    return {**of_text, "enum": values}


def _bytes_body_schema(field: Field, _: JsonSchema) -> JsonSchema:
    schema: JsonSchema = {"type": "string", "contentEncoding": "base64", "pattern": _BASE64}
    # Base64 spells three bytes, or what is left of them, in four characters.
    if field.max_length is not None:
        schema["maxLength"] = 4 * math.ceil(field.max_length / 3)
    if field.min_length:
        schema["minLength"] = 4 * math.ceil(field.min_length / 3)
    return schema


TEXT: Final[KindFormat[str]] = KindFormat(
    json_form=JsonForm.STRING,
    read_text=_read_checked,
    read_json=_read_text_json,
    write_key=str,
    write_journal=unchanged,
    read_journal=read_unchanged,
    query_schema=fixed_schema({"type": "string", "pattern": WITHOUT_NUL}),
)

UUID: Final[KindFormat[uuid.UUID]] = KindFormat(
    json_form=JsonForm.STRING,
    read_text=_read_uuid_text,
    read_json=_read_uuid_json,
    body_reader=string_body_reader(_read_uuid_text, uuid.UUID, unchanged),
    write_key=str,
    is_key_spelling=_has_hyphens,
    write_journal=str,
    read_journal=lambda _, text: uuid.UUID(str(text)),
    query_schema=fixed_schema(_UUID_SCHEMA),
    body_schema=fixed_body_schema(_UUID_SCHEMA),
)

ENUM: Final[KindFormat[Member]] = KindFormat(
    json_form=JsonForm.STRING,
    read_text=_read_member_text,
    read_json=_read_member_json,
    body_reader=_member_body_reader,
    write_key=_write_member,
    write_journal=_write_member,
    read_journal=_read_member_journal,
    query_schema=_member_query_schema,
    body_schema=_member_body_schema,
)

# No text of a query means bytes: they are neither compared nor keys, and base64 is read from bodies alone.
BINARY: Final[KindFormat[bytes]] = KindFormat(
    json_form=JsonForm.STRING,
    read_text=_reject_bytes_text,
    read_json=_read_bytes_json,
    body_reader=lambda _: _read_bytes_body,
    write_json=bytes_text,
    write_key=str,
    write_journal=bytes_text,
    read_journal=lambda _, text: base64.b64decode(text, validate=True),
    query_schema=fixed_schema({"type": "string"}),
    body_schema=_bytes_body_schema,
)
