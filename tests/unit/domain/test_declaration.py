"""What declaring promises: every mistake as a sentence with its mend, or a resource without contradictions."""

from dataclasses import dataclass
from typing import Any

import pytest

from fastapi_easy.domain.declaration import RESERVED_FIELDS, Declaration, declare
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.options import (
    EVERY_OPERATION,
    READ_ONLY,
    Fields,
    Operation,
    QueryRules,
    Schemas,
)
from fastapi_easy.domain.ordering import Direction, Sort
from fastapi_easy.domain.resource import Resource, Shape


class Book:
    """A book in
    the shop.

    Everything else about it.
    """


FIELDS = (
    Field(name="id", kind=Kind.INTEGER, generated=True),
    Field(name="title", kind=Kind.TEXT),
    Field(name="isbn", kind=Kind.TEXT, nullable=True),
    Field(name="price", kind=Kind.DECIMAL, default=0),
    Field(name="sold", kind=Kind.BOOLEAN, default=False),
    Field(name="tags", kind=Kind.ARRAY, item=Kind.TEXT, default_factory=list),
    Field(name="extra", kind=Kind.JSON, default_factory=dict),
    Field(name="cover", kind=Kind.BINARY, nullable=True),
)
SHAPE = Shape(fields=FIELDS, key=("id",), unique=(("title", "isbn"),))
ALL = ("id", "title", "isbn", "price", "sold", "tags", "extra", "cover")
GIVEN = ALL[1:]


def declared(shape: Shape = SHAPE, **options: Any) -> Resource[Book]:
    resource, mistakes = declare("books", Declaration(entity=Book, **options), shape)
    assert resource is not None
    assert mistakes == ()
    return resource


def mistakes_of(name: str = "books", shape: Shape = SHAPE, **options: Any) -> list[str]:
    resource, mistakes = declare(name, Declaration(entity=Book, **options), shape)
    assert (resource is None) == bool(mistakes)
    return list(mistakes)


def test_a_plain_declaration_allows_what_makes_sense_for_each_kind() -> None:
    book = declared()

    assert (book.readable, book.writable, book.changeable) == (ALL, GIVEN, GIVEN)
    assert book.filterable == ("id", "title", "isbn", "price", "sold", "tags", "cover")
    assert book.sortable == ("id", "title", "isbn", "price", "sold")
    assert (book.searchable, book.default_order) == ((), ())
    assert book.operations == frozenset(EVERY_OPERATION) - {Operation.RESTORE, Operation.UPSERT}
    assert book.fields == {field.name: field for field in FIELDS}


def test_what_is_said_is_passed_on() -> None:
    schemas, query = Schemas(read=Book), QueryRules(limit=5, max_limit=5)

    book = declared(
        schemas=schemas, query=query, database="archive", actions={"sell": Book}, operations=READ_ONLY
    )

    assert (book.name, book.entity, book.key, book.unique) == ("books", Book, ("id",), (("title", "isbn"),))
    assert (book.schemas, book.query, book.database) == (schemas, query, "archive")
    assert book.actions == {"sell": Book}
    assert book.operations == frozenset(READ_ONLY)


@pytest.mark.parametrize(
    ("fields", "readable", "writable", "changeable"),
    [
        pytest.param(
            Fields(read=("title", "id")), ("title", "id"), GIVEN, GIVEN, id="read, in the order it was said"
        ),
        pytest.param(Fields(write=("title",)), ALL, ("title",), ("title",), id="write"),
        pytest.param(
            Fields(hidden=("isbn", "cover")),
            ("id", "title", "price", "sold", "tags", "extra"),
            ("title", "price", "sold", "tags", "extra"),
            ("title", "price", "sold", "tags", "extra"),
            id="hidden is neither read nor written",
        ),
        pytest.param(
            Fields(create_only=("title", "tags")),
            ALL,
            GIVEN,
            ("isbn", "price", "sold", "extra", "cover"),
            id="fixed once created",
        ),
        pytest.param(
            Fields(read=("id",), write=("title", "isbn"), create_only=("isbn",)),
            ("id",),
            ("title", "isbn"),
            ("title",),
            id="written but not read",
        ),
        pytest.param(Fields(read=("id", "id", "title")), ("id", "title"), GIVEN, GIVEN, id="each once"),
    ],
)
def test_fields_say_who_may_do_what(
    fields: Fields, readable: tuple[str, ...], writable: tuple[str, ...], changeable: tuple[str, ...]
) -> None:
    book = declared(fields=fields)

    assert (book.readable, book.writable, book.changeable) == (readable, writable, changeable)


def test_a_key_that_callers_give_is_writable_but_never_changes() -> None:
    shape = Shape(
        fields=(Field(name="isbn", kind=Kind.TEXT), Field(name="title", kind=Kind.TEXT)), key=("isbn",)
    )

    book = declared(shape)

    assert (book.writable, book.changeable) == (("isbn", "title"), ("title",))


