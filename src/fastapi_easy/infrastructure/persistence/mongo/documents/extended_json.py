"""Values that JSON has no form for ↔ MongoDB's Extended JSON (version 2, relaxed): `{"$oid": "…"}`, `{"$date": "…"}`.

What is read so is written as the same type again, so that a document which came from an answer may be sent back.
"""

import uuid
from collections.abc import Mapping
from typing import Any, Final

import bson
from bson import json_util
from bson.binary import Binary, UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.json_util import JSONMode, JSONOptions

_OPTIONS: Final[JSONOptions] = JSONOptions(
    json_mode=JSONMode.RELAXED,
    tz_aware=False,
    uuid_representation=UuidRepresentation.STANDARD,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
CODEC_OPTIONS: Final[CodecOptions[Any]] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
_LEGACY_UUID: Final = 3


def to_extended_json(kept: object) -> Any:
    """Return the object that stands for *kept*, which is neither a document, an array, nor plain JSON."""
    return json_util.default(kept, _OPTIONS)


def is_extended(names: Mapping[Any, object]) -> bool:
    """Return whether a document with *names* may stand for a value: one of them begins with `$`."""
    return any(type(name) is str and name.startswith("$") for name in names)


def from_extended_json(document: Mapping[str, Any], members: dict[str, object]) -> object:
    """Return the value that *document* stands for, in the one spelling that `to_extended_json` gives it.

    Args:
        document: As it was sent.

        members: The same, with values in place of what stands for them further inside, but in a date.

    Raises:
        ValueError: It stands for none, or is spelt otherwise.
    """
    try:
        date, binary = document.get("$date"), document.get("$binary")
        if isinstance(date, Mapping):
            members = {"$date": int(date["$numberLong"])}
        parsed = json_util.object_hook(members, _OPTIONS)
        if isinstance(binary, Mapping) and isinstance(parsed, uuid.UUID) and binary["subType"] == "03":
            # Other programs may have put its bytes in another order, which only they know.
            parsed = Binary(parsed.bytes, _LEGACY_UUID)
        if parsed is not members and to_extended_json(parsed) == document:
            # What the driver cannot encode, such as a pattern with NUL in it, must not get as far as a command.
            _ = bson.encode({"": parsed}, codec_options=CODEC_OPTIONS)
            return parsed
    except (BSONError, ArithmeticError, TypeError, LookupError, AttributeError, ValueError):
        # The driver raises whatever its reader of each type happens to.
        pass
    raise ValueError("stands for no value")
