"""Answers of calls as text, from which the same answers are made again: lossless, and independent of any interface."""

import base64
import datetime
import enum
import json
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from returns.result import Success

from fastapi_easy.domain.changes.answers import BulkAnswer, Upserted
from fastapi_easy.domain.changes.row import PartialRow, Row
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.unexpected import UnexpectedValue

_TAG: Final = "$"
"""The member that marks an object which stands for something that JSON does not have."""

_WRITERS: Final[Mapping[type, tuple[str, Callable[[Any], object]]]] = {
    Decimal: ("decimal", str),
    datetime.datetime: ("datetime", datetime.datetime.isoformat),
    datetime.date: ("date", datetime.date.isoformat),
    datetime.time: ("time", datetime.time.isoformat),
    datetime.timedelta: ("duration", lambda each: [each.days, each.seconds, each.microseconds]),
    uuid.UUID: ("uuid", str),
    bytes: ("bytes", lambda each: base64.b64encode(each).decode("ascii")),
    UnexpectedValue: ("unexpected", lambda each: each.shown),
}
_READERS: Final[Mapping[str, Callable[[Any], object]]] = {
    "decimal": Decimal,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "duration": lambda parts: datetime.timedelta(*parts),
    "uuid": uuid.UUID,
    "bytes": base64.b64decode,
    "unexpected": UnexpectedValue,
}


class StoredAnswers:
    """Writes and reads the answers of one resource.

    Args:
        resource: The resource; its rows keep their versions, and their members of enumerations.
    """

    __slots__ = ("_resource",)

    def __init__(self, resource: Resource[Any]) -> None:
        self._resource = resource

    def write(self, answer: object) -> str:
        """Return *answer* as text of ASCII characters.

        Raises:
            TypeError: An action has answered something that cannot be stored.
        """
        return json.dumps(self._encode(answer), separators=(",", ":"))

    def read(self, text: str) -> Any:
        """Return the answer that `write` has made *text* from."""
        return self._decode(json.loads(text))

    def _encode(self, value: Any) -> object:  # noqa: PLR0911 (a line for each form)
        kind = type(value)
        if value is None or kind in {bool, int, float, str}:
            return value
        found = _WRITERS.get(kind)
        if found is not None:
            return {_TAG: found[0], "is": found[1](value)}
        match value:
            case enum.Enum():
                return {_TAG: "enum", "is": self._encode(value.value)}
            case Row():
                return {_TAG: "row", "is": self._members(value), "version": self._version(value)}
            case Mapping():
                plain = all(type(name) is str for name in value) and _TAG not in value
                return self._members(value) if plain else {_TAG: "map", "is": self._members(value)}
            case list() | tuple() | set() | frozenset():
                return [self._encode(each) for each in value]
            case Upserted(row, created):
                return {_TAG: "upserted", "is": self._encode(row), "created": created}
            case BulkAnswer(outcomes):
                # Only what was applied is stored: an atomic bulk without a failure.
                return {
                    _TAG: "bulk",
                    "is": [self._encode(None if each is None else each.unwrap()) for each in outcomes],
                }
            case _ if callable(dump := getattr(kind, "model_dump", None)):
                return self._encode(dump(value, mode="json"))
            case _:
                return self._encode_subclass(value)

    def _encode_subclass(self, value: object) -> object:
        for python_type, (name, write) in _WRITERS.items():
            if isinstance(value, python_type):
                return {_TAG: name, "is": write(value)}
        for plain in (str, int, float):
            if isinstance(value, plain):
                return plain(value)
        raise TypeError(
            f"a {type(value).__name__} cannot be kept for retries with the same idempotency key: answer a row, or "
            "what JSON has"
        )

    def _members(self, value: Mapping[Any, object]) -> dict[str, object]:
        return {str(name): self._encode(each) for name, each in value.items()}

    def _version(self, row: Row) -> str | None:
        if type(row) is PartialRow:
            return row.full_version
        return self._resource.version_of(row) if row.keys() >= set(self._resource.readable) else None

    def _decode(self, value: Any) -> Any:  # noqa: PLR0911 (a line for each form)
        if isinstance(value, list):
            return [self._decode(each) for each in value]
        if not isinstance(value, dict):
            return value
        tag = value.get(_TAG)
        if tag is None:
            return {name: self._decode(each) for name, each in value.items()}
        inner = value["is"]
        read = _READERS.get(tag)
        if read is not None:
            return read(inner)
        match tag:
            case "row":
                return self._row(inner, value["version"])
            case "upserted":
                return Upserted(self._decode(inner), value["created"])
            case "bulk":
                return BulkAnswer([Success(self._decode(each)) for each in inner])
            case "map":
                return {name: self._decode(each) for name, each in inner.items()}
            case _:  # a member of an enumeration that belongs to no field of the resource
                return self._decode(inner)

    def _row(self, members: Mapping[str, Any], version: str | None) -> Row:
        values = {name: self._member(name, each) for name, each in members.items()}
        return Row(values) if version is None else PartialRow(values, version)

    def _member(self, name: str, value: Any) -> Any:
        field = self._resource.fields.get(name)
        decoded = self._decode(value)
        is_member = isinstance(value, dict) and value.get(_TAG) == "enum"
        if is_member and field is not None and field.enumeration is not None:
            return field.enumeration(decoded)
        return decoded
