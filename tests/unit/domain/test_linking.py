"""Links become relations: what is connected, and every mistake with its mend."""

from dataclasses import replace
from typing import Any

import pytest

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.ordering import Direction, Sort, total_order
from fastapi_easy.domain.queries.specification import AllOf, Everything, Operator, Related, Where
from fastapi_easy.domain.resources.declaration import RESERVED_FIELDS, Declaration
from fastapi_easy.domain.resources.linking import link
from fastapi_easy.domain.resources.reference import Reference, ReferentialAction
from fastapi_easy.domain.resources.relation import Link, Through, to_many, to_one
from fastapi_easy.domain.resources.resource import Resource, Shape
from fastapi_easy.testing import resource_from


class Author: ...


class AuthorRow: ...


class Book: ...


class Stranger: ...


ID = Field(name="id", kind=Kind.INTEGER, generated=True)
AUTHORS = Shape(
    fields=(ID, Field(name="name", kind=Kind.TEXT)),
    key=("id",),
    links={"books": to_many(Book, by="author_id"), "prizes": to_many(Stranger, by="author_id")},
)
BOOKS = Shape(
    fields=(
        ID,
        Field(name="title", kind=Kind.TEXT),
        Field(name="author_id", kind=Kind.INTEGER, nullable=True),
        Field(name="deleted_at", kind=Kind.DATETIME, nullable=True),
    ),
    key=("id",),
    links={"author": to_one(Author, by="author_id")},
)
SEATS = Shape(
    fields=(Field(name="hall", kind=Kind.TEXT), Field(name="number", kind=Kind.INTEGER)),
    key=("hall", "number"),
)


class Linked:
    """The resources of an application after linking, and the mistakes that were found."""

    def __init__(self, books: Any = None, authors: Any = None, **of_authors: Any) -> None:
        shapes = {"authors": AUTHORS, "books": BOOKS, "seats": SEATS}
        entities = {"authors": Author, "books": Book, "seats": dict}
        wished = {"authors": authors, "books": books}
        self.resources: dict[str, Resource[Any]] = {
            name: resource_from(shape, name, entities[name], **(of_authors if name == "authors" else {}))
            for name, shape in shapes.items()
        }
        declarations = {
            name: Declaration(entity=entity, relations=wished.get(name)) for name, entity in entities.items()
        }
        self.mistakes = link(self.resources, declarations, shapes)

    def relations(self, name: str) -> dict[str, Any]:
        return {
            name: (each.target.name, each.many, each.local, each.remote)
            for name, each in self.resources[name].relations.items()
        }


TO_AUTHOR = {"author": ("authors", False, ("author_id",), ("id",))}
TO_BOOKS = {"books": ("books", True, ("id",), ("author_id",))}


def test_links_of_classes_become_relations_where_both_ends_are_resources():
    linked = Linked()

    assert linked.mistakes == []
    assert linked.relations("books") == TO_AUTHOR
    assert linked.relations("authors") == TO_BOOKS
    assert linked.relations("seats") == {}


def test_the_class_that_says_how_it_is_stored_is_as_good_a_target():
    books = {"writer": to_one(AuthorRow, by="author_id"), "author": to_one(Author, by="author_id")}

    assert list(Linked(books, stored=AuthorRow).relations("books")) == ["writer", "author"]


@pytest.mark.parametrize(
    ("wished", "expected"),
    [
        pytest.param(("author",), TO_AUTHOR, id="by its name"),
        pytest.param((), {}, id="none"),
        pytest.param(
            {"writer": to_one("authors", by="author_id")},
            {"writer": TO_AUTHOR["author"]},
            id="another, in place of those the class has",
        ),
    ],
)
def test_a_declaration_chooses(wished, expected):
    linked = Linked(wished)

    assert (linked.mistakes, linked.relations("books")) == ([], expected)


def test_a_target_lives_in_the_same_database():
    linked = Linked(database="archive")

    assert (linked.mistakes, linked.relations("books"), linked.relations("authors")) == ([], {}, {})


