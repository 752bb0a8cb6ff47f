"""Models with a field of every kind that Tortoise has, for what is between the adapter and Tortoise itself."""

import datetime
import decimal
import enum
import uuid
from typing import Any

from pydantic import BaseModel
from tortoise import Model, fields


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 20


class Finish(enum.StrEnum):
    MATT = "matt"
    GLOSSY = "glossy"


class Size(BaseModel):
    width: int
    height: int


def shelves(label: str) -> dict[str, type[Any]]:
    """A model of owners and one of shelves, in tables and an app that are called after *label*."""

    class Owner(Model):
        id = fields.UUIDField(primary_key=True)
        name = fields.CharField(max_length=50, unique=True, source_field="full_name")

        class Meta:
            app = label
            table = f"{label}_owners"

    class Shelf(Model):
        id = fields.BigIntField(primary_key=True)
        name = fields.CharField(max_length=50, db_index=True)
        story = fields.TextField(null=True)
        floor = fields.SmallIntField(default=0)
        number = fields.IntField(null=True)
        serial = fields.BigIntField(default=0)
        price = fields.DecimalField(max_digits=12, decimal_places=2, default=0)
        load = fields.FloatField(default=0)
        is_oak = fields.BooleanField(default=False)
        built = fields.DateField(null=True)
        opens = fields.TimeField(null=True)
        seen_at = fields.DatetimeField(null=True)
        lasts = fields.TimeDeltaField(null=True)
        plan = fields.BinaryField(null=True)
        token = fields.UUIDField(default=uuid.uuid4)
        level = fields.IntEnumField(Level, default=Level.LOW)
        finish = fields.CharEnumField(Finish, default=Finish.MATT)
        extra = fields.JSONField[Any](null=True)
        size = fields.JSONField[Size](field_type=Size, null=True)
        state = fields.CharField(max_length=10, db_default="new")
        made_at = fields.DatetimeField(auto_now_add=True)
        changed_at = fields.DatetimeField(auto_now=True)
        owner = fields.ForeignKeyField(f"{label}.Owner", related_name="shelves", null=True)
        friends = fields.ManyToManyField(f"{label}.Owner", related_name="lent", through=f"{label}_lent")

        class Meta:
            app = label
            table = f"{label}_shelves"

    return {"owners": Owner, "shelves": Shelf}


VALUES: dict[str, Any] = {
    "name": "é'%_\\😀",
    "story": "x" * 5000,
    "floor": -32768,
    "number": 2**31 - 1,
    "serial": -(2**63),
    "price": decimal.Decimal("1234567890.12"),
    "load": 0.1,
    "is_oak": True,
    "built": datetime.date(2024, 2, 29),
    "opens": datetime.time(12, 30, 1, 5),
    "seen_at": datetime.datetime(2024, 2, 29, 12, 0, 0, 123456, tzinfo=datetime.UTC),
    "lasts": datetime.timedelta(days=-3, microseconds=7),
    "plan": b"\x00\xff'\\",
    "token": uuid.UUID("f0000000-0000-4000-8000-00000000000a"),
    "level": Level.HIGH,
    "finish": Finish.GLOSSY,
    "extra": {"a": [1, "two", None, {"b": 0.5}]},
    "size": {"width": 1, "height": 2},
    "state": "old",
}
"""A value of every kind that a caller may set."""
