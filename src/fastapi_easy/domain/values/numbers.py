"""Integers, decimals, floats and truth values."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.decimal_digits import (
    DecimalDigits,
    check_significant_digits,
    decimal_pattern,
    significant_digits,
)
from fastapi_easy.domain.values.kind_format import (
    JsonForm,
    JsonSchema,
    KindFormat,
    ParseError,
    checked_text,
    fixed_schema,
    read_unchanged,
    type_error,
    unchanged,
)
from fastapi_easy.domain.values.limits import (
    COMPARABLE_DIGITS,
    INTEGER_LIMITS,
    MAX_BODY_DIGITS,
    MAX_FLOAT,
    MAX_QUERY_DIGITS,
    comparable_integers,
)

# Longer numbers are refused by their length: `int` takes quadratic time, and raises beyond 4,300 digits.
_INTEGER: Final = re.compile(rf"-?[0-9]{{1,{MAX_QUERY_DIGITS}}}", re.ASCII)
_DECIMAL: Final = re.compile(rf"-?[0-9]{{1,{MAX_QUERY_DIGITS}}}(\.[0-9]{{1,{MAX_QUERY_DIGITS}}})?", re.ASCII)
_DECIMAL_IN_BODY: Final = re.compile(
    rf"-?[0-9]{{1,{MAX_BODY_DIGITS}}}(\.[0-9]{{1,{MAX_BODY_DIGITS}}})?", re.ASCII
)
_FLOAT: Final = re.compile(
    rf"-?[0-9]{{1,{MAX_QUERY_DIGITS}}}(\.[0-9]{{1,{MAX_QUERY_DIGITS}}})?([eE][+-]?[0-9]{{1,3}})?", re.ASCII
)
_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


def decimal_text(number: Decimal) -> str:
    """Return all digits of *number*, without an exponent."""
    # Three times as fast as to format it, and nearly always the same.
    text = str(number)
    return text if "E" not in text else format(number, "f")


_LOW, _HIGH = INTEGER_LIMITS


def _read_integer_text(field: Field, text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ParseError("Must be a whole number", "integer_parsing")
    return _in_range(field, int(text))


def _has_no_leading_zero(text: str) -> bool:
    digits = text.removeprefix("-")
    # Nor is there a negative zero among whole numbers.
    return digits[:1] != "0" or text == "0" or digits[1:2] in {".", "e", "E"}


def _is_word(text: str) -> bool:
    return text in {"true", "false"}


def _read_integer_json(field: Field, value: object) -> int:
    # `True` is an `int` in Python, and no number in JSON.
    if not isinstance(value, int) or isinstance(value, bool):
        raise type_error(field)
    return _in_range(field, value)


def _in_range(field: Field, number: int) -> int:
    if _LOW <= number <= _HIGH:
        return number
    low, high = comparable_integers(field)
    if not low <= number <= high:
        raise ParseError(f"Must be between {low} and {high}", "out_of_range")
    return number


def _integer_query_schema(field: Field) -> JsonSchema:
    low, high = comparable_integers(field)
    return {"type": "integer", "minimum": low, "maximum": high}


def _read_decimal_text(field: Field, text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise ParseError("Must be a decimal number", "decimal_parsing")
    return _check_digits(field, Decimal(text))


_read_decimal_string: Final = checked_text(Kind.DECIMAL, _read_decimal_text)


def _read_decimal_json(field: Field, value: object) -> Decimal:
    if isinstance(value, str):
        return _read_decimal_string(field, value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise type_error(field)
    # A float as JSON spells it: 0.1, and not the binary fraction nearest to it.
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    # Measured first: written out, 1e999999999 would fill the memory.
    return Decimal(format(_check_digits(field, number), "f"))


def _check_digits(field: Field, number: Decimal) -> Decimal:
    if not number.is_finite():
        raise ParseError("Must be a finite number", "finite_number")
    if field.significant_digits is not None:
        return _check_stored_digits(number, field.significant_digits)
    exponent = int(number.as_tuple().exponent)
    digits = max(len(number.as_tuple().digits) + max(exponent, 0), -exponent)
    allowed = max(field.precision or COMPARABLE_DIGITS, COMPARABLE_DIGITS)
    if digits > allowed:
        raise ParseError(f"Must have at most {allowed} digits", "decimal_max_digits")
    return number


def _check_stored_digits(number: Decimal, limit: int) -> Decimal:
    """Check *number*, which is compared with what a store keeps *limit* significant digits of."""
    if abs(int(number.as_tuple().exponent)) > 2 * MAX_BODY_DIGITS:
        raise ParseError("Has too many digits", "decimal_max_digits")
    # Others may have stored a float, or a whole number, of more digits, which is shown with all of them.
    if significant_digits(number) > limit and not (_is_shown_float(number) or _is_stored_integer(number)):
        check_significant_digits(number, limit)
    return number


def _is_shown_float(number: Decimal) -> bool:
    return number == Decimal(repr(float(number)))


def _is_stored_integer(number: Decimal) -> bool:
    low, high = INTEGER_LIMITS
    return low <= number <= high and number == int(number)


def _decimal_body_reader(field: Field) -> Callable[[object], Decimal]:
    limit = field.significant_digits
    if limit is None or (field.precision is not None and field.precision <= limit):
        return _read_decimal_body

    def read(value: object) -> Decimal:
        number = _read_decimal_body(value)
        # A text of so few characters need not be counted.
        if not isinstance(value, str) or len(value) > limit:
            check_significant_digits(number, limit)
        return number

    return read


def _read_decimal_body(value: object) -> Decimal:
    if isinstance(value, str):
        if not _DECIMAL_IN_BODY.fullmatch(value):
            raise ParseError("Must be a decimal number like 12.50", "decimal_parsing")
        return Decimal(value)
    if isinstance(value, float):
        # As JSON spells it: 0.1 and not the fraction nearest to it.
        value = Decimal(float.__repr__(value))
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ParseError("Must be a decimal number, as a string or a number", "decimal_type")
    number = Decimal(value)
    if len(number.as_tuple().digits) + abs(int(number.as_tuple().exponent)) > 2 * MAX_BODY_DIGITS:
        raise ParseError("Has too many digits", "decimal_max_digits")
    return number


def _decimal_body_schema(field: Field, inner: JsonSchema) -> JsonSchema:
    """Return the JSON Schema of a decimal, from pydantic's *inner* one, which knows the bounds of its rules."""
    number: JsonSchema = {"type": "number"}
    for each in inner.get("anyOf", ()):
        if each.get("type") == "number":
            number = dict(each)
    bounds = {"minimum": -1, **number}
    least = bounds.get("exclusiveMinimum", bounds["minimum"])
    digits = DecimalDigits.of(field)
    if digits is not None:
        number = digits.number_schema(number, has_scale=field.scale is not None)
        if "exclusiveMinimum" in number:
            del number["minimum"]
    pattern = decimal_pattern(field)
    if least >= 0:
        nothing = "(?=.*[1-9])" if "exclusiveMinimum" in number else ""
        pattern = pattern.replace("^-?", f"^{nothing}", 1)
    text = {"type": "string", "pattern": pattern, "examples": ["12" if field.scale == 0 else "12.50"]}
    return {"anyOf": [text, number]}


