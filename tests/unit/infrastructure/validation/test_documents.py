"""What an annotation says of a JSON field is asked of every document, and nothing is asked where it says nothing."""

import datetime
import decimal
import enum
import typing
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
import typing_extensions
from annotated_types import Ge, Len
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import Field as ModelField

from fastapi_easy.domain import Field, Invalid, Json, Kind, Outcome, Shape, Success
from fastapi_easy.infrastructure.entities.documents import document_type, with_document, with_items
from fastapi_easy.infrastructure.validation import PydanticValidator
from fastapi_easy.testing.resources import resource_from


class Hash(BaseModel):
    name: str = ModelField(min_length=1, alias="n")
    made: datetime.date | None = None
    parts: list["Hash"] = []


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str


@dataclass
class Point:
    x: int
    y: float = 0.5


class Size(typing_extensions.TypedDict):
    width: int
    unit: typing_extensions.NotRequired[str]


class OldSize(typing.TypedDict, total=False):
    width: typing.Required[int]
    unit: str


class Colour(enum.Enum):
    RED = "red"


HASH = {"n": "a", "made": None, "parts": []}


def read(annotation: Any, document: object, *, python: bool = False) -> Outcome[Any]:
    """What a create makes of *document* in a field that is annotated so."""
    fields = (Field(name="id", kind=Kind.INTEGER, generated=True), Field(name="doc", kind=Kind.JSON))
    shape = Shape(fields=(fields[0], with_document(fields[1], annotation)), key=("id",))
    given: Mapping[str, Any] = {"doc": document}
    return PydanticValidator(resource_from(shape, "things", object)).create(given if python else Json(given))


@pytest.mark.parametrize(
    ("annotation", "document", "stored"),
    [
        pytest.param(list[str], ["a", ""], ["a", ""], id="a list of texts"),
        pytest.param(dict[str, int], {"a": 1}, {"a": 1}, id="numbers by name"),
        pytest.param(list[Hash], [{"n": "a"}], [HASH], id="models get their defaults, called by aliases"),
        pytest.param(
            Hash,
            {"n": "a", "made": "2026-11-30", "parts": [{"n": "b"}]},
            {"n": "a", "made": "2026-11-30", "parts": [{**HASH, "n": "b"}]},
            id="a model inside of itself",
        ),
        pytest.param(Open, {"name": "a", "more": [1]}, {"name": "a", "more": [1]}, id="what a model keeps"),
        pytest.param(Point, {"x": 1}, {"x": 1, "y": 0.5}, id="a dataclass"),
        pytest.param(Size, {"width": 1}, {"width": 1}, id="a typed dictionary"),
        pytest.param(OldSize, {"width": 1, "unit": "m"}, {"width": 1, "unit": "m"}, id="one of typing"),
        pytest.param(list[OldSize], [{"width": 1}], [{"width": 1}], id="a list of such"),
        pytest.param(Literal["a", 1], 1, 1, id="a literal"),
        pytest.param(int | list[str], ["a"], ["a"], id="a union"),
        pytest.param(tuple[int, str], [1, "a"], [1, "a"], id="a tuple"),
        pytest.param(list[Colour], ["red"], ["red"], id="an enumeration"),
        pytest.param(dict[str, Any], {"a": [1, None]}, {"a": [1, None]}, id="anything by name"),
        pytest.param(dict[str, dict[str, float]], {"a": {"b": 1}}, {"a": {"b": 1.0}}, id="nested"),
    ],
)
def test_a_document_that_fits_is_stored_as_plain_json(annotation, document, stored):
    assert read(annotation, document) == Success({"doc": stored})


@pytest.mark.parametrize(
    ("annotation", "document", "pointers"),
    [
        pytest.param(list[str], {"not": "a list"}, ["/doc"], id="no list"),
        pytest.param(list[str], ["a", 1], ["/doc/1"], id="an item"),
        pytest.param(list[str], "text", ["/doc"], id="a text is no list of letters"),
        pytest.param(dict[str, int], {"a": "1"}, ["/doc/a"], id="a text is no number"),
        pytest.param(dict[str, int], {"a/b": None}, ["/doc/a~1b"], id="a name with a slash"),
        pytest.param(list[Hash], [{"nome": "x"}], ["/doc/0/n", "/doc/0/nome"], id="another name"),
        pytest.param(list[Hash], [{"name": "x"}], ["/doc/0/n", "/doc/0/name"], id="not its alias"),
        pytest.param(Hash, {"n": "a", "parts": [{"n": ""}]}, ["/doc/parts/0/n"], id="a rule inside"),
        pytest.param(Hash, {"n": "a", "made": "soon"}, ["/doc/made"], id="no date"),
        pytest.param(Open, {"name": 1}, ["/doc/name"], id="a model that keeps more"),
        pytest.param(Point, {"x": 1.5}, ["/doc/x"], id="a dataclass"),
        pytest.param(Size, {"unit": "m"}, ["/doc/width"], id="a typed dictionary"),
        pytest.param(OldSize, {"width": 1, "depth": 1}, ["/doc/depth"], id="one of typing"),
        pytest.param(Literal["a"], "b", ["/doc"], id="a literal"),
        pytest.param(
            dict[str, int | list[str]], {"a": [1]}, ["/doc/a", "/doc/a/0"], id="no branch of a union"
        ),
        pytest.param(list[Colour], ["blue"], ["/doc/0"], id="an enumeration"),
        pytest.param(Annotated[list[int], Len(1, 2)], [1, 2, 3], ["/doc"], id="too many"),
        pytest.param(list[str], None, ["/doc"], id="null"),
    ],
)
def test_a_document_that_does_not_fit_is_refused_where_it_is_wrong(annotation, document, pointers):
    refused = read(annotation, document).failure()

    assert isinstance(refused, Invalid)
    assert [fault.pointer for fault in refused.faults] == pointers
    assert read(annotation, document, python=True).failure() == refused


