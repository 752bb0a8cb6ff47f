"""Bounds of values that hold at every interface and on every store."""

import sys
from typing import Final

from fastapi_easy.domain.field import Field

INTEGER_LIMITS: Final = (-(2**63), 2**63 - 1)
"""Smallest and largest integer: 64 bits signed, where databases and most readers of JSON end."""

JSON_INTEGER_LIMITS: Final = (INTEGER_LIMITS[0], 2**64 - 1)
"""Smallest and largest integer inside a JSON document, which may also be unsigned."""

MAX_FLOAT: Final = sys.float_info.max
"""Largest finite float: IEEE 754, binary64."""

JSON_NUMBER_EXPONENTS: Final = (-400, 308)
"""Exponents of numbers in JSON lie above the first, where every float is 0, and up to the second, as for floats."""

MAX_BODY_DIGITS: Final = 100
"""Digits before and after the point of a decimal in a body."""

MAX_QUERY_DIGITS: Final = 40
"""Digits before and after the point of a number in a path, a query string or a cell of CSV."""

COMPARABLE_DIGITS: Final = 15
"""Digits of a decimal that any field may be compared with: as many as survive a float, which SQLite computes with."""

MAX_DEPTH: Final = 64
"""Arrays and objects inside one another in a JSON document."""

MAX_FAULTS: Final = 50
"""Faults that are reported for one document."""


def integer_limits(field: Field) -> tuple[int, int]:
    """Return the smallest and the largest value of the integer *field*."""
    low, high = INTEGER_LIMITS
    return low if field.minimum is None else field.minimum, high if field.maximum is None else field.maximum


def comparable_integers(field: Field) -> tuple[int, int]:
    """Return the smallest and the largest number that the integer *field* is compared with, also as a key.

    Not those that it takes: a column may be wider than its class says, and its store finds what others have written.
    """
    low, high = INTEGER_LIMITS
    return low, max(high, field.maximum or 0)
