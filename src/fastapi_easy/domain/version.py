"""Which version of an entity a caller has seen."""

import datetime
import hashlib
from collections.abc import Sequence
from typing import Any, Final

from fastapi_easy.domain.row import Row

_BYTES: Final = 12


def version_of(row: Row, fields: Sequence[str]) -> str:
    """A fingerprint of *fields* of *row*: equal for equal values, 24 hexadecimal digits.

    Made from values as the store gave them back, so compare only versions of rows that were read or returned
    by a store.
    """
    values: list[Any] = [row[field] for field in fields]
    for place, value in enumerate(values):
        if type(value) is datetime.datetime:
            # Says the same as `repr`, in a sixth of the time.
            values[place] = value.isoformat()
    return hashlib.blake2b(repr(values).encode("utf-8", "backslashreplace"), digest_size=_BYTES).hexdigest()
