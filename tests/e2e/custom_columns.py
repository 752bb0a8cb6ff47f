"""A class for each column type of users, and values for it."""

import datetime
import ipaddress
import pathlib
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.e2e.column_types import (
    AddressType,
    BytesGuid,
    Cents,
    Color,
    ColorText,
    CommaList,
    DashedGuid,
    Email,
    Epoch,
    Folded,
    Guid,
    JsonText,
    Level,
    Masked,
    Money,
    NaiveEpoch,
    NumberOf,
    PathType,
    PhoneNumber,
    PhoneType,
    PositiveCents,
    Sealed,
    Settings,
    SettingsType,
    TzDateTime,
    Versioned,
    YesNo,
    Zipped,
)


@dataclass(frozen=True)
class Column:
    """One column type, with values as callers write them, from small to large."""

    type_: Any
    annotation: Any
    values: tuple[Any, ...]
    shown: tuple[Any, ...] = ()
    refused: tuple[Any, ...] = ()
    filters: bool = True
    sorts: bool = True
    sums: bool = False
    junk: Any = None
    tags: frozenset[str] = field(default_factory=frozenset)

    @property
    def answers(self) -> tuple[Any, ...]:
        return self.shown or self.values


_A = "00f8fad5-b9cb-469f-a165-70867728950e"
_B = "10f8fad5-b9cb-469f-a165-70867728950e"
_C = "f0f8fad5-b9cb-469f-a165-70867728950e"
_TIMES = ("1969-12-31T23:59:00Z", "2001-09-09T01:46:40Z", "2026-11-30T08:00:00Z")
_DOCUMENT = {"values": ({"a": 1}, {"a": [1, {"b": None}]}, {}), "filters": False, "sorts": False}

COLUMNS: dict[str, Column] = {
    "guid": Column(Guid, uuid.UUID, (_A, _B, _C), refused=("abc",), junk="junk"),
    "guid_unannotated": Column(Guid, None, (_A, _B, _C), refused=("abc",), junk="junk"),
    "dashed_guid": Column(DashedGuid, uuid.UUID, (_A, _B, _C), refused=("abc", 5), junk="junk"),
    "bytes_guid": Column(BytesGuid, uuid.UUID, (_A, _B, _C), junk=b"x"),
    "json_text": Column(JsonText, dict, **_DOCUMENT, refused=([1], "a"), junk="{"),
    "json_text_unannotated": Column(JsonText, None, **_DOCUMENT, junk="{"),
    "epoch": Column(Epoch, datetime.datetime, _TIMES, junk=10**18),
    "epoch_unannotated": Column(Epoch, None, _TIMES, refused=("9999-12-31T00:00:00Z",), junk=10**18),
    "naive_epoch": Column(NaiveEpoch, datetime.datetime, _TIMES),
    "tz_datetime": Column(TzDateTime, datetime.datetime, _TIMES),
    "level": Column(NumberOf(Level), Level, (1, 2, 10), refused=(3, "x"), junk=7),
    "level_unannotated": Column(NumberOf(Level), None, (1, 2, 10), refused=(3,), junk=7),
    "color": Column(ColorText, Color, ("red", "blue"), refused=("RED", 1), junk="pink"),
    "comma_list": Column(
        CommaList, list[str], (["a"], ["a", "b"], []), refused=([1], "a"), filters=False, sorts=False
    ),
    "comma_list_unannotated": Column(
        CommaList, None, (["a"], ["a", "b"], []), refused=([1],), filters=False, sorts=False
    ),
    "sealed": Column(Sealed, str, ("a", "b", "c"), filters=False, sorts=False, junk="A"),
    "masked": Column(Masked, str, ("a", "b", "c"), sorts=False, junk="A"),
    "zipped": Column(Zipped, bytes, ("YQ==", "YWI="), filters=False, sorts=False, junk=b"x"),
    "cents": Column(Cents, Decimal, ("-1.00", "9.50", "10.25"), refused=("99999999999",), sums=True),
    "positive_cents": Column(PositiveCents, Decimal, ("1.00", "9.50", "10.25"), refused=("-1",), sums=True),
    "money": Column(Money, Decimal, ("-1.00", "9.50", "10.25"), sums=True),
    "path": Column(PathType, pathlib.PurePosixPath, ("/a", "/b/c", "/b/d"), junk=None),
    "address": Column(
        AddressType, ipaddress.IPv4Address, ("10.0.0.1", "192.0.2.1"), refused=("x",), junk="x"
    ),
    "email": Column(
        Email, str, ("A@b.c", "b@b.c", "C@b.c"), shown=("a@b.c", "b@b.c", "c@b.c"), refused=("x",)
    ),
    "phone": Column(PhoneType, PhoneNumber, ("+1", "+2"), refused=("1", 1), junk="1"),
    "model": Column(
        SettingsType,
        Settings,
        ({"theme": "a", "size": 1}, {"theme": "b", "size": 2}),
        refused=({"size": 1}, 1),
        filters=False,
        sorts=False,
    ),
    "yes_no": Column(YesNo, bool, (False, True), refused=("Y",)),
    "versioned": Column(Versioned, str, ("a", "b"), sorts=False),
    "folded": Column(Folded, str, ("aB", "c"), shown=("AB", "C"), filters=False, sorts=False),
}


class Base(DeclarativeBase): ...


def class_of(name: str) -> type[Any]:
    """A class with a column of that type, one that may be null, and a number as its key."""
    column = COLUMNS[name]
    annotations: dict[str, Any] = {"id": Mapped[int]}
    if column.annotation is not None:
        annotations |= {"value": Mapped[column.annotation], "other": Mapped[column.annotation | None]}
    members = {
        "__tablename__": f"custom_{name}",
        "__annotations__": annotations,
        "__module__": __name__,
        "id": mapped_column(primary_key=True),
        "value": mapped_column(column.type_, nullable=False),
        "other": mapped_column(column.type_, nullable=True),
    }
    return type(f"Custom_{name}", (Base,), members)


CLASSES = {name: class_of(name) for name in COLUMNS}