@pytest.mark.parametrize(
    ("rules", "filterable", "sortable", "searchable", "order"),
    [
        pytest.param(
            QueryRules(filter=("price", "id")), ("price", "id"), ("id", "title", "price"), (), (), id="filter"
        ),
        pytest.param(QueryRules(filter=(), sort=()), (), (), (), (), id="nothing"),
        pytest.param(QueryRules(sort=("price",)), ("id", "title", "price"), ("price",), (), (), id="sort"),
        pytest.param(
            QueryRules(search=("title",)),
            ("id", "title", "price"),
            ("id", "title", "price"),
            ("title",),
            (),
            id="q",
        ),
        pytest.param(
            QueryRules(order=("-price", "title"), sort=()),
            ("id", "title", "price"),
            (),
            (),
            (Sort("price", Direction.DESCENDING), Sort("title")),
            id="an order that callers cannot ask for",
        ),
    ],
)
def test_rules_say_what_may_be_asked(
    rules: QueryRules,
    filterable: tuple[str, ...],
    sortable: tuple[str, ...],
    searchable: tuple[str, ...],
    order: tuple[Sort, ...],
) -> None:
    book = declared(fields=Fields(read=("id", "title", "price", "extra")), query=rules)

    assert (book.filterable, book.sortable) == (filterable, sortable)
    assert (book.searchable, book.default_order) == (searchable, order)


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        pytest.param(["get", "list"], {Operation.GET, Operation.LIST}, id="by their names"),
        pytest.param([Operation.GET, "get"], {Operation.GET}, id="twice is once"),
        pytest.param([], set(), id="none"),
    ],
)
def test_operations_are_those_named(operations: list[Operation | str], expected: set[Operation]) -> None:
    assert declared(operations=operations).operations == expected


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        pytest.param(
            Fields(read=("id", "titel")),
            "books: fields.read names 'titel', which the entity does not have: did you mean 'title'?",
            id="read a misspelt field",
        ),
        pytest.param(
            Fields(hidden=("zzz",)),
            "books: fields.hidden names 'zzz', which the entity does not have: remove it",
            id="hide what is not there",
        ),
        pytest.param(
            Fields(write=("title", "id")),
            "books: fields.write names 'id', which callers cannot write: remove it",
            id="write what the store fills",
        ),
        pytest.param(
            Fields(read=("id", "isbn"), hidden=("isbn",)),
            "books: fields.read names 'isbn', which fields.hidden hides: remove it from one of them",
            id="read what is hidden",
        ),
        pytest.param(
            Fields(write=("title", "isbn"), hidden=("isbn",)),
            "books: fields.write names 'isbn', which fields.hidden hides: remove it from one of them",
            id="write what is hidden",
        ),
        pytest.param(
            Fields(read=("title",)),
            "books: 'id' is part of the key and must be readable: add it to fields.read, do not hide it",
            id="a key that cannot be read",
        ),
        pytest.param(
            Fields(hidden=("id",)),
            "books: 'id' is part of the key and must be readable: add it to fields.read, do not hide it",
            id="a hidden key",
        ),
        pytest.param(
            Fields(write=("title",), create_only=("isbn",)),
            "books: fields.create_only names 'isbn', which cannot be written: remove it",
            id="fix what cannot be written",
        ),
        pytest.param(
            Fields(write=("isbn",)),
            "books: create cannot work while 'title' has no default and callers cannot write it: "
            "give it a default, make it writable, or leave 'create' out of operations",
            id="create without what is needed",
        ),
    ],
)
def test_contradictions_about_fields(fields: Fields, sentence: str) -> None:
    assert mistakes_of(fields=fields) == [sentence]


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        pytest.param(
            QueryRules(filter=("pric",)),
            "books: query.filter names 'pric', which is not a readable field that can be compared: "
            "did you mean 'price'?",
            id="filter by a misspelt field",
        ),
        pytest.param(
            QueryRules(filter=("extra",)),
            "books: query.filter names 'extra', which is not a readable field that can be compared: remove it",
            id="filter by what cannot be compared",
        ),
        pytest.param(
            QueryRules(filter=("isbn",)),
            "books: query.filter names 'isbn', which is not a readable field that can be compared: remove it",
            id="filter by a hidden field",
        ),
        pytest.param(
            QueryRules(sort=("tags",)),
            "books: query.sort names 'tags', which is not a readable field that has an order: remove it",
            id="sort by what has no order",
        ),
        pytest.param(
            QueryRules(search=("price",)),
            "books: query.search names 'price', which is not a readable text field: remove it",
            id="search what is no text",
        ),
        pytest.param(
            QueryRules(order=("-titel",)),
            "books: query.order names 'titel', which is not a readable field that has an order: "
            "did you mean 'title'?",
            id="order by a misspelt field",
        ),
        pytest.param(
            QueryRules(limit=101),
            "books: query.limit is 101: set it between 1 and query.max_limit, 100",
            id="more on a page than the most",
        ),
        pytest.param(
            QueryRules(limit=0),
            "books: query.limit is 0: set it between 1 and query.max_limit, 100",
            id="empty pages",
        ),
    ],
)
def test_contradictions_about_queries(rules: QueryRules, sentence: str) -> None:
    assert mistakes_of(query=rules, fields=Fields(hidden=("isbn",))) == [sentence]