@pytest.mark.parametrize(
    ("books", "sentence"),
    [
        pytest.param(
            ("autor",),
            "books: relations names 'autor', which the entity does not have: did you mean 'author'?",
            id="a relation that is not there",
        ),
        pytest.param(
            "author",
            "books: relations is the text 'author', and not a list of names: write ['author']",
            id="a text, which would be read letter by letter",
        ),
        pytest.param(
            {"author.name": to_one("authors", by="author_id")},
            "books: relation 'author.name' must be called by a Python identifier: rename it",
            id="no identifier",
        ),
        pytest.param(
            {"prizes": to_many(Stranger, by="book_id")},
            "books: relation 'prizes' refers to Stranger, which is not a resource of database 'default': declare it "
            "there, or leave the relation out",
            id="a class that is no resource",
        ),
        pytest.param(
            {"prizes": to_many("prizes", by="book_id")},
            "books: relation 'prizes' refers to 'prizes', which is not a resource of database 'default': declare it "
            "there, or leave the relation out",
            id="a name of no resource",
        ),
        pytest.param(
            {"title": to_one("authors", by="author_id")},
            "books: relation 'title' has the name of a field: rename one of them",
            id="a relation called like a field",
        ),
        pytest.param(
            {"author": to_one("authors", by="writer_id")},
            "books: relation 'author' compares books.writer_id, which is not a field: name one",
            id="by a field of its own that is not there",
        ),
        pytest.param(
            {"authors": to_many("authors", by="book_id")},
            "books: relation 'authors' compares authors.book_id, which is not a field: name one",
            id="by a field of the other that is not there",
        ),
        pytest.param(
            {"author": to_one("authors", by="title")},
            "books: relation 'author' compares title with id of authors, which differ in number or kind: name the "
            "fields that hold the same values",
            id="a text with a number",
        ),
        pytest.param(
            {"seat": to_one("seats", by="title")},
            "books: relation 'seat' compares title with hall, number of seats, which differ in number or kind: name "
            "the fields that hold the same values",
            id="one field with two",
        ),
    ],
)
def test_mistakes(books, sentence):
    linked = Linked(books)

    assert linked.mistakes == [sentence]
    assert linked.relations("books") == {}


@pytest.mark.parametrize("name", [*sorted(RESERVED_FIELDS), "author__gt"])
def test_relations_mean_nothing_else_in_queries(name):
    linked = Linked({name: to_one("authors", by="author_id")})

    [mistake] = linked.mistakes
    assert mistake == (
        f"books: a relation cannot be called {name!r}, which is reserved in queries: rename it, or leave it "
        "out of relations"
    )
    assert linked.relations("books") == {}


def test_a_relation_that_the_declaration_names_must_be():
    linked = Linked(authors=("books", "prizes"))

    [mistake] = linked.mistakes
    assert mistake.startswith(
        "authors: relation 'prizes' refers to Stranger, which is not a resource of database"
    )


def test_what_lies_between_is_kept_and_its_ends_need_not_be_alike():
    between = Through(table="books_seats", local=("book_id",), remote=("hall", "number"))
    linked = Linked({"seats": Link(target="seats", many=True, through=between)})

    [seats] = linked.resources["books"].relations.values()

    assert linked.mistakes == []
    assert (seats.local, seats.remote, seats.through) == (("id",), ("hall", "number"), between)


ENROLMENTS = Shape(
    fields=(ID, Field(name="book", kind=Kind.INTEGER), Field(name="seat", kind=Kind.INTEGER)),
    key=("id",),
    table="marks",
    columns={"book_id": "book", "seat_id": "seat"},
)
MARKED = Through(table=object(), local=("book_id",), remote=("seat_id",), name="marks")


@pytest.mark.parametrize(
    ("through", "marks", "expected"),
    [
        pytest.param(MARKED, ENROLMENTS, (("book",), ("seat",)), id="by the names of its fields"),
        pytest.param(replace(MARKED, name=None), ENROLMENTS, None, id="a table no class could be mapped to"),
        pytest.param(replace(MARKED, name="other"), ENROLMENTS, None, id="another table"),
        pytest.param(MARKED, replace(ENROLMENTS, columns={}), None, id="without a field for a column"),
    ],
)
def test_the_resource_that_is_stored_in_what_lies_between_is_found(through, marks, expected):
    seats = Shape(fields=(ID,), key=("id",))
    books = replace(BOOKS, links={"seats": Link(target="seats", many=True, through=through)})
    shapes = {"books": books, "seats": seats, "marks": marks}
    resources = {name: resource_from(shape, name, dict) for name, shape in shapes.items()}

    mistakes = link(resources, {name: Declaration(entity=dict) for name in shapes}, shapes)
    found = resources["books"].relations["seats"].association

    assert mistakes == []
    assert (None if found is None else (found.local, found.remote)) == expected
    assert found is None or found.resource is resources["marks"]


