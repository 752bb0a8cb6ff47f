"""Which version of an entity a caller has seen."""

import datetime
import decimal
import hashlib
import marshal
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain.changes.row import Row

_BYTES: Final = 12
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def version_of(row: Row, fields: Sequence[str]) -> str:
    """A fingerprint of *fields* of *row*: equal for equal values, 24 hexadecimal digits.

    Made from values as the store gave them back, so compare only versions of rows that were read or returned
    by a store.
    """
    values: list[Any] = [row[field] for field in fields]
    for place, value in enumerate(values):
        spell = _SPELT.get(type(value))
        if spell is not None:
            values[place] = spell(value)
    try:
        # In half the time of `repr`; in the first format nothing depends on what else refers to a value.
        spelt = marshal.dumps(values, 0)
    except ValueError:
        spelt = repr(values).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(spelt, digest_size=_BYTES).hexdigest()


def _moment(value: datetime.datetime) -> Any:
    """What tells *value* from every other time."""
    if value.tzinfo is not datetime.UTC:
        return value.isoformat()
    since = value - _EPOCH
    return since.days, since.seconds, since.microseconds


_SPELT: Final[Mapping[type, Callable[[Any], Any]]] = {datetime.datetime: _moment, decimal.Decimal: str}
"""Plain values for those of other types that are frequent."""
