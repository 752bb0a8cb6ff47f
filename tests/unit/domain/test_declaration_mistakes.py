"""What declaring promises: every mistake as a sentence with its mend."""

from typing import Any

import pytest

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.resources.declaration import RESERVED_FIELDS
from fastapi_easy.domain.resources.options import EVERY_OPERATION, Fields, Operation, QueryRules
from fastapi_easy.domain.resources.resource import Shape
from tests.unit.domain.book import FIELDS, Book, mistakes_of


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
        f"books: a field cannot be called {field!r}, which is reserved in queries: rename it"
    ]


@pytest.mark.parametrize("kind", [Kind.BINARY, Kind.JSON, Kind.ARRAY])
def test_keys_that_no_path_can_spell(kind: Kind) -> None:
    shape = Shape(fields=(Field(name="code", kind=kind), Field(name="title", kind=Kind.TEXT)), key=("code",))

    assert mistakes_of(shape=shape) == [
        f"books: 'code' is part of the key and of kind {kind}, which cannot be written in a URL path: use another key"
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
        "books: action 'restore' has the name of a built-in operation: give the class another"
    )
    assert mistakes_of(actions=actions) == []


@pytest.mark.parametrize(
    ("tenant", "sentence"),
    [
        pytest.param(
            "isbm", "tenant names 'isbm', which the entity does not have: did you mean 'isbn'?", id="misspelt"
        ),
        pytest.param(
            "tags", "tenant 'tags' must be a text, a whole number or a UUID: change the field", id="a list"
        ),
        pytest.param(
            "sold", "tenant 'sold' must be a text, a whole number or a UUID: change the field", id="a boolean"
        ),
    ],
)
def test_a_tenant_is_a_field_that_one_text_spells(tenant: str, sentence: str) -> None:
    assert mistakes_of(tenant=tenant) == [f"books: {sentence}"]


def test_a_tenant_is_neither_the_whole_key_nor_filled_by_the_store() -> None:
    assert mistakes_of(tenant="id") == [
        "books: tenant 'id' is filled by the store, and must be set by the kernel: change the field",
        "books: tenant 'id' is the whole key, which leaves each tenant one entity: add a field to the key",
    ]


def test_no_rule_lets_callers_write_the_tenant() -> None:
    assert mistakes_of(tenant="title", fields=Fields(write=("title", "isbn"))) == [
        "books: fields.write names 'title', which callers cannot write: remove it"
    ]
    assert mistakes_of(tenant="title", fields=Fields(create_only=("title",))) == [
        "books: fields.create_only names 'title', which cannot be written: remove it"
    ]


def test_what_is_unique_within_a_tenant_may_be_upserted_by() -> None:
    assert mistakes_of(tenant="title", upsert=["isbn"]) == []
    assert mistakes_of(upsert=["isbn"]) == [
        "books: upsert names isbn, which has no unique constraint: declare it unique"
    ]


def test_every_mistake_is_found_at_once() -> None:
    rules = QueryRules(filter=("zzz",), sort=("zzz",), limit=0)

    assert mistakes_of("my-books", query=rules, operations=["zzz"]) == [
        "my-books: the name must be a Python identifier without a leading underscore: rename the attribute",
        "my-books: query.filter names 'zzz', which is not a readable field that can be compared: remove it",
        "my-books: query.sort names 'zzz', which is not a readable field that has an order: remove it",
        "my-books: query.limit is 0: set it between 1 and query.max_limit, 100",
        "my-books: operations names 'zzz', which is not an operation: remove it",
    ]


def test_a_choice_that_does_not_exist_is_named() -> None:
    assert mistakes_of(idempotency="requird", reading="lax") == [
        "books: reading names 'lax', which is not a way of reading: remove it",
        "books: idempotency names 'requird', which is neither optional nor required: did you mean 'required'?",
    ]
