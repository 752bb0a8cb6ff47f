"""Routes, the OpenAPI document and the command line show the operations of one table."""

import pytest
from fastapi import FastAPI
from starlette.routing import Match

from fastapi_easy.application.operations import OPERATIONS
from fastapi_easy.domain import Operation
from fastapi_easy.interfaces.cli.route_list import routes_of
from fastapi_easy.interfaces.cli.tasks import Route
from fastapi_easy.interfaces.http.openapi.problems import documented_status
from fastapi_easy.interfaces.http.operations.table import KEY, RESERVED_SEGMENTS, ROUTES, OperationRoute
from tests.unit.interfaces.http.library import app_of, book_resource


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return app_of(book_resource(operations=frozenset(Operation), actions={}))


def operation_ids(app: FastAPI) -> dict[tuple[str, str], str]:
    return {
        (method.upper(), path): operation["operationId"]
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    }


def expected_id(route: OperationRoute) -> str:
    return route.id_pattern.format(singular="book", plural="books")


def test_there_is_a_route_for_every_operation() -> None:
    assert {each.operation for each in ROUTES} == {*Operation}


def test_no_two_routes_share_a_place_or_an_operation_id() -> None:
    assert len({(each.method, each.path) for each in ROUTES}) == len(ROUTES)
    assert len({each.id_pattern for each in ROUTES}) == len(ROUTES)


def test_the_path_has_a_key_where_the_command_has_one() -> None:
    assert {each: each.path.startswith(KEY) for each in ROUTES} == {
        each: OPERATIONS[each.operation].has_key for each in ROUTES
    }


def test_no_key_is_spelt_like_a_path() -> None:
    assert {
        "search",
        "count",
        "upsert",
        "bulk",
        "export",
        "import",
        "aggregate",
        "changes",
    } == RESERVED_SEGMENTS


def test_the_document_has_exactly_the_routes_of_the_table(app: FastAPI) -> None:
    assert operation_ids(app) == {(each.method, f"/books{each.path}"): expected_id(each) for each in ROUTES}


def test_the_document_has_the_statuses_of_the_table(app: FastAPI) -> None:
    responses = {
        (method.upper(), path.removeprefix("/books")): set(operation["responses"])
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    }

    assert responses == {
        (each.method, each.path): {*map(str, each.statuses), *map(documented_status, each.problems - {428})}
        for each in ROUTES
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda each: each.id_pattern)
def test_requests_are_dispatched_by_the_table(app: FastAPI, route: OperationRoute) -> None:
    path = f"/books{route.path.replace('{key}', '7')}"
    scope = {"type": "http", "method": route.method, "path": path, "root_path": "", "headers": []}

    match, child = app.router.routes[-1].matches(scope)

    assert match is Match.FULL
    assert child["endpoint"].__name__ == expected_id(route)


def test_the_command_line_lists_the_routes_of_the_table(app: FastAPI) -> None:
    listed = [each for each in routes_of(app, {"books"}) if each.resource]

    assert sorted(listed, key=str) == sorted(
        (Route(each.method, f"/books{each.path}", expected_id(each), "books") for each in ROUTES), key=str
    )
