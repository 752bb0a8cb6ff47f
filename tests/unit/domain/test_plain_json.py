"""Values that a journal has written, read again."""

import datetime
import decimal
import enum
import json
import uuid
from typing import Any

import pytest

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.plain_json import from_plain_json, to_plain_json
from fastapi_easy.domain.values.unexpected import UnexpectedValue


class Colour(enum.IntEnum):
    RED = 1


def field(kind: Kind, **rules: Any) -> Field:
    return Field(name="it", kind=kind, nullable=True, **rules)


VALUES: dict[str, tuple[Field, object]] = {
    "text": (field(Kind.TEXT), "Émma\u2028"),
    "integer": (field(Kind.INTEGER), -(2**63)),
    "decimal": (field(Kind.DECIMAL), decimal.Decimal("-9.500")),
    "long decimal": (field(Kind.DECIMAL), decimal.Decimal("1" * 60 + ".5")),
    "float": (field(Kind.FLOAT), 0.1),
    "boolean": (field(Kind.BOOLEAN), True),
    "date": (field(Kind.DATE), datetime.date(1, 1, 1)),
    "time": (field(Kind.TIME), datetime.time(8, 30, 0, 7)),
    "datetime": (field(Kind.DATETIME), datetime.datetime(2026, 11, 23, 8, 0, 0, 1, datetime.UTC)),
    "duration": (field(Kind.DURATION), datetime.timedelta(days=-400, microseconds=3)),
    "uuid": (field(Kind.UUID), uuid.UUID(int=7)),
    "binary": (field(Kind.BINARY), b"\x00\xff"),
    "member": (field(Kind.ENUM, enumeration=Colour), Colour.RED),
    "document": (field(Kind.JSON), {"a": [1, None, {"b": "c"}]}),
    "array": (field(Kind.ARRAY, item=Kind.DECIMAL), [decimal.Decimal("1.0"), None]),
    "null": (field(Kind.DECIMAL), None),
}


@pytest.mark.parametrize("name", VALUES)
def test_what_a_journal_has_written_is_read_as_it_was(name: str) -> None:
    described, value = VALUES[name]

    read = from_plain_json(described, json.loads(json.dumps(to_plain_json(value))))

    assert (read, type(read)) == (value, type(value))
    assert str(read) == str(value)


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (Kind.DATE, "infinity"),
        (Kind.INTEGER, "seven"),
        (Kind.DECIMAL, "none"),
        (Kind.DURATION, "x"),
        (Kind.UUID, 7),
        (Kind.TEXT, 7),
        (Kind.ARRAY, {}),
    ],
)
def test_what_no_field_of_its_kind_can_hold_is_shown_as_it_is(kind: Kind, plain: object) -> None:
    assert from_plain_json(field(kind), plain) == UnexpectedValue(plain)


def test_a_member_that_the_enumeration_has_lost_is_shown_as_it_is() -> None:
    assert from_plain_json(field(Kind.ENUM, enumeration=Colour), 9) == UnexpectedValue(9)
