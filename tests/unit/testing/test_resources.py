"""Resources made of shapes, for tests."""

import pytest

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.resources.relation import to_one
from fastapi_easy.testing import resource_from
from fastapi_easy.testing.conformance import BOOKS, SEATS, SHAPES
from fastapi_easy.testing.resources import resources_with_relations


def test_everything_is_allowed_that_the_store_does_not_fill():
    books = resource_from(BOOKS, "books", dict)

    assert (books.entity, books.stored, books.version, books.soft_delete) == (dict, dict, None, None)
    assert books.readable == tuple(each.name for each in BOOKS.fields)
    assert books.writable == tuple(each.name for each in BOOKS.fields if not each.generated)
    assert books.relations == {}


def test_the_fields_of_options_are_the_stores_to_fill():
    seats = resource_from(SEATS, "seats", dict, version="number", soft_delete="guest", stored=list)

    assert (seats.version, seats.soft_delete, seats.stored) == ("number", "guest", list)
    assert (seats.writable, seats.changeable) == (("hall",), ())
    assert seats.fields["number"].generated
    assert seats.fields["guest"].generated


def test_those_that_are_connected_lead_to_one_another():
    made = resources_with_relations(SHAPES, dict.fromkeys(SHAPES, dict))

    assert {name: list(each.relations) for name, each in made.items() if each.relations} == {
        "seats": ["tickets"],
        "authors": ["mentor", "pupils", "books"],
        "books": ["author", "reviews"],
        "reviews": ["book"],
        "tickets": ["seat"],
        "loans": ["book", "reader", "deposit"],
    }
    assert made["books"].relations["author"].target is made["authors"]
    assert {name: list(map(repr, each.references)) for name, each in made.items() if each.references} == {
        "authors": ["authors.mentor_id -> authors"],
        "books": ["books.author_id -> authors"],
        "reviews": ["reviews.book_id -> books"],
        "tickets": ["tickets.hall+number -> seats"],
        "loans": [
            "loans.book_id -> books",
            "loans.reader_id -> authors",
            "loans.deposit_id -> notes",
        ],
    }


def test_relations_that_cannot_be_are_refused():
    wrong = {"seats": {"relations": {"owner": to_one("owners", by="guest")}}}

    with pytest.raises(DeclarationError, match="owners"):
        _ = resources_with_relations({"seats": SEATS}, {"seats": dict}, options=wrong)
