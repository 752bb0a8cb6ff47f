"""Nothing that JSON would be refused for gets in from Python, and what gets in is what JSON of it would be."""

import collections
import dataclasses
import datetime
import enum
import math
import types
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict
from returns.result import Failure, Success

from fastapi_easy.domain import UNSET, Fault, Invalid, Json, Schemas
from fastapi_easy.infrastructure.validation import PydanticValidator
from fastapi_easy.interfaces.formats.encode import encoder_of
from fastapi_easy.interfaces.formats.strict_json import read_json
from tests.unit.interfaces.http.library import VALUES, Colour, book_resource

WEST: datetime.tzinfo = datetime.timezone(datetime.timedelta(hours=-9, seconds=7))

BOOKS = book_resource()
CHECK = PydanticValidator(BOOKS)
ENCODER = encoder_of(dataclasses.replace(BOOKS, readable=BOOKS.changeable))


class Word(enum.StrEnum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(),
    st.text().map(Text),
    st.binary(),
    st.dates(),
    st.times(timezones=st.none() | st.just(datetime.UTC)),
    st.datetimes(
        timezones=st.sampled_from(
            [None, datetime.UTC, datetime.timezone(datetime.timedelta(hours=-9, seconds=7))]
        )
    ),
    st.timedeltas(),
    st.uuids(),
    st.sampled_from([*Colour, *Word, *Number, "red", "2026-01-01", "P1D", "1.5", object(), UNSET]),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(BOOKS.changeable), ANYTHING, max_size=4))
def test_what_is_taken_is_what_json_of_it_would_be_read_as(values: dict[str, Any]) -> None:
    taken = CHECK.update(values)

    kept = {} if isinstance(taken, Failure) else taken.unwrap()
    document = read_json(ENCODER.row(kept, tuple(kept))) if kept else {}
    assert CHECK.update(Json(document)) == Success(kept)
    assert all(type(value) is not Text for value in kept.values())


@pytest.mark.parametrize("wrap", [dict, types.MappingProxyType, collections.UserDict])
def test_any_mapping_will_do_and_stays_as_it_was(wrap: Any) -> None:
    inner = {"sizes": [Decimal("1.5"), {"a": (1, 2)}]}
    given_values = {**VALUES, "extra": inner, "tags": ["x"]}

    taken = CHECK.create(wrap(given_values)).unwrap()

    assert taken == {**VALUES, "extra": {"sizes": [1.5, {"a": [1, 2]}]}, "tags": ["x"]}
    assert inner == {"sizes": [Decimal("1.5"), {"a": (1, 2)}]}
    assert taken["extra"] is not inner
    assert taken["tags"] is not given_values["tags"]


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        pytest.param("title", Text("Emma"), "Emma", id="a subclass of text"),
        pytest.param("title", Word.RED, "red", id="a member that is text"),
        pytest.param("pages", Number.ONE, 1, id="a member that is a number"),
        pytest.param("price", 0.1, Decimal("0.1"), id="a float as it is spelt"),
        pytest.param("rating", 3, 3.0, id="an integer for a float"),
        pytest.param("rating", Decimal("0.5"), 0.5, id="a decimal for a float"),
        pytest.param("cover", bytearray(b"ab"), b"ab", id="bytes that can change"),
        pytest.param("colour", "blue", Colour.BLUE, id="the value of a member"),
        pytest.param("colour", Colour.BLUE, Colour.BLUE, id="a member"),
        pytest.param("colour", Word.RED, Colour.RED, id="a member of something else with the value"),
        pytest.param("extra", {Word.RED: Number.ONE}, {"red": 1}, id="members in JSON"),
        pytest.param("code", str(uuid.UUID(int=1)), uuid.UUID(int=1), id="a UUID as text"),
        pytest.param(
            "added",
            datetime.datetime(2026, 1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
            datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
            id="another zone",
        ),
    ],
)
def test_is_kept_in_the_type_of_the_field(name: str, value: Any, kept: Any) -> None:
    taken = CHECK.update({name: value}).unwrap()

    assert taken == {name: kept}
    assert type(taken[name]) is type(kept)


ENDLESS: list[Any] = []
ENDLESS += [ENDLESS, ENDLESS]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param({1: 2}, "invalid_key", id="a name that is a number"),
        pytest.param(object(), "json_type", id="an object"),
        pytest.param({"a": datetime.date(2026, 1, 1)}, "json_type", id="a date"),
        pytest.param([b"x"], "json_type", id="bytes"),
        pytest.param([{1, 2}], "json_type", id="a set"),
        pytest.param([math.nan], "finite_number", id="no number"),
        pytest.param([Decimal("sNaN")], "finite_number", id="a signalling one"),
        pytest.param([Decimal("1e999")], "finite_number", id="beyond floats"),
        pytest.param(["\udc00"], "string_unicode", id="a lone surrogate"),
        pytest.param({"\x00": 1}, "string_unicode", id="NUL in a name"),
        pytest.param(nested(64), "too_deep", id="too deep"),
        pytest.param(ENDLESS, "too_deep", id="inside itself"),
    ],
)
def test_json_holds_what_json_can_say(value: Any, code: str) -> None:
    refused = CHECK.update({"extra": value})

    assert isinstance(refused, Failure)
    assert [fault.code for fault in refused.failure().faults] == [code]


def test_is_nested_as_deep_as_over_http() -> None:
    assert isinstance(CHECK.update({"extra": nested(63)}), Success)
    assert isinstance(read_json(b'{"extra": ' + b"[" * 63 + b"]" * 63 + b"}"), dict)


def test_what_is_unset_is_left_out() -> None:
    assert CHECK.update({"note": UNSET, "rating": None}) == Success({"rating": None})


@pytest.mark.parametrize("values", [None, 7, "x", [], [("title", "x")]])
def test_what_is_no_mapping_is_told_as_in_a_body(values: Any) -> None:
    refused = CHECK.create(values)

    assert refused == CHECK.create(Json(values))
    assert isinstance(refused, Failure)


def test_names_lead_to_faults_as_in_a_body() -> None:
    refused = CHECK.update({7: 1})  # type: ignore[dict-item]

    assert refused == Failure(Invalid((Fault("/7", "Keys should be strings", "invalid_key"),)))


class Part(BaseModel):
    """Is kept as JSON."""

    made: datetime.date
    weight: Decimal


class OwnBook(BaseModel):
    """What the user says of a book."""

    model_config = ConfigDict(val_json_bytes="base64")

    title: str
    price: Decimal
    added: datetime.datetime | None = None
    cover: bytes | None = None
    colour: Colour = Colour.RED
    extra: Part | None = None
    tags: list[str] = []


OWN = PydanticValidator(dataclasses.replace(BOOKS, schemas=Schemas(create=OwnBook)))


def test_a_model_of_the_users_own_reads_values_of_a_program() -> None:
    part = Part(made=datetime.date(2026, 1, 1), weight=Decimal("1.5"))
    values = {name: VALUES[name] for name in ("title", "price", "added", "cover", "colour", "tags")}

    kept = Success({**values, "extra": {"made": "2026-01-01", "weight": "1.5"}})
    assert OWN.create({**values, "extra": part}) == kept
    assert OWN.create({**values, "extra": {"made": part.made, "weight": "1.5"}}) == kept


@pytest.mark.parametrize("name", ["title", "extra"])
def test_a_model_of_the_users_own_is_given_nothing_that_json_cannot_hold(name: str) -> None:
    refused = OWN.create({"title": "x", "price": 1, name: object()})

    assert refused == Failure(Invalid((Fault(f"/{name}", "Holds what JSON cannot", "json_type"),)))