@pytest.mark.parametrize("name", ["2books", "my-books", "", "_books", "a b"])
def test_names_that_are_none(name: str) -> None:
    sentence = "the name must be a Python identifier without a leading underscore: rename the attribute"

    assert mistakes_of(name) == [f"{name}: {sentence}"]


@pytest.mark.parametrize(
    ("options", "option"),
    [
        pytest.param({"operations": "create"}, "operations", id="operations"),
        pytest.param({"fields": Fields(hidden="create")}, "fields.hidden", id="fields"),
        pytest.param({"query": QueryRules(order="create")}, "query.order", id="order"),
        pytest.param({"upsert": "create"}, "upsert", id="upsert"),
    ],
)
def test_a_text_is_not_read_letter_by_letter(options: dict[str, Any], option: str) -> None:
    assert mistakes_of(**options) == [
        f"books: {option} is the text 'create', and not a list of names: write ['create']"
    ]


@pytest.mark.parametrize("field", [*sorted(RESERVED_FIELDS), "price__gt"])
def test_fields_that_mean_something_else_in_queries(field: str) -> None:
    shape = Shape(fields=(*FIELDS, Field(name=field, kind=Kind.TEXT, nullable=True)), key=("id",))

    assert mistakes_of(shape=shape) == [
        f"books: a field cannot be called {field!r}, which means something else in queries: rename it"
    ]


@pytest.mark.parametrize("kind", [Kind.BINARY, Kind.JSON, Kind.ARRAY])
def test_keys_that_no_path_can_spell(kind: Kind) -> None:
    shape = Shape(fields=(Field(name="code", kind=kind), Field(name="title", kind=Kind.TEXT)), key=("code",))

    assert mistakes_of(shape=shape) == [
        f"books: 'code' is part of the key and of kind {kind}, which no path can spell: use another key"
    ]


def test_an_operation_that_is_none() -> None:
    assert mistakes_of(operations=["get", "lists"]) == [
        "books: operations names 'lists', which is not an operation: did you mean 'list'?"
    ]


def test_who_names_every_operation_and_more_did_not_mean_what_cannot_be() -> None:
    shape = Shape(fields=(*FIELDS, Field(name="gone", kind=Kind.DATETIME, nullable=True)), key=("id",))
    more = [*EVERY_OPERATION, Operation.PURGE]

    assert mistakes_of(shape=shape, soft_delete="gone", operations=more) == []
    assert mistakes_of(operations=more) == [
        "books: operations names 'purge', which needs soft_delete: declare it, or leave it out"
    ]


def test_an_action_is_not_called_like_what_is_there_anyway() -> None:
    shape = Shape(fields=(*FIELDS, Field(name="gone", kind=Kind.DATETIME, nullable=True)), key=("id",))
    actions = {"restore": Book, "purge": Book}

    (mistake,) = mistakes_of(shape=shape, soft_delete="gone", actions=actions)
    assert mistake.startswith(
        "books: action 'restore' is called like a built-in operation: give the class another"
    )
    assert mistakes_of(actions=actions) == []


def test_every_mistake_is_found_at_once() -> None:
    rules = QueryRules(filter=("zzz",), sort=("zzz",), limit=0)

    assert mistakes_of("my-books", query=rules, operations=["zzz"]) == [
        "my-books: the name must be a Python identifier without a leading underscore: rename the attribute",
        "my-books: query.filter names 'zzz', which is not a readable field that can be compared: remove it",
        "my-books: query.sort names 'zzz', which is not a readable field that has an order: remove it",
        "my-books: query.limit is 0: set it between 1 and query.max_limit, 100",
        "my-books: operations names 'zzz', which is not an operation: remove it",
    ]


def test_create_needs_nothing_that_is_filled_in() -> None:
    assert mistakes_of(fields=Fields(write=("title",))) == []


def test_without_create_nothing_needs_to_be_writable() -> None:
    assert mistakes_of(fields=Fields(write=()), operations=READ_ONLY) == []


class Undocumented: ...


@dataclass
class Generated:
    """Its own."""

    id: int


@dataclass
class Signature:
    id: int


@pytest.mark.parametrize(
    ("entity", "description"),
    [
        pytest.param(Book, "A book in the shop.", id="the first paragraph in one line"),
        pytest.param(Generated, "Its own.", id="of a dataclass"),
        pytest.param(Signature, "", id="not the signature that dataclasses put there"),
        pytest.param(Undocumented, "", id="nothing"),
        pytest.param(type("Child", (Book,), {}), "", id="not the parent's"),
    ],
)
def test_the_docstring_describes_the_resource(entity: type[Any], description: str) -> None:
    resource, _ = declare("books", Declaration(entity=entity), SHAPE)

    assert resource is not None
    assert resource.description == description
