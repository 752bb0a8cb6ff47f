"""How the values of a column are carried into one of another type, so that none is changed without a word."""

import enum
import re
from dataclasses import dataclass
from typing import Final


class Affinity(enum.StrEnum):
    """What SQLite makes of values on their way into a column."""

    INTEGER = "integer"
    TEXT = "text"
    BLOB = "blob"
    REAL = "real"
    NUMERIC = "numeric"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """How the values of a column are carried over.

    Attributes:
        expression: What is stored.

        holds: A condition that is true for the values that stay what they are; empty when all do.
    """

    expression: str
    holds: str = ""


_TIMES: Final = re.compile("DATE|TIME", re.IGNORECASE)
_JSON: Final = re.compile("JSON", re.IGNORECASE)
_TRUTH: Final = re.compile("BOOL", re.IGNORECASE)
_RULES: Final = (
    ("INT", Affinity.INTEGER),
    ("CHAR", Affinity.TEXT),
    ("CLOB", Affinity.TEXT),
    ("TEXT", Affinity.TEXT),
    ("BLOB", Affinity.BLOB),
    ("REAL", Affinity.REAL),
    ("FLOA", Affinity.REAL),
    ("DOUB", Affinity.REAL),
)
_DIGITS: Final = 15
"""Of a decimal, so many survive in a double."""


def affinity(declared: str) -> Affinity:
    """Return the affinity of the declared type, by SQLite's own rules."""
    if not declared:
        return Affinity.BLOB
    capitals = declared.upper()
    return next((found for part, found in _RULES if part in capitals), Affinity.NUMERIC)


def conversion(value: str, before: str, after: str) -> Conversion:
    """Return how *value*, of the declared type *before*, is stored in a column of the type *after*.

    Between types of one affinity the bytes are copied. Otherwise only those values count as carried over from which the
    new value could be turned back: `'7'` becomes 7, while `'007'`, `'abc'` and 1.5 become no integer.
    """
    target = affinity(after)
    if target is affinity(before):
        return Conversion(expression=value)
    match target:
        case Affinity.INTEGER:
            return _integer(value)
        case Affinity.TEXT:
            return Conversion(
                expression=f"CAST({value} AS TEXT)",
                holds=f"typeof({value}) <> 'real' OR CAST(CAST({value} AS TEXT) AS REAL) = {value}",
            )
        case Affinity.BLOB:
            return Conversion(
                expression=f"CAST({value} AS BLOB)",
                holds=f"typeof({value}) IN ('text', 'blob')",
            )
        case Affinity.REAL:
            return Conversion(
                expression=f"CAST({value} AS REAL)",
                holds=f"typeof({value}) = 'real'"
                f" OR (typeof({value}) = 'integer' AND CAST(CAST({value} AS REAL) AS INTEGER) = {value})"
                f" OR ({_is_number(value)})",
            )
        case Affinity.NUMERIC:
            return _numeric(value, after)


def _integer(value: str) -> Conversion:
    return Conversion(
        expression=f"CAST({value} AS INTEGER)",
        holds=f"typeof({value}) = 'integer'"
        f" OR (typeof({value}) = 'real' AND CAST({value} AS INTEGER) = {value})"
        f" OR (typeof({value}) = 'text' AND CAST(CAST({value} AS INTEGER) AS TEXT) = CAST({value} AS TEXT))",
    )


def _numeric(value: str, after: str) -> Conversion:
    if _TRUTH.search(after):
        return _integer(value)
    # A text that reads as a number would become one in such a column.
    stays = f"typeof({value}) = 'text' AND CAST({value} AS NUMERIC) <> {value}"
    if _TIMES.search(after):
        return Conversion(expression=value, holds=stays)
    if _JSON.search(after):
        numbers = f"typeof({value}) IN ('integer', 'real') OR ({_is_number(value)})"
        return Conversion(expression=value, holds=f"({stays}) OR {numbers}")
    return Conversion(
        expression=f"CAST({value} AS NUMERIC)",
        holds=f"typeof({value}) IN ('integer', 'real') OR ({_is_number(value)})",
    )


def _is_number(value: str) -> str:
    """Return the condition that a text is a number in its plain form, of no more digits than a double keeps."""
    text = f"CAST({value} AS TEXT)"
    return (
        f"typeof({value}) = 'text' AND {text} GLOB '*[0-9]*' AND {text} NOT GLOB '*[^-0-9.]*'"
        f" AND {text} NOT GLOB '?*-*' AND {text} NOT GLOB '*.*.*'"
        f" AND {text} NOT GLOB '0[0-9]*' AND {text} NOT GLOB '-0[0-9]*'"
        f" AND length(replace(replace({text}, '-', ''), '.', '')) <= {_DIGITS}"
    )
