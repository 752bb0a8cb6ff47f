"""The document is valid, complete, and beside the app's own."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from fastapi_easy.domain import QueryRules, Resource, Schemas
from fastapi_easy.interfaces.http.app import mount
from fastapi_easy.interfaces.http.openapi_names import names_of
from fastapi_easy.interfaces.http.options import HttpOptions
from tests.unit.interfaces.http.library import (
    BOOK,
    EVERYTHING,
    Book,
    app_of,
    book_resource,
    client_of,
    kernel_of,
    parameters_of,
    shelf_resource,
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return app_of(book_resource(), shelf_resource()).openapi()


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "$ref" and isinstance(each, str):
                yield each
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def example_in(document: dict[str, Any], path: str, method: str) -> Any:
    """The example of the schema of a body."""
    media = document["paths"][path][method]["requestBody"]["content"]["application/json"]
    (example,) = document["components"]["schemas"][media["schema"]["$ref"].rsplit("/", 1)[-1]]["examples"]
    return example


def schema_of(document: dict[str, Any], name: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    )


def test_operation_ids_are_short_and_unique(document: dict[str, Any]) -> None:
    ids = [each["operationId"] for each in operations(document)]

    assert max(Counter(ids).values()) == 1
    assert set(ids) == {
        *(
            "list_books",
            "create_book",
            "search_books",
            "count_books",
            "get_book",
            "replace_book",
            "update_book",
        ),
        *("delete_book", "lend_book", "burn_book", "list_shelves", "create_shelf", "search_shelves"),
        *("count_shelves", "get_shelf", "replace_shelf", "update_shelf", "delete_shelf"),
        *("bulk_books", "bulk_shelves"),
        *("export_books", "import_books", "aggregate_books"),
        *("export_shelves", "import_shelves", "aggregate_shelves"),
    }


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(references(document)):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
    for operation in operations(document):
        assert operation["responses"]
        assert operation["summary"]
        names = [each.get("$ref", each.get("name")) for each in operation.get("parameters", ())]
        assert len(names) == len(set(names))


def test_every_operation_lists_its_problems(document: dict[str, Any]) -> None:
    for operation in operations(document):
        assert {"422", "default"} <= set(operation["responses"])
    for name, response in document["components"]["responses"].items():
        if not name.startswith("Problem"):
            continue
        assert list(response["content"]) == ["application/problem+json"]
        example = response["content"]["application/problem+json"]["example"]
        assert schema_of(document, "Problem").is_valid(example)


def test_common_comparisons_are_typed_parameters_behind_those_of_paging(document: dict[str, Any]) -> None:
    parameters = parameters_of(document, "/books")

    assert list(parameters)[:7] == ["limit", "cursor", "offset", "count", "sort", "q", "fields"]
    assert list(parameters)[-1] == "where"
    assert parameters["where"]["schema"]["contentSchema"] == {"$ref": "#/components/schemas/BookFilter"}
    assert parameters["price__gte"]["schema"]["type"] == "string"
    assert parameters["pages"]["schema"] == {"type": "integer", "format": "int64"}
    assert parameters["colour"]["schema"] == {"type": "string", "enum": ["red", "blue"]}
    assert parameters["pages__in"]["schema"]["items"] == parameters["pages"]["schema"]
    assert "title__contains" in parameters
    assert not [
        name for name in parameters if name.startswith("secret") or name.endswith(("__ne", "__between"))
    ]


def test_a_document_of_everything_spells_out_every_comparison() -> None:
    rules = QueryRules(search=["title"], document="all")
    document = app_of(book_resource(query=rules)).openapi()

    listed, counted = parameters_of(document, "/books"), parameters_of(document, "/books/count")
    assert {"price__between", "title__istartswith", "note__isnull", "pages__not_in"} <= set(listed)
    assert set(listed) - set(counted) == {"limit", "cursor", "offset", "count", "sort", "fields"}
    where = schema_of(document, "BookFilter")
    assert where.is_valid({"or": [{"price__between": [1, "2.50"]}, {"not": {"title__iendswith": "x"}}]})
    assert not where.is_valid({"and": [{"price__like": "x"}]})


def test_bodies_and_answers_are_what_the_schemas_say(document: dict[str, Any]) -> None:
    create, update = schema_of(document, "BookCreate"), schema_of(document, "BookUpdate")

    assert create.is_valid(EVERYTHING)
    assert create.is_valid(BOOK)
    assert schema_of(document, "Book").is_valid({"id": 1, **EVERYTHING})
    assert schema_of(document, "BookPage").is_valid(
        {"items": [{"id": 1}], "total": None, "next_cursor": None}
    )
    assert update.is_valid({})
    assert update.is_valid({"note": None})
    for wrong in ({"title": None}, {"secret": "x"}, {"pages": 2**31}, {"price": "-1"}, {"price": "x"}):
        assert not update.is_valid(wrong)


def test_aggregates_are_typed_by_their_fields() -> None:
    document = app_of(book_resource(query=QueryRules(document="all"))).openapi()
    answer = schema_of(document, "BookAggregate")
    totals = {"count": 1, "sum:price": "12.50", "avg:rating": 4.5, "avg:pages": "1.000000", "max:added": None}
    parameters = parameters_of(document, "/books/aggregate")

    assert answer.is_valid(
        {"items": [{"by": {"colour": "red", "note": None}, "totals": totals}], "next_offset": 7}
    )
    for wrong in ({"sum:price": 12.5}, {"avg:rating": "4.5"}, {"sum:title": 1}, {"count": None}):
        assert not answer.is_valid({"items": [{"by": {}, "totals": wrong}], "next_offset": None})
    assert "sum:price" in parameters["total"]["schema"]["items"]["enum"]
    assert "sum:title" not in parameters["total"]["schema"]["items"]["enum"]
    assert "secret" not in parameters["group_by"]["schema"]["items"]["enum"]


async def test_an_import_is_documented(document: dict[str, Any]) -> None:
    answer = schema_of(document, "ImportReport")
    async with client_of(app_of(book_resource())) as client:
        headers = {"content-type": "application/x-ndjson"}
        lines = f"{json.dumps(example_in(document, '/books', 'post'))}\n"
        taken = await client.post("/books/import", content=lines, headers=headers)
        again = await client.post("/books/import", content=lines, headers=headers)
        refused = await client.post("/books/import?max_failures=0", content=lines, headers=headers)

    assert (taken.status_code, again.status_code, refused.status_code) == (200, 207, 422)
    assert answer.is_valid(taken.json())
    assert answer.is_valid(again.json())
    assert schema_of(document, "Problem").is_valid(refused.json())


async def test_every_example_is_accepted(document: dict[str, Any]) -> None:
    async with client_of(app_of(book_resource(), shelf_resource())) as client:
        for path in ("/books", "/shelves"):
            created = await client.post(path, json=example_in(document, path, "post"))
            assert created.status_code == 201, created.text
            for method in ("put", "patch"):
                example = example_in(document, f"{path}/{{key}}", method)
                changed = await client.request(method, created.headers["location"], json=example)
                assert changed.status_code == 200, changed.text


def test_the_apps_own_routes_stay(document: dict[str, Any]) -> None:
    app = app_of(book_resource())

    class Problem(BaseModel):
        mine: int

    @app.get("/own")
    async def own() -> Problem:
        return Problem(mine=1)

    @app.get("/books", operation_id="my_books")
    async def books() -> int:
        return 1

    merged = app.openapi()

    assert "/own" in merged["paths"]
    assert merged["paths"]["/books"]["get"]["operationId"] == "my_books"
    assert merged["paths"]["/books"]["post"]["operationId"] == "create_book"
    assert set(merged["components"]["schemas"]["Problem"]["properties"]) == {"mine"}
    assert "code" in merged["components"]["schemas"]["ProblemResource"]["properties"]
    assert app.openapi() is merged


def test_own_schemas_are_shown() -> None:
    class OwnBook(BaseModel):
        title: str

    document = app_of(book_resource(schemas=Schemas(create=OwnBook, read=OwnBook))).openapi()

    created = document["paths"]["/books"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    name = created["$ref"].rsplit("/", 1)[-1]
    assert name.startswith("OwnBook")
    assert set(document["components"]["schemas"][name]["properties"]) == {"title"}
    for reference in set(references(document)):
        assert reference.rsplit("/", 1)[-1] in {
            name for kind in document["components"].values() for name in kind
        }


def test_resources_of_one_class_have_different_names() -> None:
    both: list[Resource[Book]] = [book_resource(), book_resource(name="old_books")]
    document = app_of(*both).openapi()

    ids = [each["operationId"] for each in operations(document)]
    assert max(Counter(ids).values()) == 1
    assert {name: each.singular for name, each in names_of(both).items()} == {
        "books": "books",
        "old_books": "old_books",
    }
    assert {"Books", "OldBooks"} <= set(document["components"]["schemas"])


async def test_documentation_can_be_switched_off() -> None:
    async with client_of(app_of(book_resource(), options=HttpOptions(docs=False))) as client:
        statuses = [(await client.get(path)).status_code for path in ("/docs", "/openapi.json", "/redoc")]

    assert statuses == [404, 404, 404]


def test_a_mounted_kernel_is_asked_late() -> None:

    app, asked = FastAPI(), []

    def kernel() -> Any:
        asked.append(True)
        return kernel_of(book_resource())

    mount(app, kernel, HttpOptions())

    assert not asked
    assert "/books" in app.openapi()["paths"]
    assert len(asked) == 1
