"""What callers give becomes the values of a command, in the types of the store."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import AfterValidator, BaseModel
from pydantic import Field as ModelField

from fastapi_easy.domain import (
    Failure,
    Fault,
    Field,
    Invalid,
    Json,
    Kind,
    Outcome,
    Schemas,
    Shape,
    Success,
)
from fastapi_easy.infrastructure.validation import PydanticValidator, find_schema_mistakes
from fastapi_easy.testing.resources import resource_from
from tests.counted_calls import counted_calls
from tests.unit.interfaces.http.library import BOOK, EVERYTHING, VALUES, book_resource


def books(**replaced: Any) -> PydanticValidator:
    return PydanticValidator(book_resource(**replaced))


def faults_of(outcome: Outcome[Any]) -> list[tuple[str, str]]:
    """Where which fault is."""
    assert isinstance(outcome, Failure), outcome
    error = outcome.failure()
    assert isinstance(error, Invalid)
    return [(fault.pointer, fault.code) for fault in error.faults]


def test_every_kind_arrives_as_its_python_type() -> None:
    read = books().create(Json(EVERYTHING)).unwrap()

    assert read == VALUES
    assert {name: type(value) for name, value in read.items()} == {
        name: type(value) for name, value in VALUES.items()
    }


def test_only_what_was_set_is_there() -> None:
    assert books().create(Json(BOOK)) == Success({"title": "Ada", "price": Decimal("12.50")})
    assert books().update(Json({"note": None})) == Success({"note": None})
    assert books().update(Json({})) == Success({})


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        pytest.param("title", "", "string_too_short", id="text too short"),
        pytest.param("title", "x" * 51, "string_too_long", id="text too long"),
        pytest.param("title", 1, "string_type", id="a number for text"),
        pytest.param("title", None, "string_type", id="null for what cannot be null"),
        pytest.param("pages", "1", "int_type", id="text for a number"),
        pytest.param("pages", Decimal("1.0"), "int_type", id="a fraction for an integer"),
        pytest.param("pages", True, "int_type", id="a truth for an integer"),
        pytest.param("pages", 2**31, "less_than_equal", id="wider than the column"),
        pytest.param("pages", -(2**31) - 1, "greater_than_equal", id="deeper than the column"),
        pytest.param("price", "12.505", "decimal_max_places", id="too many places"),
        pytest.param("price", "123456789.00", "decimal_whole_digits", id="too many digits"),
        pytest.param("price", "1e2", "decimal_parsing", id="an exponent in text"),
        pytest.param("price", "NaN", "decimal_parsing", id="no number"),
        pytest.param("price", True, "decimal_type", id="a truth for a decimal"),
        pytest.param("price", [], "decimal_type", id="a list for a decimal"),
        pytest.param("price", -1, "greater_than_equal", id="a rule of the field"),
        pytest.param("rating", "4.5", "float_type", id="text for a float"),
        pytest.param("rating", 10**400, "finite_number", id="an integer beyond floats"),
        pytest.param("in_print", 1, "bool_type", id="a number for a truth"),
        pytest.param("published", "2026-13-01", "date_parsing", id="no such month"),
        pytest.param("published", 20261123, "string_type", id="a number for a date"),
        pytest.param("published", "1700000000", "date_parsing", id="a timestamp for a date"),
        pytest.param("added", "2026-11-23T08:30:00", "timezone_aware", id="no offset"),
        pytest.param("added", "0001-01-01T00:00:00+10:00", "datetime_parsing", id="before the first year"),
        pytest.param("added", 1700000000, "string_type", id="a timestamp for a time"),
        pytest.param("opens", "25:00", "time_parsing", id="no such hour"),
        pytest.param("reading_time", "1 day", "duration_parsing", id="no duration"),
        pytest.param("reading_time", "P9999999999D", "duration_parsing", id="out of reach"),
        pytest.param("code", "nope", "uuid_parsing", id="no UUID"),
        pytest.param("cover", "a?", "base64", id="no base64"),
        pytest.param("cover", "A" * 44, "bytes_too_long", id="too many bytes"),
        pytest.param("colour", "green", "enum", id="no member"),
        pytest.param("colour", "RED", "enum", id="the name of a member"),
        pytest.param("colour", [], "enum", id="a list for a member"),
        pytest.param("extra", {"a": 2**70}, "int_range", id="more than 64 bits"),
        pytest.param("tags", "x", "list_type", id="text for a list"),
        pytest.param("nope", 1, "extra_forbidden", id="no such field"),
        pytest.param("secret", "x", "extra_forbidden", id="a hidden field"),
        pytest.param("id", 1, "extra_forbidden", id="a generated field"),
    ],
)
def test_refuses_what_is_not_of_the_field(field: str, value: Any, code: str) -> None:
    for check, body in (
        (books().create, {**BOOK, field: value}),
        (books().update, {field: value}),
    ):
        assert faults_of(check(Json(body))) == faults_of(check(body)) == [(f"/{field}", code)]


def test_numbers_of_json_become_decimals_exactly() -> None:
    check = books().update

    assert check(Json({"price": Decimal("0.1")})) == Success({"price": Decimal("0.1")})
    assert check(Json({"price": 3})) == Success({"price": Decimal(3)})


def test_items_have_pointers_of_their_own() -> None:
    refused = books().update(Json({"tags": ["x", 1]}))

    assert faults_of(refused) == [("/tags/1", "string_type")]


def test_free_json_keeps_floats_and_text() -> None:
    read = books().update(Json({"extra": {"a": [Decimal("0.5"), "x", None, True]}}))

    assert read == Success({"extra": {"a": [0.5, "x", None, True]}})


def test_no_message_repeats_the_input() -> None:
    hostile = "zqj{0}%s$"
    bodies = [{name: hostile} for name in EVERYTHING if name not in {"title", "note", "extra"}]

    refused = [books().update(Json(body)) for body in bodies]

    assert all(isinstance(each, Failure) for each in refused)
    assert hostile not in str(refused)


def test_rules_of_the_field_run() -> None:
    def no_shouting(text: str) -> str:
        if text.isupper():
            raise ValueError("Do not shout")
        return text

    field = Field(name="name", kind=Kind.TEXT, rules=(AfterValidator(no_shouting),))
    key = Field(name="id", kind=Kind.INTEGER, generated=True)
    check = PydanticValidator(resource_from(Shape(fields=(key, field), key=("id",)), "things", object)).create

    assert check(Json({"name": "quiet"})) == Success({"name": "quiet"})
    assert check({"name": "LOUD"}) == Failure(Invalid((Fault("/name", "Do not shout", "value_error"),)))


@pytest.mark.parametrize("name", ["json", "copy", "schema", "model_config", "_hidden", "class", "validate"])
def test_a_field_may_have_any_name(name: str) -> None:
    fields = (Field(name="id", kind=Kind.INTEGER), Field(name=name, kind=Kind.TEXT))
    made = PydanticValidator(resource_from(Shape(fields=fields, key=("id",)), "things", object))

    assert made.create(Json({"id": 1, name: "x"})) == Success({"id": 1, name: "x"})


class OwnBook(BaseModel):
    title: str
    price: Decimal = Decimal("9.99")
    rating: float | None = None
    note: str | None = None
    confirmed: bool = ModelField(default=False, exclude=True)


class OwnPatch(BaseModel):
    title: str = ""
    note: str | None = None


def test_a_model_of_the_users_own_reads_strictly_and_exactly() -> None:
    check = books(schemas=Schemas(create=OwnBook)).create

    assert check(Json({"title": "x", "price": Decimal("0.12345678901234567890")})) == Success(
        {"title": "x", "price": Decimal("0.12345678901234567890")}
    )
    assert check(Json({"title": "x", "rating": Decimal("4.5"), "confirmed": True})) == Success(
        {"title": "x", "rating": 4.5, "price": Decimal("9.99")}
    )
    for body in ({"title": 1}, {"title": "x", "nope": 1}, {}, [], {"title": "x", "rating": "4.5"}):
        assert isinstance(check(Json(body)), Failure)


def test_a_patch_model_of_the_users_own_tells_unset_from_null() -> None:
    check = books(schemas=Schemas(update=OwnPatch)).update

    assert check(Json({"note": None})) == Success({"note": None})
    assert check(Json({})) == Success({})


def test_replace_leaves_out_what_is_fixed_at_creation() -> None:
    made = books(changeable=("price",))

    assert made.replace(Json({"price": 1})) == Success({"price": Decimal(1)})
    assert faults_of(made.replace(Json({"price": 1, "title": "x"}))) == [("/title", "extra_forbidden")]


def test_mistakes_in_own_schemas_are_reported_with_their_mend() -> None:
    class Wrong(BaseModel):
        titel: str

    class Demanding(BaseModel):
        title: str

    mistakes = find_schema_mistakes(
        book_resource(schemas=Schemas(create=Wrong, update=Demanding, read=dict))  # type: ignore[arg-type]
    )

    assert len(mistakes) == 3
    assert "titel" in mistakes[0]
    assert "requires 'title'" in mistakes[1]
    assert "BaseModel" in mistakes[2]
    assert find_schema_mistakes(book_resource()) == []


CALLS = 60_000
"""Calls to describe a resource and to check three bodies; 26,291 were counted."""


def test_each_of_many_resources_is_described_with_as_little_work_as_the_first_ones() -> None:
    found = []
    for number in range(20):
        resource = book_resource(name=f"books{number}")
        with counted_calls() as counted:
            made = PydanticValidator(resource)
            for check in (made.create, made.update, made.replace):
                _ = check(Json({}))
        found.append(counted.calls)

    # The first makes what is made once, and a collection of garbage counts with whichever it falls into.
    early, late = min(found[1:10]), min(found[10:])
    assert late <= 1.1 * early
    assert late < CALLS
