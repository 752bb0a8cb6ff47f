"""What a call answered is made again from text, value by value and type by type."""

import datetime
import enum
import uuid
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from fastapi_easy.application import BulkAnswer, Upserted
from fastapi_easy.application.idempotency.stored_answers import StoredAnswers
from fastapi_easy.domain import Field, Kind, Row, Success, UnexpectedValue
from fastapi_easy.domain.changes.row import PartialRow
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.testing.resources import resource_from


class Status(enum.Enum):
    OPEN = "open"


class Plain:
    """Belongs to no resource."""


class Told(BaseModel):
    at: datetime.date
    amount: Decimal


SHAPE = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER),
        Field(name="status", kind=Kind.ENUM, enumeration=Status),
        Field(name="amount", kind=Kind.DECIMAL),
    ),
    key=("id",),
)
ANSWERS = StoredAnswers(resource_from(SHAPE, "plains", Plain))

ROW = Row(id=1, status=Status.OPEN, amount=Decimal("9.50"))

VALUES: dict[str, Any] = {
    "nothing": None,
    "texts": ["", "a", "\x00", "\ud800", "é😀"],
    "whole numbers": [0, -1, 2**80, True, False],
    "floats": [0.1, -0.0, 1e308, 5e-324],
    "decimals": [Decimal("9.50"), Decimal("1E-30"), Decimal("NaN").copy_abs().is_nan()],
    "times": [
        datetime.datetime(1, 1, 1, tzinfo=datetime.UTC),
        datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, datetime.timezone(datetime.timedelta(hours=-5))),
        datetime.datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001 (stores may hold such)
        datetime.date(9999, 12, 31),
        datetime.time(23, 59, 59, 999999),
        datetime.timedelta(days=-1, microseconds=1),
    ],
    "identifiers and bytes": [uuid.UUID(int=7), b"", b"\xff\x00"],
    "documents": {"a": [1, {"b": None}], "$": {"$": "decimal", "is": "1"}},
    "rows": ROW,
    "parts of rows": PartialRow({"id": 1}, "v-7"),
    "upserts": Upserted(ROW, created=True),
    "bulks": BulkAnswer([Success(ROW), Success(None), Success(3), Success(Upserted(ROW, created=False))]),
    "values that do not fit": Row(id=UnexpectedValue("infinity"), status=None, amount=UnexpectedValue([1])),
}


@pytest.mark.parametrize("case", VALUES)
def test_an_answer_is_what_it_was(case: str) -> None:
    value = VALUES[case]

    text = ANSWERS.write(value)
    again = ANSWERS.read(text)

    assert text.isascii()
    assert again == value
    assert repr(again) == repr(value)


def test_a_row_keeps_its_version_when_fields_are_cut() -> None:
    resource = resource_from(SHAPE, "plains", Plain)

    again = ANSWERS.read(ANSWERS.write(ROW))
    part = PartialRow({"id": again.id}, again.full_version)

    assert resource.version_of(part) == resource.version_of(ROW)


def test_models_and_sets_of_actions_are_what_an_interface_shows_of_them() -> None:
    answer = {"told": Told(at=datetime.date(2026, 1, 2), amount=Decimal("1.0")), "some": (1, 2)}

    assert ANSWERS.read(ANSWERS.write(answer)) == {
        "told": {"at": "2026-01-02", "amount": "1.0"},
        "some": [1, 2],
    }


def test_what_has_no_form_is_said_before_the_commit() -> None:
    with pytest.raises(TypeError, match="a Plain cannot be kept for retries"):
        _ = ANSWERS.write({"a": Plain()})
