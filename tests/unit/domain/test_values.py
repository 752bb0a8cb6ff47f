"""Small values: order, version, patch, row, resource, declaration errors."""

import copy
import datetime
import decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.changes.version import version_of
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.domain.queries.ordering import Direction, Sort, total_order
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.testing import resource_from

DOWN = Direction.DESCENDING


@pytest.mark.parametrize(
    ("order", "key", "expected"),
    [
        pytest.param((), ("id",), (Sort("id"),), id="nothing asked for"),
        pytest.param((Sort("a"),), ("id",), (Sort("a"), Sort("id")), id="the key comes last"),
        pytest.param((Sort("id", DOWN),), ("id",), (Sort("id", DOWN),), id="the key stays as asked for"),
        pytest.param((Sort("b"),), ("a", "b"), (Sort("b"), Sort("a")), id="the missing half of a key"),
    ],
)
def test_a_total_order_ends_with_the_key(order, key, expected):
    assert total_order(order, key) == expected


def test_equal_values_have_one_version():
    row = Row(a=1, b="x", c=None)

    assert version_of(row, ("a", "b")) == version_of(Row(b="x", a=1, c=2), ("a", "b"))
    assert len(version_of(row, ("a",))) == 24


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(1, 2, id="numbers"),
        pytest.param(None, "", id="null and the empty text"),
        pytest.param(None, "None", id="null and its name"),
        pytest.param(1, "1", id="a number and its text"),
        pytest.param(decimal.Decimal("1.0"), decimal.Decimal("1.1"), id="decimals"),
        pytest.param(datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), None, id="time and null"),
        pytest.param({"a": 1}, {"a": 2}, id="json"),
    ],
)
def test_different_values_have_different_versions(one, other):
    assert version_of(Row(a=one), ("a",)) != version_of(Row(a=other), ("a",))


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.decimals(allow_nan=False)
    | st.datetimes(timezones=st.just(datetime.UTC) | st.just(datetime.timezone(datetime.timedelta(hours=1))))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.binary()
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(), SCALARS, max_size=3)


@given(st.lists(VALUES, min_size=1, max_size=4), VALUES)
def test_versions_are_equal_when_values_are_spelt_alike_and_only_then(values, another):
    names = tuple(f"field_{number}" for number in range(len(values)))
    others = [*values[:-1], another]

    def version(given):
        return version_of(Row(zip(names, given, strict=True)), names)

    # Whatever else refers to the same objects.
    assert version(values) == version(copy.deepcopy(values)) == version([*values])
    assert (version(values) == version(others)) == (repr(values) == repr(others))


def test_a_version_is_about_the_named_fields_only():
    assert version_of(Row(a=1, b=1), ("a",)) == version_of(Row(a=1, b=2), ("a",))


def test_a_version_takes_a_lone_surrogate():
    assert version_of(Row(a="\ud800"), ("a",)) != version_of(Row(a="\ud801"), ("a",))


def test_a_patch_tells_unset_from_null():
    patch = Patch({"a": None})

    assert patch["a"] is None
    assert "b" not in patch
    assert dict(patch) == {"a": None}
    assert repr(patch) == "Patch({'a': None})"


def test_a_patch_keeps_no_hold_of_what_it_was_made_from():
    values = {"a": 1}
    patch = Patch(values)

    values["b"] = 2

    assert dict(patch) == {"a": 1}


def test_an_empty_patch_is_false():
    assert not Patch({})


def test_a_row_is_read_by_item_and_by_attribute():
    row = Row(a=1, items=[2])

    assert (row["a"], row.a) == (1, 1)
    with pytest.raises(AttributeError, match=r"no field 'b'; it has a, items"):
        _ = row.b


def test_unset_is_nothing_and_says_so():
    assert not UNSET
    assert repr(UNSET) == "UNSET"


@pytest.mark.parametrize(
    ("mistakes", "text"),
    [
        (["a"], "1 mistake in the declarations:\n  1. a"),
        (["a", "b"], "2 mistakes in the declarations:\n  1. a\n  2. b"),
    ],
)
def test_a_declaration_error_lists_every_mistake(mistakes, text):
    error = DeclarationError(mistakes)

    assert str(error) == text
    assert error.mistakes == tuple(mistakes)


@pytest.mark.parametrize(
    ("field", "required"),
    [
        (Field(name="a", kind=Kind.TEXT), True),
        (Field(name="a", kind=Kind.TEXT, nullable=True), False),
        (Field(name="a", kind=Kind.TEXT, default=""), False),
        (Field(name="a", kind=Kind.TEXT, default_factory=str), False),
        (Field(name="a", kind=Kind.TEXT, store_default=True), False),
        (Field(name="a", kind=Kind.TEXT, generated=True), False),
    ],
)
def test_a_field_is_required_when_nobody_else_fills_it(field, required):
    assert field.required is required


def test_a_key_is_one_value_or_a_tuple():
    fields = (Field(name="a", kind=Kind.TEXT), Field(name="b", kind=Kind.INTEGER))
    single = resource_from(Shape(fields=fields, key=("a",)), "things", dict)
    double = resource_from(Shape(fields=fields, key=("b", "a")), "things", dict)

    assert single.key_of(Row(a="x", b=1)) == "x"
    assert double.key_of(Row(a="x", b=1)) == (1, "x")
