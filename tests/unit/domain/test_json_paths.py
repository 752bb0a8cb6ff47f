"""What a place inside of a JSON field is, how it is declared, and which mistakes are told."""

from typing import Any

import pytest

from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.queries.ordering import Direction
from fastapi_easy.domain.resources.options import Fields, JsonPath, QueryRules
from tests.unit.domain.book import declared, mistakes_of

UNWRITABLE = (
    "cannot be written in a query: only letters, digits, hyphens and single underscores can, and no digit in"
    " front"
)


def test_a_declared_path_is_compared_and_sorted_by_like_a_field() -> None:
    rules = QueryRules(
        json_paths={"extra.a.b": JsonPath("int", indexed=True), "extra.c": str},
        filter=["title", "extra.c"],
        sort=[],
        order=["-extra.a.b"],
    )

    books = declared(query=rules)

    assert books.filterable == ("title", "extra.a.b", "extra.c")
    assert books.sortable == ("extra.a.b", "extra.c")
    path = books.paths["extra.a.b"]
    assert (path.document, path.members, path.is_indexed) == ("extra", ("a", "b"), True)
    assert (path.field.kind, path.field.nullable) == (Kind.INTEGER, True)
    (order,) = books.default_order
    assert (order.name, order.direction, order.inside) == ("extra.a.b", Direction.DESCENDING, path)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (int, 3, 3),
        (int, 3.0, 3),
        (int, 3.5, None),
        (int, True, None),
        (int, "3", None),
        (int, 2**63, None),
        (int, 1e300, None),
        (float, 3, 3.0),
        (float, 10**400, None),
        (float, False, None),
        (float, float("inf"), None),
        (str, "x", "x"),
        (str, 3, None),
        (bool, False, False),
        (bool, 0, None),
        (bool, "true", None),
    ],
)
def test_what_the_kind_cannot_hold_is_null(kind: type[Any], given: object, expected: object) -> None:
    path = declared(query=QueryRules(json_paths={"extra.a": kind})).paths["extra.a"]

    found = path.value_in({"extra": {"a": given}})

    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize("document", [None, 3, "a", [], [{"a": "x"}], {}, {"a": None}, {"b": {"a": "x"}}])
def test_what_is_not_there_is_null(document: object) -> None:
    path = declared(query=QueryRules(json_paths={"extra.a": str})).paths["extra.a"]

    assert path.value_in({"extra": document}) is None


@pytest.mark.parametrize(
    ("paths", "sentence"),
    [
        (["extra.a"], "query.json_paths is ['extra.a']: write a mapping like {'attributes.colour': str}"),
        (
            {"title.a": str},
            "query.json_paths names 'title.a', which is not inside of a readable JSON field: write 'field.member'",
        ),
        (
            {"nothing.a": str},
            "query.json_paths names 'nothing.a', which is not inside of a readable JSON field: write 'field.member'",
        ),
        ({"extra": str}, "query.json_paths names 'extra', which is a whole field: write 'field.member'"),
        ({"extra.a__b": str}, f"query.json_paths names 'extra.a__b', in which 'a__b' {UNWRITABLE}"),
        ({"extra.0": str}, f"query.json_paths names 'extra.0', in which '0' {UNWRITABLE}"),
        (
            {"extra.a": list},
            "query.json_paths names 'extra.a', as <class 'list'>: write str, int, float or bool",
        ),
    ],
)
def test_a_path_that_cannot_be_is_a_mistake(paths: Any, sentence: str) -> None:
    assert mistakes_of(query=QueryRules(json_paths=paths)) == [f"books: {sentence}"]


def test_what_is_hidden_is_not_looked_into() -> None:
    rules = QueryRules(json_paths={"extra.a": str})

    assert len(mistakes_of(query=rules, fields=Fields(hidden=["extra"]))) == 1