@pytest.mark.parametrize(
    ("annotation", "value", "stored"),
    [
        pytest.param(list[Hash], [Hash(n="a")], [HASH], id="instances of models"),
        pytest.param(Point, Point(1), {"x": 1, "y": 0.5}, id="one of a dataclass"),
        pytest.param(list[datetime.date], [datetime.date(2026, 11, 30)], ["2026-11-30"], id="dates"),
        pytest.param(list[Colour], [Colour.RED], ["red"], id="members"),
    ],
)
def test_programs_give_instances(annotation, value, stored):
    assert read(annotation, value, python=True) == Success({"doc": stored})


@pytest.mark.parametrize(
    "annotation",
    [
        *(dict, list, Any, object, dict[str, Any], list[Any]),
        *(complex, list[complex], type),
        typing.Dict,  # noqa: UP006 (as older classes have it)
    ],
)
def test_an_annotation_that_says_nothing_of_json_costs_nothing(annotation):
    assert document_type(annotation) is None


def test_defaults_are_plain_json():
    field = Field(name="doc", kind=Kind.JSON, default_factory=lambda: [Hash(n="a")])

    made = with_document(field, list[Hash])

    assert made.default_factory is not None
    assert made.default_factory() == [HASH]


def test_what_is_stored_and_does_not_fit_is_shown_as_it_is():
    documents = document_type(list[Hash])

    assert documents is not None
    assert documents.to_python([{"n": "a"}]) == [Hash(n="a")]
    assert documents.to_python([{"n": ""}, 1]) == [{"n": ""}, 1]
    with pytest.raises(ValidationError):
        _ = documents.read([1])


def read_array(annotation: Any, items: list[object], *, item: Kind = Kind.TEXT) -> Outcome[Any]:
    """What a create makes of *items* in an array field that is annotated so."""
    field = with_items(Field(name="doc", kind=Kind.ARRAY, item=item), annotation)
    shape = Shape(fields=(Field(name="id", kind=Kind.INTEGER, generated=True), field), key=("id",))
    return PydanticValidator(resource_from(shape, "things", object)).create(Json({"doc": items}))


@pytest.mark.parametrize(
    ("annotation", "item", "good", "bad"),
    [
        pytest.param(list[Literal["a", "b"]], Kind.TEXT, "a", "c", id="literals"),
        pytest.param(list[Literal[1, 2]], Kind.INTEGER, 1, 3, id="numbers"),
        pytest.param(list[Colour], Kind.TEXT, "red", "blue", id="an enumeration"),
        pytest.param(list[Annotated[int, Ge(0)]], Kind.INTEGER, 0, -1, id="a bound"),
        pytest.param(list[Annotated[str, ModelField(pattern="^a")]], Kind.TEXT, "ab", "b", id="a pattern"),
        pytest.param(list[uuid.UUID], Kind.TEXT, str(uuid.UUID(int=1)), "x", id="UUIDs in texts"),
        pytest.param(list[datetime.date], Kind.TEXT, "2026-11-30", "soon", id="dates in texts"),
        pytest.param(list[Annotated[decimal.Decimal, Ge(0)]], Kind.DECIMAL, "1.5", "-1", id="decimals"),
        pytest.param(Annotated[list[str], Len(0, 1)], Kind.TEXT, "a", 1, id="a rule about the list"),
        pytest.param(set[Literal["a"]], Kind.TEXT, "a", "c", id="a set"),
        pytest.param(list[Annotated[Literal["a"], "note"]], Kind.TEXT, "a", "c", id="metadata of others"),
    ],
)
def test_items_of_an_array_are_what_the_annotation_says(annotation, item, good, bad):
    taken = read_array(annotation, [good], item=item)
    refused = read_array(annotation, [bad], item=item).failure()

    assert isinstance(taken, Success)
    assert isinstance(refused, Invalid)
    assert {fault.pointer for fault in refused.faults} == {"/doc/0"}


def test_a_rule_about_the_array_itself_is_asked():
    refused = read_array(Annotated[list[str], Len(0, 1)], ["a", "b"]).failure()

    assert isinstance(refused, Invalid)
    assert [fault.pointer for fault in refused.faults] == ["/doc"]
