"""What declaring promises: a resource without contradictions. Its mistakes are in `test_declaration_mistakes`."""

from dataclasses import dataclass
from typing import Any

import pytest

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.resources.declaration import Declaration, declare
from fastapi_easy.domain.resources.options import (
    EVERY_OPERATION,
    READ_ONLY,
    Fields,
    Operation,
    QueryRules,
    Schemas,
)
from fastapi_easy.domain.resources.resource import Shape
from tests.unit.domain.book import ALL, FIELDS, GIVEN, SHAPE, Book, declared, mistakes_of


def test_a_plain_declaration_allows_what_makes_sense_for_each_kind() -> None:
    book = declared()

    assert (book.readable, book.writable, book.changeable) == (ALL, GIVEN, GIVEN)
    assert book.filterable == ("id", "title", "isbn", "price", "sold", "tags", "cover")
    assert book.sortable == ("id", "title", "isbn", "price", "sold")
    assert (book.searchable, book.default_order) == ((), ())
    assert book.operations == frozenset(EVERY_OPERATION) - {
        Operation.RESTORE,
        Operation.UPSERT,
        Operation.CHANGES,
        Operation.HISTORY,
    }
    assert book.fields == {field.name: field for field in FIELDS}


def test_what_is_said_is_passed_on() -> None:
    schemas, query = Schemas(read=Book), QueryRules(limit=5, max_limit=5)

    book = declared(
        schemas=schemas, query=query, database="archive", actions={"sell": Book}, operations=READ_ONLY
    )

    assert (book.name, book.entity, book.key, book.unique) == ("books", Book, ("id",), (("title", "isbn"),))
    assert (book.schemas, book.query, book.database) == (schemas, query, "archive")
    assert book.actions == {"sell": Book}
    assert book.operations == frozenset(READ_ONLY) - {Operation.CHANGES}


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


def test_the_tenant_is_read_and_never_written() -> None:
    book = declared(tenant="title")

    assert book.tenant == "title"
    assert "title" in book.readable
    assert "title" in book.restorable
    assert "title" not in {*book.writable, *book.changeable, *book.protected}