def test_a_relation_is_called_by_its_place():
    assert repr(Linked().resources["books"].relations["author"]) == "books.author"


def test_a_relation_means_those_it_leads_from_and_nothing_deleted():
    linked = Linked()
    author = linked.resources["books"].relations["author"]
    ada = Where("name", Operator.EQUALS, "Ada")

    assert author.exists(ada) == Related(author, ada)
    assert author.exists() == Related(author, Everything())


def test_a_relation_leads_to_nothing_that_is_deleted():
    shapes = {"books": BOOKS}
    book = resource_from(BOOKS, "books", Book, soft_delete="deleted_at")
    link_ = {"same": to_one("books", by="author_id")}
    mistakes = link({"books": book}, {"books": Declaration(entity=Book, relations=link_)}, shapes)
    cheap = Where("title", Operator.EQUALS, "a")

    assert mistakes == []
    assert book.relations["same"].exists(cheap) == Related(
        book.relations["same"], AllOf((cheap, Where("deleted_at", Operator.IS_NULL, True)))
    )


@pytest.mark.parametrize(
    ("made", "here", "there"),
    [
        (to_one("seats", by="a"), ("a",), ()),
        (to_one("seats", by=["a", "b"]), ("a", "b"), ()),
        (to_many("seats", by="a"), (), ("a",)),
        (to_many("seats", by=("a", "b")), (), ("a", "b")),
    ],
)
def test_a_link_goes_by_one_field_or_several(made, here, there):
    assert (made.local, made.remote, made.many) == (here, there, bool(there))


def test_a_path_is_part_of_the_name_of_a_sort():
    author = Linked().resources["books"].relations["author"]

    assert Sort("title").name == "title"
    assert Sort("name", Direction.DESCENDING, (author,)).name == "author.name"
    assert Sort("name", path=(author, author)).name == "author.author.name"


def test_the_key_of_somebody_else_makes_no_order_total():
    author = Linked().resources["books"].relations["author"]
    theirs = Sort("id", path=(author,))

    assert total_order((theirs,), ("id",)) == (theirs, Sort("id"))


OF_BOOKS = (
    Reference(
        fields=("author_id",),
        target="author",
        remote=("no",),
        on_delete=ReferentialAction.CASCADE,
        deferred=True,
    ),
    Reference(fields=("title",), target="strangers", remote=("id",)),
)
READERS = replace(
    BOOKS,
    links={},
    table="reader",
    references=(Reference(fields=("author_id",), target="reader", remote=("id",)),),
)


def referring(authors: Shape, **of_authors: Any) -> dict[str, Resource[Any]]:
    """Two resources of readers, and books that refer to authors."""
    shapes = {
        "readers": READERS,
        "members": READERS,
        "authors": authors,
        "books": replace(BOOKS, links={}, references=OF_BOOKS),
    }
    made = {
        name: resource_from(shape, name, Author, **(of_authors if name == "authors" else {}))
        for name, shape in shapes.items()
    }
    mistakes = link(made, {name: Declaration(entity=Author) for name in made}, shapes)
    assert mistakes == []
    return made


IN_A_TABLE = replace(AUTHORS, links={}, table="author", columns={"no": "id"})


def test_foreign_keys_refer_to_the_resource_that_is_kept_in_the_table():
    made = referring(IN_A_TABLE)

    [reference] = made["books"].references
    assert (reference.source, reference.target) == (made["books"], made["authors"])
    assert (reference.fields, reference.remote) == (("author_id",), ("id",))
    assert (reference.on_delete, reference.deferred) == (ReferentialAction.CASCADE, True)


def test_of_several_resources_in_one_table_each_refers_to_itself_first():
    made = referring(IN_A_TABLE)

    assert [each.target for each in made["readers"].references] == [made["readers"]]
    assert [each.target for each in made["members"].references] == [made["members"]]


@pytest.mark.parametrize(
    ("authors", "of_authors"),
    [
        pytest.param(replace(IN_A_TABLE, table="writer"), {}, id="in another table"),
        pytest.param(IN_A_TABLE, {"database": "elsewhere"}, id="in another database"),
        pytest.param(replace(IN_A_TABLE, columns={"no": "number"}), {}, id="by a column that is no field"),
    ],
)
def test_foreign_keys_to_what_is_no_resource_are_left_out(authors: Shape, of_authors: Any):
    assert referring(authors, **of_authors)["books"].references == []
