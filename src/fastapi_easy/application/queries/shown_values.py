"""What callers may mean by a value that does not fit its field, in stores that hold such values."""

import json
from decimal import Decimal
from typing import Any, Final, NamedTuple, NoReturn

from fastapi_easy.domain.errors import Fault
from fastapi_easy.domain.values.unexpected import UnexpectedValue

_MAX_LENGTH: Final = 8000
"""Characters of a value that is looked for, as JSON."""

_SPELT: Final = (int, float, dict, list)
"""What a text spells in JSON, besides `null`, which is nobody's odd value, and other texts."""


class ShownValues(NamedTuple):
    """The values that one value in a query may mean.

    Attributes:
        others: Those of other types.

        fitting: The one of the field's kind, if there is one.

        fault: What is wrong with it, unless the store holds one of another type.
    """

    others: tuple[UnexpectedValue, ...]
    fitting: tuple[object, ...] = ()
    fault: Fault | None = None

    @property
    def values(self) -> tuple[object, ...]:
        """All of them."""
        return (*self.fitting, *self.others)


def unexpected_values(given: object) -> tuple[UnexpectedValue, ...]:
    """Return the values of other types that are shown as *given*, text of a query string or a value of JSON.

    A query string has texts only: `5` may be shown of a number or of a text.
    """
    try:
        plain: Any = json.dumps(given, default=_as_float)
        if len(plain) > _MAX_LENGTH:
            return ()
        shown: Any = json.loads(plain)
        if not isinstance(given, str):
            return (UnexpectedValue(shown),)
        # Half of a surrogate pair is no text that anything could hold.
        _ = given.encode()
    except (TypeError, ValueError, ArithmeticError, RecursionError):
        return ()
    try:
        spelt = json.loads(given, parse_constant=_reject)
    except (ValueError, RecursionError):
        spelt = None
    text = UnexpectedValue(given)
    return (text, UnexpectedValue(spelt)) if isinstance(spelt, _SPELT) else (text,)


def _as_float(value: object) -> float:
    if not isinstance(value, Decimal):
        raise TypeError("is not JSON")
    return float(value)


def _reject(name: str) -> NoReturn:
    raise ValueError(name)
