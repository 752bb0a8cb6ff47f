"""What happens to values, and to the table, when the type of a column changes."""

from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.migrations.rules.column_types import StoredType, read_type

_LONGEST_NUMBER: Final = 40
"""Characters that any value of a type other than text, JSON and arrays is spelled with."""

_CHARACTERS: Final = frozenset({"text", "char"})
_LOOSE: Final = _CHARACTERS | {"binary"}
_MOMENTS: Final = frozenset({"moment", "timestamp", "datetime", "timestamptz"})
_DIGITS: Final = {8: 3, 16: 5, 24: 8, 32: 10, 64: 19}
"""Decimal digits of the largest integer, by bits."""

_EXACT_DIGITS: Final = {24: 6, 53: 15}
"""Decimal digits that a float keeps, by bits of its significand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeChange:
    """What a change of type does.

    Attributes:
        before, after: The types.

        narrows: Why values may not fit; empty when each does.

        loses: What of values that fit is lost without an error; empty for nothing.
    """

    before: StoredType
    after: StoredType
    narrows: str = ""
    loses: str = ""

    @property
    def reads_the_same(self) -> bool:
        """Return whether programs see the same values of the same type."""
        same = self.before.family in _LOOSE and self.after.family == self.before.family
        return same and not self.narrows and not self.loses


def compare_types(before: str, after: str, dialect: str) -> TypeChange:
    """Return what a change from the type *before* to *after* does on *dialect*; both as the server spells them."""
    old, new = read_type(before, dialect), read_type(after, dialect)
    narrows, loses = _narrowing(old, new), _loss(old, new, dialect)
    return TypeChange(before=old, after=new, narrows=narrows, loses=loses)


def rewrites_postgres(change: TypeChange, time_zone: str | None) -> bool:
    """Return whether PostgreSQL writes the table anew for *change*, as was measured; unknown types do."""
    old, new = change.before, change.after
    if old == new:
        return False
    if not (old.is_known and new.is_known):
        return True
    match old.family, new.family:
        case "decimal", "decimal":
            return bool(change.narrows) or (new.precision is not None and old.scale != new.scale)
        case ("text", "text") | ("time", "time"):
            return bool(change.narrows or change.loses) or old.has_zone != new.has_zone
        case "moment", "moment":
            moves = old.has_zone != new.has_zone and (time_zone or "").upper() not in {
                "UTC",
                "ETC/UTC",
                "GMT",
            }
            return moves or bool(change.loses)
        case "cidr", "inet":
            return False
        case _:
            return True


def copies_mysql(change: TypeChange, bytes_of_character: int) -> bool:
    """Return whether MySQL copies the table for *change*, as was measured."""
    old, new = change.before, change.after
    if old == new:
        return False
    if old.is_apart or new.is_apart:
        return True
    if old.family == new.family == "text" and old.limit is not None and new.limit is not None:
        one_byte = 255 // bytes_of_character
        return new.limit < old.limit or old.limit <= one_byte < new.limit
    if old.family == new.family == "enum":
        return new.labels[: len(old.labels)] != old.labels
    return True


def removed_labels(change: TypeChange) -> tuple[str, ...]:
    """Return the labels of an enumeration that *change* takes away."""
    if not change.before.family == change.after.family == "enum":
        return ()
    return tuple(each for each in change.before.labels if each not in change.after.labels)


def _narrowing(old: StoredType, new: StoredType) -> str:
    if old == new or (new.family in _CHARACTERS and new.limit is None):
        return ""
    if not (old.is_known and new.is_known) or old.is_array or new.is_array:
        return (
            ""
            if old.family == new.family and old.is_array
            else "nobody knows whether every value can be converted"
        )
    match old.family, new.family:
        case (("text" | "char" | "binary"), ("text" | "char" | "binary")):
            unit = "bytes" if new.family == "binary" or new.is_apart else "characters"
            return "" if _fits(old.limit, new.limit) else f"values longer than {new.limit} {unit} do not fit"
        case (("text" | "char" | "binary"), _):
            return f"values that do not read as {new.family} cannot be converted"
        case _, ("text" | "char"):
            return _narrowing_to_text(old, new)
        case (("integer" | "boolean" | "decimal" | "float"), ("integer" | "decimal")):
            return _narrowing_of_numbers(old, new)
        case "datetime", "timestamp":
            return "values before 1970 and after 2038 do not fit"
        case _:
            return ""


def _fits(old: int | None, new: int | None) -> bool:
    return new is None or (old is not None and old <= new)


def _narrowing_to_text(old: StoredType, new: StoredType) -> str:
    needed = {"integer": _DIGITS.get(old.bits, 19) + 1, "uuid": 36, "date": 10, "boolean": 5}
    longest = needed.get(old.family, None if old.family in {"json", "jsonb", "xml"} else _LONGEST_NUMBER)
    if old.family == "enum" and old.labels:
        longest = max(map(len, old.labels))
    return "" if _fits(longest, new.limit) else f"values longer than {new.limit} characters do not fit"


def _narrowing_of_numbers(old: StoredType, new: StoredType) -> str:
    if old.family == new.family == "integer":
        if new.is_unsigned and not old.is_unsigned:
            return "negative values do not fit"
        room = new.bits - (0 if new.is_unsigned else 1)
        return "" if old.bits - (0 if old.is_unsigned else 1) <= room else "large values do not fit"
    before, after = _whole_digits(old), _whole_digits(new)
    if (
        after is None
        or (before is not None and before < after)
        or (before == after and new.family == "decimal")
    ):
        return ""
    return f"values of more than {after} digits do not fit"


def _whole_digits(stored: StoredType) -> int | None:
    match stored.family:
        case "integer":
            return _DIGITS.get(stored.bits, 19)
        case "decimal":
            return None if stored.precision is None else stored.precision - (stored.scale or 0)
        case "boolean":
            return 1
        case _:
            return None


def _loss(old: StoredType, new: StoredType, dialect: str) -> str:
    match old.family, new.family:
        case (("integer" | "decimal" | "float"), ("integer" | "decimal" | "float")):
            return _loss_of_number(old, new)
        case (("integer" | "decimal" | "float"), "boolean"):
            return "every number but 0 becomes true"
        case "json", "jsonb":
            return "the order of members and repeated members are lost"
        case "char", "text" if dialect == "postgresql":
            return "spaces at the end are lost"
        case _:
            return _loss_of_time(old, new)


def _loss_of_number(old: StoredType, new: StoredType) -> str:
    match old.family, new.family:
        case "decimal", "decimal":
            return "" if _fits(old.scale, new.scale) else f"values are rounded to {new.scale} digits"
        case "decimal", "integer":
            return "" if old.scale == 0 else "fractions are rounded"
        case "float", ("integer" | "decimal"):
            return "fractions are rounded"
        case "float", "float":
            return "" if old.bits <= new.bits else "only about 6 digits are kept"
        case _, "float":
            digits = old.precision if old.family == "decimal" else _DIGITS.get(old.bits, 19)
            kept = _EXACT_DIGITS.get(new.bits, 15)
            return "" if _fits(digits, kept) else f"only about {kept} digits are kept"
        case _:
            return ""


def _loss_of_time(old: StoredType, new: StoredType) -> str:
    if old.family in _MOMENTS and new.family == "date":
        return "the time of day is lost"
    if old.family in _MOMENTS and new.family == "time":
        return "the date is lost"
    temporal = _MOMENTS | {"time"}
    if old.family in temporal and new.family in temporal and not _fits(old.limit, new.limit):
        return f"seconds are rounded to {new.limit} digits"
    return ""
