"""What may be asked along relations: comparisons, orders and includes, and what is refused."""

from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.errors import BadQuery, Invalid
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Measure
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import Cursor
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import (
    AllOf,
    Everything,
    Not,
    Operator,
    Related,
    Specification,
    Where,
)
from tests.unit.application.library import Shelf

SHELF = Shelf()
BOOKS = SHELF.books
AUTHOR, REVIEWS = BOOKS.resource.relations["author"], BOOKS.resource.relations["reviews"]
BACK = SHELF.reviews.resource.relations["book"]
ALIVE = Where("deleted_at", Operator.IS_NULL, True)


def asked(*pairs: tuple[str, str]) -> Query:
    return BOOKS.queries.from_parameters(pairs).unwrap()


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        pytest.param(
            "author.country__in",
            "FR",
            Related(AUTHOR, Where("country", Operator.IN, ("FR",))),
            id="of one entity",
        ),
        pytest.param(
            "reviews.stars__gte",
            "4",
            Related(REVIEWS, Where("stars", Operator.GREATER_OR_EQUAL, 4)),
            id="of any of many",
        ),
        pytest.param(
            "reviews.book.copies",
            "1",
            Related(REVIEWS, Related(BACK, AllOf((Where("copies", Operator.EQUALS, 1), ALIVE)))),
            id="two relations away, not to deleted ones",
        ),
        pytest.param("reviews__isnull", "true", Not(Related(REVIEWS, Everything())), id="there is none"),
        pytest.param("author__isnull", "false", Related(AUTHOR, Everything()), id="there is one"),
        pytest.param(
            "author.books__isnull",
            "false",
            Related(AUTHOR, Related(AUTHOR.target.relations["books"], ALIVE)),
            id="there is one, two relations away",
        ),
    ],
)
def test_a_path_asks_for_at_least_one_related_match(name: str, value: str, meant: Specification) -> None:
    assert asked((name, value)).specification == meant


def test_an_object_in_a_tree_is_about_one_related_entity() -> None:
    tree = {"reviews": {"stars": 5, "text__contains": "dull"}}

    one = AllOf((Where("stars", Operator.EQUALS, 5), Where("text", Operator.CONTAINS, "dull")))
    assert BOOKS.queries.condition(tree, "/where") == Success(Related(REVIEWS, one))


def test_an_order_follows_relations_to_one_entity() -> None:
    assert asked(("sort", "-author.name,id")).order == (
        Sort("name", Direction.DESCENDING, (AUTHOR,)),
        Sort("id"),
    )


def test_a_cursor_knows_the_values_along_a_path() -> None:
    query = asked(("sort", "author.name"))

    for values in (("Zola", 7), (None, 7)):
        token = BOOKS.queries.sign(query, Cursor(values))
        again = asked(("sort", "author.name"), ("cursor", token))
        assert again.page.after == Cursor(values)


def test_includes_take_limit_order_and_fields() -> None:
    query = asked(
        ("include", "author,reviews.book"),
        ("reviews.limit", "3"),
        ("reviews.sort", "-stars"),
        ("fields", "id,author.name"),
    )

    author, reviews = query.includes
    assert query.fields == ("id",)
    assert (author.relation, author.query.fields) == (AUTHOR, ("name",))
    assert (reviews.relation, reviews.query.page.limit) == (REVIEWS, 3)
    assert reviews.query.order == (Sort("stars", Direction.DESCENDING),)
    assert [each.relation for each in reviews.query.includes] == [BACK]


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param(["author", "reviews.book"], id="a list of paths"),
        pytest.param("author, reviews.book", id="text"),
        pytest.param({"author": {}, "reviews": {"include": ["book"]}}, id="an object"),
    ],
)
def test_a_search_includes_in_json(tree: Any) -> None:
    document = BOOKS.queries.from_document({"include": tree}).unwrap()

    assert document == asked(("include", "author,reviews.book"))


