"""Commands ↔ their texts: extended JSON, which a plan holds and anybody can read."""

from typing import Any, Final

from bson import json_util
from bson.binary import UuidRepresentation
from bson.codec_options import DatetimeConversion
from bson.json_util import JSONMode, JSONOptions

from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document

_OPTIONS: Final[JSONOptions] = JSONOptions(
    json_mode=JSONMode.RELAXED,
    tz_aware=False,
    uuid_representation=UuidRepresentation.STANDARD,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)


def to_text(document: object) -> str:
    """Return *document* as extended JSON, its members in their order."""
    return json_util.dumps(document, json_options=_OPTIONS, ensure_ascii=False)


def to_document(text: str) -> Document:
    """Return the document that *text* spells.

    Raises:
        ValueError: It spells none.
    """
    found = json_util.loads(text, json_options=_OPTIONS)
    if not isinstance(found, dict):
        raise ValueError("a command is a document")  # noqa: TRY004 - the text is wrong, not its type
    return found


def canonical(value: object) -> str:
    """Return a text that is the same for the same *value*, in whatever order its members are."""
    return to_text(_sorted(value))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted(each) for each in value]
    # The shell writes whole numbers as doubles.
    return int(value) if isinstance(value, float) and value.is_integer() else value