def _read_float_text(_: Field, text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise ParseError("Must be a number", "float_parsing")
    return _to_finite_float(float(text))


def _read_float_json(field: Field, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise type_error(field)
    return _to_finite_float(value)


def _read_float_body(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ParseError("Must be a number", "float_type")
    return _to_finite_float(value)


def _to_finite_float(number: float | Decimal) -> float:
    try:
        nearest = float(number)
    except OverflowError:  # an integer beyond every float
        nearest = math.inf
    if not math.isfinite(nearest):
        raise ParseError("Must be a finite number", "finite_number")
    return nearest


def _read_boolean_text(_: Field, text: str) -> bool:
    if text not in _TRUTH:
        raise ParseError("Must be true or false", "boolean_parsing")
    return _TRUTH[text]


def _read_boolean_json(field: Field, value: object) -> bool:
    if not isinstance(value, bool):
        raise type_error(field)
    return value


INTEGER: Final[KindFormat[int]] = KindFormat(
    json_form=JsonForm.LITERAL,
    read_text=checked_text(Kind.INTEGER, _read_integer_text),
    read_json=_read_integer_json,
    write_key=unchanged,
    is_key_spelling=_has_no_leading_zero,
    write_journal=unchanged,
    read_journal=read_unchanged,
    query_schema=_integer_query_schema,
)

DECIMAL: Final[KindFormat[Decimal]] = KindFormat(
    json_form=JsonForm.STRING,
    read_text=_read_decimal_string,
    read_json=_read_decimal_json,
    body_reader=_decimal_body_reader,
    write_json=decimal_text,
    write_key=decimal_text,
    is_key_spelling=_has_no_leading_zero,
    write_journal=decimal_text,
    read_journal=lambda _, text: Decimal(text),
    # Fifteen digits, with which every field may be compared.
    query_schema=fixed_schema(
        {"type": "string", "pattern": r"^-?[0-9]{1,9}(?:\.[0-9]{1,6})?$", "examples": ["12.50"]}
    ),
    body_schema=_decimal_body_schema,
)

FLOAT: Final[KindFormat[float]] = KindFormat(
    json_form=JsonForm.LITERAL,
    read_text=checked_text(Kind.FLOAT, _read_float_text),
    read_json=_read_float_json,
    body_reader=lambda _: _read_float_body,
    write_key=unchanged,
    is_key_spelling=_has_no_leading_zero,
    write_journal=unchanged,
    read_journal=lambda _, number: float(number),
    query_schema=fixed_schema({"type": "number", "minimum": -MAX_FLOAT, "maximum": MAX_FLOAT}),
    body_schema=lambda _, inner: {"minimum": -MAX_FLOAT, "maximum": MAX_FLOAT, **inner},
)

BOOLEAN: Final[KindFormat[bool]] = KindFormat(
    json_form=JsonForm.LITERAL,
    read_text=checked_text(Kind.BOOLEAN, _read_boolean_text),
    read_json=_read_boolean_json,
    write_key=unchanged,
    is_key_spelling=_is_word,
    write_journal=unchanged,
    read_journal=read_unchanged,
    query_schema=fixed_schema({"type": "boolean"}),
)
