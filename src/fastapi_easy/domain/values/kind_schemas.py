"""JSON Schemas of the kinds of fields, no narrower and no wider than what is accepted."""

import math
from collections.abc import Mapping
from typing import Any, Final

from fastapi_easy.domain.field import Field, Kind

WITHOUT_NUL: Final = r"^[^\u0000]*$"
BASE64: Final = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
DURATION: Final = (
    r"^-?P(?=.*[0-9][DHMS])(?:[0-9]{1,8}D)?"
    r"(?:T(?=[0-9])(?:[0-9]{1,8}H)?(?:[0-9]{1,8}M)?(?:[0-9]{1,8}(?:\.[0-9]{1,6})?S)?)?$"
)


TEXT_DOCUMENTS: Final[Mapping[Kind, Mapping[str, Any]]] = {
    Kind.DATE: {"type": "string", "format": "date", "examples": ["2026-11-23"]},
    Kind.TIME: {
        "type": "string",
        "pattern": r"^(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?$",
        "examples": ["08:30:00"],
    },
    Kind.DATETIME: {"type": "string", "format": "date-time", "examples": ["2026-11-23T08:30:00Z"]},
    Kind.DURATION: {"type": "string", "pattern": DURATION, "examples": ["P1DT2H"]},
    Kind.UUID: {"type": "string", "format": "uuid"},
}


def decimal_document(field: Field, inner: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a decimal, from pydantic's *inner* one, which knows the bounds."""
    number: dict[str, Any] = {"type": "number"}
    for each in inner.get("anyOf", ()):
        if each.get("type") == "number":
            number = dict(each)
    least = number.get("exclusiveMinimum", number.get("minimum", -1))
    if field.precision is not None:
        scale = field.scale or 0
        largest = 10 ** (field.precision - scale) - 1
        number = {"minimum": -largest, "maximum": largest, **number, "multipleOf": 10**-scale if scale else 1}
        if "exclusiveMinimum" in number:
            del number["minimum"]
    pattern = decimal_pattern(field)
    if least >= 0:
        nothing = "(?=.*[1-9])" if "exclusiveMinimum" in number else ""
        pattern = pattern.replace("^-?", f"^{nothing}", 1)
    text = {"type": "string", "pattern": pattern, "examples": ["12.50" if field.scale else "12"]}
    return {"anyOf": [text, number]}


def bytes_document(field: Field) -> dict[str, Any]:
    """Return the JSON Schema of bytes in base64."""
    schema: dict[str, Any] = {"type": "string", "contentEncoding": "base64", "pattern": BASE64}
    if field.max_length is not None:
        schema["maxLength"] = 4 * math.ceil(field.max_length / 3)
    if field.min_length:
        schema["minLength"] = 4 * math.ceil(field.min_length / 3)
    return schema


def decimal_pattern(field: Field) -> str:
    """Return the regular expression of the decimals that *field* takes as a string."""
    if field.precision is None:
        return r"^-?[0-9]{1,100}(?:\.[0-9]{1,100})?$"
    scale = field.scale or 0
    whole = field.precision - scale
    head = f"(?:0|[1-9][0-9]{{0,{whole - 1}}})" if whole else "0"
    return f"^-?{head}(?:\\.[0-9]{{1,{scale}}})?$" if scale else f"^-?{head}$"