def test_an_include_object_takes_the_same_options_as_parameters() -> None:
    tree = {"reviews": {"limit": 3, "sort": "-stars", "fields": ["stars"]}, "author": {"fields": "name"}}

    (reviews, author) = BOOKS.queries.from_document({"include": tree}).unwrap().includes

    assert (reviews.query.page.limit, reviews.query.fields) == (3, ("stars",))
    assert reviews.query.order == (Sort("stars", Direction.DESCENDING),)
    assert author.query.fields == ("name",)


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        pytest.param([("include", "autor")], "bad_query", id="unknown relation"),
        pytest.param([("include", "reviews.book.author")], "invalid", id="too deep"),
        pytest.param([("reviews.limit", "3")], "bad_query", id="said about what is not included"),
        pytest.param([("include", "author"), ("author.limit", "3")], "bad_query", id="limit of one"),
        pytest.param([("include", "reviews"), ("reviews.limit", "101")], "invalid", id="too many of each"),
        pytest.param([("include", "reviews"), ("reviews.limit", "x")], "invalid", id="no number"),
        pytest.param([("include", "reviews"), ("reviews.sort", "star")], "bad_query", id="no such field"),
        pytest.param([("fields", "author.nam")], "bad_query", id="no such field of the related"),
        pytest.param([("sort", "reviews.stars")], "bad_query", id="order by one of many"),
        pytest.param([("author.country__foo", "x")], "bad_query", id="no such operator"),
        pytest.param([("reviews.book.author.name", "x")], "bad_query", id="three relations away"),
        pytest.param([("include", "")], None, id="nothing named is nothing included"),
    ],
)
def test_what_cannot_be_followed_is_refused(pairs: list[tuple[str, str]], code: str | None) -> None:
    read = BOOKS.queries.from_parameters(pairs)

    assert (read.failure().code if isinstance(read, Failure) else None) == code


def test_too_many_includes_name_the_limit() -> None:
    reader = Shelf().authors.queries
    wide = "books.author,books.reviews"

    assert not isinstance(reader.from_parameters([("include", wide)]), Failure)
    object.__setattr__(reader.limits, "includes", 2)
    refused = reader.from_parameters([("include", wide)])
    assert isinstance(refused, Failure)
    error = refused.failure()
    assert isinstance(error, Invalid)
    assert "2 relations" in error.faults[0].message


def test_a_single_entity_takes_fields_and_includes_only() -> None:
    query = BOOKS.queries.for_single_entity(
        [("fields", "id"), ("include", "reviews"), ("reviews.limit", "2")]
    ).unwrap()

    assert (query.fields, query.includes[0].query.page.limit) == (("id",), 2)
    for name in ("limit", "sort", "where", "title"):
        assert isinstance(BOOKS.queries.for_single_entity([(name, "1")]), Failure)


def test_numbers_are_asked_for_by_field_and_function() -> None:
    read = BOOKS.queries.aggregation(
        [("group_by", "author_id"), ("total", "sum:copies,count"), ("copies__gte", "1"), ("limit", "5")]
    )

    assert read == Success(
        Aggregation(
            measures=(Measure(Function.SUM, "copies"), Measure(Function.COUNT)),
            group_by=("author_id",),
            specification=Where("copies", Operator.GREATER_OR_EQUAL, 1),
            limit=5,
        )
    )


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        pytest.param([("total", "sum:title")], "bad_query", id="a sum of text"),
        pytest.param([("total", "summ:copies")], "bad_query", id="no such function"),
        pytest.param([("group_by", "autor_id")], "bad_query", id="no such field"),
        pytest.param([("sort", "id")], "bad_query", id="an order"),
        pytest.param([("limit", "1001")], "invalid", id="too many groups"),
        pytest.param([("offset", "-1")], "invalid", id="below nothing"),
        pytest.param([("limit", "1"), ("limit", "2")], "bad_query", id="twice"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(pairs: list[tuple[str, str]], error: str) -> None:
    read = BOOKS.queries.aggregation(pairs)

    assert isinstance(read, Failure)
    assert read.failure().code == error


def test_a_suggestion_is_made_along_a_path() -> None:
    refused = BOOKS.queries.from_parameters([("author.contry", "FR")])

    assert refused == Failure(BadQuery("author.contry", "Is not a parameter here", "author.country"))
