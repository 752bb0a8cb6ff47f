"""The document is valid, complete, and beside the app's own."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from fastapi_easy.domain import Resource, Schemas
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
        assert {"400", "405", "422", "500", "503", "504"} <= set(operation["responses"])
        if "requestBody" in operation:
            assert {"408", "413", "415"} <= set(operation["responses"])
    for response in document["components"]["responses"].values():
        assert list(response["content"]) == ["application/problem+json"]
        example = response["content"]["application/problem+json"]["example"]
        assert schema_of(document, "Problem").is_valid(example)


def test_every_comparison_is_a_typed_parameter(document: dict[str, Any]) -> None:
    shared = document["components"]["parameters"]
    listed = document["paths"]["/books"]["get"]["parameters"]
    resolved = [shared[each["$ref"].rsplit("/", 1)[-1]] if "$ref" in each else each for each in listed]
    parameters = {each["name"]: each for each in resolved}

    assert parameters["price__gte"]["schema"]["type"] == "string"
    assert parameters["pages"]["schema"] == {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
    assert parameters["colour"]["schema"] == {"enum": ["red", "blue"]}
    assert parameters["pages__in"] | {"style": "form", "explode": True} == parameters["pages__in"]
    assert {"where", "q", "sort", "fields", "limit", "offset", "cursor", "count"} <= set(parameters)
    assert not [name for name in parameters if name.startswith("secret")]


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


def test_aggregates_are_typed_by_their_fields(document: dict[str, Any]) -> None:
    answer = schema_of(document, "BookAggregate")
    totals = {"count": 1, "sum:price": "12.50", "avg:rating": 4.5, "avg:pages": "1.000000", "max:added": None}
    parameters = {
        each.get("name"): each for each in document["paths"]["/books/aggregate"]["get"]["parameters"]
    }

    assert answer.is_valid(
        {"items": [{"by": {"colour": "red", "note": None}, "totals": totals}], "next_offset": 7}
    )
    for wrong in ({"sum:price": 12.5}, {"avg:rating": "4.5"}, {"sum:title": 1}, {"count": None}):
        assert not answer.is_valid({"items": [{"by": {}, "totals": wrong}], "next_offset": None})
    assert "sum:price" in parameters["total"]["schema"]["items"]["enum"]
    assert "sum:title" not in parameters["total"]["schema"]["items"]["enum"]
    assert "secret" not in parameters["group_by"]["schema"]["items"]["enum"]


async def test_an_import_is_documented(document: dict[str, Any]) -> None:
    body = document["paths"]["/books/import"]["post"]["requestBody"]["content"]
    answer = schema_of(document, "BookImport")
    async with client_of(app_of(book_resource())) as client:
        headers = {"content-type": "application/x-ndjson"}
        lines = body["application/x-ndjson"]["example"]
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
            media = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
            created = await client.post(path, json=media["example"])
            assert created.status_code == 201, created.text
            entity = document["paths"][f"{path}/{{key}}"]
            for method in ("put", "patch"):
                example = entity[method]["requestBody"]["content"]["application/json"]["example"]
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

    assert set(document["components"]["schemas"]["BookCreate"].get("properties", ())) <= {"title"}
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
