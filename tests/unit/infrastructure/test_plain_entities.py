"""Plain classes → shapes."""

import dataclasses
import datetime
import decimal
import enum
import re
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, NewType

import pytest
from annotated_types import Ge, Len, MaxLen, MinLen
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.field import UNSET, Kind
from fastapi_easy.infrastructure.entities.plain import (
    describe,
    entity_from,
    recognises,
    values_of,
)
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository
from fastapi_easy.testing import resource_from

Isbn = NewType("Isbn", str)


class Size(enum.Enum):
    SMALL = 1


class Base(DeclarativeBase): ...


class Sheet(Base):
    __tablename__ = "mapped"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (str, Kind.TEXT),
        (Isbn, Kind.TEXT),
        (int, Kind.INTEGER),
        (bool, Kind.BOOLEAN),
        (float, Kind.FLOAT),
        (decimal.Decimal, Kind.DECIMAL),
        (datetime.date, Kind.DATE),
        (datetime.time, Kind.TIME),
        (datetime.datetime, Kind.DATETIME),
        (AwareDatetime, Kind.DATETIME),
        (datetime.timedelta, Kind.DURATION),
        (uuid.UUID, Kind.UUID),
        (bytes, Kind.BINARY),
        (Size, Kind.ENUM),
        (dict, Kind.JSON),
        (dict[str, int], Kind.JSON),
        (Any, Kind.JSON),
        (list, Kind.JSON),
        (list[dict[str, int]], Kind.JSON),
        (list[str], Kind.ARRAY),
        (list[int], Kind.ARRAY),
    ],
)
@pytest.mark.parametrize("nullable", [False, True])
def test_kinds_come_from_annotations(annotation, kind, nullable):
    given = annotation | None if nullable and annotation is not Any else annotation
    made = dataclasses.make_dataclass("Made", [("id", str), ("x", given)])

    found = describe(made).fields[1]

    assert (found.kind, found.nullable) == (kind, nullable and annotation is not Any)
    assert found.enumeration is (Size if annotation is Size else None)
    assert found.item is {list[str]: Kind.TEXT, list[int]: Kind.INTEGER}.get(annotation)


@pytest.mark.parametrize(
    ("annotation", "lengths"),
    [
        (Annotated[str, MaxLen(3)], (None, 3)),
        (Annotated[str, MinLen(1), MaxLen(3)], (1, 3)),
        (Annotated[str, Len(1, 3)], (1, 3)),
        (Annotated[str | None, Field(min_length=1, max_length=3)], (1, 3)),
        (Annotated[str, MaxLen(3)] | None, (None, 3)),
        (Annotated[list[str], MaxLen(3)], (None, 3)),
    ],
)
def test_lengths_come_from_metadata(annotation, lengths):
    made = dataclasses.make_dataclass("Made", [("id", str), ("x", annotation)])

    found = describe(made).fields[1]

    assert (found.min_length, found.max_length) == lengths


def test_metadata_is_kept_as_rules():
    class Book(BaseModel):
        id: int
        pages: Annotated[int, Ge(1)]
        price: decimal.Decimal = Field(ge=0, max_digits=10, decimal_places=2, description="In euros.")

    _, pages, price = describe(Book).fields

    assert pages.rules == (Ge(1),)
    assert Ge(0) in price.rules
    assert (price.precision, price.scale, price.description) == (10, 2, "In euros.")


def test_a_counted_key_is_generated():
    @dataclass
    class Book:
        id: int | None = None

    class Model(BaseModel):
        id: int | None = None

    for entity in (Book, Model):
        key = describe(entity).fields[0]
        assert (key.generated, key.nullable, key.default) == (True, False, UNSET)


def test_a_key_of_text_that_may_be_none_is_made_by_the_store():
    @dataclass
    class Plain:
        id: str | None = None

    class Model(BaseModel):
        id: str | None = None

    class Named(BaseModel):
        id: str

    for entity in (Plain, Model):
        key = describe(entity).fields[0]
        assert (key.kind, key.generated, key.nullable, key.default) == (Kind.TEXT, True, False, UNSET)
    assert not describe(Named).fields[0].generated


async def test_keys_of_text_that_memory_makes_differ_and_go_up():
    class Model(BaseModel):
        id: str | None = None

    models = MemoryRepository(resource_from(describe(Model), "models", Model), MemoryDatabase())

    keys = [(await models.add({})).unwrap().id for _ in range(20)]

    assert keys == sorted(set(keys))
    assert all(re.fullmatch("[0-9a-f]{24}", key) for key in keys)


def test_a_uuid_key_makes_itself():
    class Model(BaseModel):
        id: uuid.UUID = Field(default_factory=uuid.uuid4)

    key = describe(Model).fields[0]

    assert (key.generated, key.default_factory) == (False, uuid.uuid4)


def test_key_and_uniqueness_come_from_marks():
    @dataclass
    class Seat:
        __unique__: ClassVar = ("code", ("guest", "row"))
        hall: str = field(metadata={"key": True})
        row: int = field(metadata={"key": True})
        code: str
        guest: str
        badge: str = field(metadata={"unique": True})

    class Model(BaseModel):
        __key__: ClassVar = ("b", "a")
        __unique__: ClassVar = ("c",)
        a: str
        b: str
        c: str

    seat, model = describe(Seat), describe(Model)

    assert seat.key == ("hall", "row")
    assert set(seat.unique) == {("badge",), ("code",), ("guest", "row")}
    assert {each.name for each in seat.fields if each.unique} == {"badge", "code"}
    assert (model.key, model.unique) == (("b", "a"), (("c",),))


def test_every_mistake_is_named_at_once():
    @dataclass
    class Book:
        __unique__: ClassVar = ("isbn",)
        title: complex
        either: int | complex

    with pytest.raises(DeclarationError) as caught:
        describe(Book)

    text = str(caught.value)
    assert len(caught.value.mistakes) == 4
    for part in ("no field 'id'", "'isbn', which is not a field", "Book.title", "Book.either"):
        assert part in text


@pytest.mark.parametrize(
    ("entity", "expected"), [(Sheet, False), (dict, False), (Size, False), (BaseModel, True)]
)
def test_recognises_plain_classes_only(entity, expected):
    assert recognises(entity) is expected


def test_an_entity_of_any_kind_becomes_values_and_back():
    @dataclass(frozen=True, slots=True)
    class Frozen:
        id: int
        name: str | None = None
        made: str = field(init=False, default="here")

    class Model(BaseModel):
        id: int
        name: str | None = Field(default=None, alias="Name", max_length=1)

    for entity in (Frozen, Model):
        resource = resource_from(describe(entity), "things", entity)
        row = Row({"id": 1, "name": "longer", **({"made": "there"} if entity is Frozen else {})})
        made = entity_from(resource, row)
        assert type(made) is entity
        assert values_of(resource, made) == row


def test_what_an_orm_entity_was_never_given_is_left_out():
    shape = describe(
        dataclasses.make_dataclass("Made", [("id", int | None, None), ("name", str | None, None)])
    )
    resource = resource_from(shape, "things", Sheet)

    assert values_of(resource, Sheet()) == {}
    assert values_of(resource, Sheet(name=None)) == {"name": None}
    assert values_of(resource, Sheet(id=1)) == {"id": 1}
