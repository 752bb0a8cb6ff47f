"""What declaring secret fields promises: every mistake as a sentence with its mend, and the limits that follow."""

from dataclasses import replace
from typing import Any

import pytest

from fastapi_easy.domain.field import Comparison, Field, Kind
from fastapi_easy.domain.resources.options import Fields, QueryRules, Reading
from fastapi_easy.domain.resources.reference import Reference
from fastapi_easy.domain.resources.resource import Shape
from tests.unit.domain.book import FIELDS, declared, mistakes_of

TABLE = Shape(
    fields=(
        *FIELDS,
        Field(name="note", kind=Kind.TEXT, max_length=256, stored_length=256),
        Field(name="iban", kind=Kind.TEXT, nullable=True),
        Field(
            name="iban_lookup", kind=Kind.TEXT, nullable=True, max_length=43, stored_length=43, unique=True
        ),
        Field(name="password", kind=Kind.TEXT, max_length=128, stored_length=128),
        Field(name="code", kind=Kind.TEXT, unique=True),
        Field(name="author_id", kind=Kind.TEXT, nullable=True),
        Field(name="made", kind=Kind.TEXT, store_default=True),
    ),
    key=("id",),
    references=(Reference(fields=("author_id",), target="authors", remote=("id",)),),
    table="books",
)


def changed(name: str, **options: Any) -> Shape:
    """Return the table with another field *name*."""
    fields = [replace(each, **options) if each.name == name else each for each in TABLE.fields]
    return replace(TABLE, fields=tuple(fields))


@pytest.mark.parametrize(
    ("shape", "fields", "sentence"),
    [
        pytest.param(TABLE, Fields(secret=["titel"]), "did you mean 'title'", id="encrypt a misspelt field"),
        pytest.param(TABLE, Fields(secret=["id"]), "which is part of the key", id="encrypt a key"),
        pytest.param(
            TABLE,
            Fields(secret=["code"]),
            "is unique: the store cannot read it; make 'code_lookup' unique",
            id="encrypt what is unique",
        ),
        pytest.param(
            TABLE, Fields(secret=["author_id"]), "refers to another entity", id="encrypt a reference"
        ),
        pytest.param(
            TABLE, Fields(secret=["made"]), "is filled by the store", id="encrypt a store's default"
        ),
        pytest.param(
            TABLE, Fields(secret=["price"]), "must be one for text or JSON", id="encrypt a column of numbers"
        ),
        pytest.param(TABLE, Fields(secret=["tags"]), "cannot be encrypted", id="encrypt an array"),
        pytest.param(
            changed("note", max_length=34, stored_length=34),
            Fields(secret=["note"]),
            "texts of 34 characters need 256 when they are encrypted, but its column holds 34: make it Text, or "
            "String(256)",
            id="too short a column",
        ),
        pytest.param(
            changed("note", max_length=50),
            Fields(secret=["note"]),
            "texts of 50 characters need 341",
            id="too short a column for what the class allows",
        ),
        pytest.param(
            TABLE, Fields(lookup=["iban"]), "which fields.secret does not name", id="look up what is plain"
        ),
        pytest.param(
            TABLE,
            Fields(secret=["note"], lookup=["note"]),
            "there is no field 'note_lookup' for its keyed hash: add a text of 43 characters",
            id="no field for the hash",
        ),
        pytest.param(
            TABLE,
            Fields(secret=["extra"], lookup=["extra"]),
            "whose equal values may be spelled differently",
            id="look up documents",
        ),
        pytest.param(
            changed("iban_lookup", nullable=False),
            Fields(secret=["iban"], lookup=["iban"]),
            "make both nullable, or none",
            id="a hash that must not be null",
        ),
        pytest.param(
            changed("iban_lookup", stored_length=32),
            Fields(secret=["iban"], lookup=["iban"]),
            "which has 43 characters",
            id="too short a field for the hash",
        ),
        pytest.param(
            TABLE,
            Fields(secret=["iban"], lookup=["iban"], read=["id", "iban_lookup"]),
            "fields.read names 'iban_lookup', which fields.hidden hides",
            id="show the hash",
        ),
        pytest.param(
            TABLE,
            Fields(password=["password"], read=["id", "password"]),
            "which fields.password keeps from everybody",
            id="show a password",
        ),
        pytest.param(
            TABLE, Fields(secret=["note"], password=["note"]), "a hash is not encrypted", id="both at once"
        ),
        pytest.param(
            changed("password", stored_length=60),
            Fields(password=["password"]),
            "holds 60 characters: a hash needs 128",
            id="too short a column for a hash of a password",
        ),
        pytest.param(TABLE, Fields(password=["price"]), "make it a text", id="a password that is a number"),
        pytest.param(TABLE, Fields(lookup="note"), "and not a list of names", id="a text for a list"),
    ],
)
def test_says_what_cannot_be_secret_and_what_to_do(shape: Shape, fields: Fields, sentence: str) -> None:
    assert [each for each in mistakes_of(shape=shape, fields=fields) if sentence in each]


@pytest.mark.parametrize(
    "query",
    [
        QueryRules(filter=["note"]),
        QueryRules(sort=["iban"]),
        QueryRules(search=["iban"]),
        QueryRules(order=["note"]),
    ],
    ids=["filter", "sort", "search", "order"],
)
def test_rules_of_queries_cannot_name_what_the_store_cannot_read(query: QueryRules) -> None:
    assert mistakes_of(shape=TABLE, fields=Fields(secret=["note", "iban"], lookup=["iban"]), query=query)


def test_a_resource_knows_its_fields_as_callers_and_as_stores_see_them() -> None:
    resource = declared(
        TABLE,
        fields=Fields(secret=["note", "iban"], lookup=["iban"], password=["password"], hidden=["made"]),
        upsert=["iban"],
    )

    assert resource.secrets is not None
    assert resource.secrets.associated_data("iban") == b"books\0iban"
    assert resource.reading is Reading.STRICT
    assert resource.fields["note"].max_length == 34
    assert resource.stored_fields["note"].max_length == 256
    assert resource.fields["iban"].comparison is Comparison.EQUALITY
    assert resource.fields["iban"].unique
    assert (resource.fields["password"].min_length, resource.fields["password"].max_length) == (8, 1024)
    assert "password" in resource.writable
    assert not {"password", "iban_lookup"} & set(resource.readable)
    assert not {"iban", "note"} & set(resource.recorded)
    assert "iban_lookup" not in resource.writable


def test_what_has_no_columns_is_stored_as_text() -> None:
    resource = declared(
        replace(TABLE, table=None, references=()), fields=Fields(secret=["price"], readable=["password"])
    )

    assert resource.fields["price"].kind is Kind.DECIMAL
    assert resource.stored_fields["price"].kind is Kind.TEXT


def test_without_secrets_both_views_are_the_same() -> None:
    resource = declared(TABLE, fields=Fields(readable=["password"]))

    assert resource.secrets is None
    assert resource.stored_fields is resource.fields
    assert resource.recorded is resource.readable
