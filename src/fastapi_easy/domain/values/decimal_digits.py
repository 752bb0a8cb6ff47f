"""How many digits a decimal may have: as declared, and as its store keeps them; checked and described."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

from fastapi_easy.domain.field import Field
from fastapi_easy.domain.values.kind_format import JsonSchema, ParseError
from fastapi_easy.domain.values.limits import MAX_BODY_DIGITS

_NUMBER_PLACES: Final = 6
"""Digits after the point of a JSON number, in the schema of a field that declares none."""


def significant_digits(number: Decimal) -> int:
    """Count the digits of *number* between the zeros at both ends."""
    digits = number.as_tuple().digits
    last = len(digits)
    while last and not digits[last - 1]:
        last -= 1
    return last


def too_many_digits(limit: int) -> str:
    """Say that a value has more significant digits than the *limit* of its store (ADR 12)."""
    return f"Must have at most {limit} significant digits"


def check_significant_digits(number: Decimal, limit: int) -> None:
    """Check that *number* has at most *limit* significant digits.

    Raises:
        ParseError: It has more.
    """
    if significant_digits(number) > limit:
        raise ParseError(too_many_digits(limit), "decimal_max_digits")


@dataclass(frozen=True, slots=True)
class DecimalDigits:
    """The digits that values of a field may have.

    Attributes:
        total: Digits in all.

        whole: Digits before the point.

        places: Digits after the point.
    """

    total: int
    whole: int
    places: int

    @classmethod
    def of(cls, field: Field) -> Self | None:
        """Return the digits of *field*; `None` when nothing limits them."""
        limits = [each for each in (field.precision, field.significant_digits) if each is not None]
        if not limits:
            return None
        total = min(limits)
        places = total if field.scale is None else field.scale
        whole = total if field.precision is None or field.scale is None else field.precision - field.scale
        return cls(total, min(whole, total), min(places, total))

    def number_schema(self, number: JsonSchema, *, has_scale: bool) -> JsonSchema:
        """Return the JSON Schema of these values as JSON numbers, from *number*, which knows further bounds."""
        # Written in decimal, every multiple of the last place up to the bound has digits enough.
        wanted = self.places if has_scale else min(self.places, _NUMBER_PLACES, self.total // 2)
        whole = self.whole if has_scale else self.total - wanted
        places = min(wanted, self.total - whole)
        largest = 10**whole - 1
        return {
            "minimum": -largest,
            "maximum": largest,
            **number,
            "multipleOf": 10**-places if places else 1,
        }

    def pattern(self) -> str:
        """Return the regular expression of these values as strings."""
        if self.whole + self.places <= self.total:
            head = f"(?:0|[1-9][0-9]{{0,{self.whole - 1}}})" if self.whole else "0"
            return f"^-?{head}{_fraction(self.places)}$"
        # Digits before the point take from those that may follow it.
        small = f"0{_fraction(self.places)}"
        if not self.whole:
            return f"^-?{small}$"
        large = f"[1-9][0-9]{{0,{self.whole - 1}}}{_fraction(min(self.places, self.total - 1))}"
        return f"^-?(?:{small}|(?!(?:\\.?[0-9]){{{self.total + 1}}}){large})$"


def decimal_pattern(field: Field) -> str:
    """Return the regular expression of the decimals that a body may have for *field* as a string."""
    digits = DecimalDigits.of(field)
    if digits is None:
        return rf"^-?[0-9]{{1,{MAX_BODY_DIGITS}}}(?:\.[0-9]{{1,{MAX_BODY_DIGITS}}})?$"
    return digits.pattern()


def _fraction(places: int) -> str:
    return f"(?:\\.[0-9]{{1,{places}}})?" if places > 0 else ""
