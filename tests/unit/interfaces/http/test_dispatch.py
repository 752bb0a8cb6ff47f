"""A path finds its endpoint, the app's own routes come first, and nothing else gets through."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from fastapi_easy.domain import Field, Kind, Shape
from fastapi_easy.interfaces.http.app import mount
from fastapi_easy.interfaces.http.options import HttpOptions
from fastapi_easy.testing.resources import resource_from
from tests.counted_calls import counted_calls
from tests.unit.interfaces.http.library import (
    BOOK,
    PLAIN,
    Shelf,
    app_of,
    book_resource,
    client_of,
    kernel_of,
    shelf_resource,
)


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app_of(book_resource(), shelf_resource())) as opened:
        yield opened


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/books", "GET, HEAD, POST, OPTIONS"),
        ("POST", "/books/1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("GET", "/books/search", "POST, OPTIONS"),
        ("POST", "/books/count", "GET, HEAD, OPTIONS"),
        ("GET", "/books/1/lend", "POST, OPTIONS"),
        ("TRACE", "/books", "GET, HEAD, POST, OPTIONS"),
        ("QUERY", "/books", "GET, HEAD, POST, OPTIONS"),
    ],
)
async def test_a_wrong_method_is_405_and_says_the_right_ones(
    client: httpx2.AsyncClient, method: str, path: str, allow: str
) -> None:
    refused = await client.request(method, path)

    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    assert refused.headers["allow"] == allow
    options = await client.options(path)
    assert (options.status_code, options.headers["allow"]) == (204, allow)


@pytest.mark.parametrize(
    "path", ["/books/1/nope", "/books/1/lend/x", "/books//", "/books//lend", "/nope", "/Books"]
)
async def test_an_unknown_path_is_404(client: httpx2.AsyncClient, path: str) -> None:
    refused = await client.get(path)

    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/books/", "/books"),
        ("/books/1/", "/books/1"),
        ("/books/count/?title=x", "/books/count?title=x"),
        ("/books/1/lend/", "/books/1/lend"),
    ],
)
async def test_a_slash_at_the_end_is_redirected(client: httpx2.AsyncClient, path: str, target: str) -> None:
    redirected = await client.post(path)

    assert (redirected.status_code, redirected.headers["location"]) == (307, target)


async def test_a_redirect_never_leaves_the_host(client: httpx2.AsyncClient) -> None:
    for path in ("//evil.example/books/", "//evil.example/"):
        answer = await client.get(httpx2.URL("http://test").copy_with(raw_path=path.encode()))
        assert not answer.headers.get("location", "").startswith("//")


async def test_keys_that_look_like_paths_are_reached_with_an_escape() -> None:
    fields = (Field(name="name", kind=Kind.TEXT),)
    words = resource_from(Shape(fields=fields, key=("name",)), "words", Shelf)
    async with client_of(app_of(words)) as client:
        for name in ("search", "count", "a/b", "ä ö", "%2F"):
            created = await client.post("/words", json={"name": name})
            found = await client.get(created.headers["location"])
            assert (found.status_code, found.json()) == (200, {"name": name})


async def test_a_resource_may_be_called_in_any_language() -> None:
    async with client_of(app_of(book_resource(name="bücher", actions={}))) as client:
        created = await client.post("/bücher", json=BOOK)

        assert created.headers["location"] == "/b%C3%BCcher/1"
        assert (await client.get(created.headers["location"])).status_code == 200


async def test_a_prefix_stands_before_every_resource() -> None:
    async with client_of(app_of(book_resource(), options=HttpOptions(prefix="/api/v1"))) as client:
        created = await client.post("/api/v1/books", json=BOOK)
        page = await client.get("/api/v1/books?limit=1")
        document = (await client.get("/openapi.json")).json()

        assert created.headers["location"] == "/api/v1/books/1"
        assert page.status_code == 200
        assert "/api/v1/books/{key}" in document["paths"]
        assert (await client.get("/books")).status_code == 404
        assert (await client.get("/api/v1")).status_code == 404


async def test_resources_work_below_another_app() -> None:
    outer = FastAPI(routes=[Mount("/shop", app_of(book_resource()))])
    async with client_of(outer) as client:
        created = await client.post("/shop/books", json=BOOK)

        assert created.headers["location"] == "/shop/books/1"
        assert (await client.get(created.headers["location"])).status_code == 200
        assert (await client.get("/books")).status_code == 404


def own_app() -> FastAPI:
    app = FastAPI()
    router = APIRouter(prefix="/books")

    @app.get("/books/special")
    async def special() -> str:
        return "special"

    @router.get("/{key}/cover")
    async def cover(key: int) -> int:
        return key

    @app.get("/{anything:path}")
    async def anything(anything: str) -> str:
        return anything

    app.include_router(router)
    return app


async def test_own_routes_win_under_a_resources_path() -> None:
    app = own_app()
    mount(app, kernel_of(book_resource()), PLAIN)
    async with client_of(app) as client:
        assert (await client.get("/books/special")).json() == "special"
        assert (await client.delete("/books/special")).status_code == 422
        assert (await client.get("/books")).json()["items"] == []
        assert (await client.get("/elsewhere")).json() == "elsewhere"

        @app.get("/books/late")
        async def late() -> str:
            return "late"

        assert (await client.get("/books/late")).status_code == 200


async def test_own_routes_of_included_routers_win_too() -> None:
    app = FastAPI()
    router = APIRouter(prefix="/books")

    @router.get("/{key}/lend")
    async def lend(key: int) -> int:
        return key

    app.include_router(router)
    mount(app, kernel_of(book_resource()), PLAIN)
    async with client_of(app) as client:
        assert (await client.get("/books/7/lend")).json() == 7
        assert (await client.post("/books/7/lend", json={"to": "x"})).status_code == 404


async def test_a_mounted_app_keeps_its_own_answers() -> None:
    app = FastAPI()

    @app.get("/number/{number}")
    async def number(number: int) -> int:
        return number

    mount(app, lambda: kernel_of(book_resource()), PLAIN)
    async with client_of(app) as client:
        refused = await client.get("/number/x")
        missing = await client.get("/nope")

        assert refused.headers["content-type"] == "application/json"
        assert refused.json()["detail"][0]["loc"] == ["path", "number"]
        assert missing.json() == {"detail": "Not Found"}
        assert (await client.get("/books/x")).headers["content-type"] == "application/problem+json"
        assert {"/number/{number}", "/books"} <= set((await client.get("/openapi.json")).json()["paths"])


async def test_a_websocket_is_none_of_its_business() -> None:
    seen: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    app = FastAPI()
    app.router.middleware_stack = inner
    mount(app, kernel_of(book_resource()), PLAIN)
    await app.router({"type": "websocket", "path": "/books"}, _never, _never)

    assert seen == ["websocket"]


async def _never(*_: Any) -> Any:
    raise AssertionError


async def test_the_last_of_200_resources_is_found_like_the_first() -> None:
    resources = [book_resource(name=f"books{number}", actions={}) for number in range(200)]
    app = FastAPI()
    mount(app, kernel_of(*resources), PLAIN)

    assert await _calls(app, "/books199/1") <= 1.1 * await _calls(app, "/books0/1")


async def _calls(app: FastAPI, path: str) -> int:
    """The fewest of several requests: what is made once is not counted."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        pass

    found = []
    for _ in range(3):
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [],
            "root_path": "",
        }
        with counted_calls() as counted:
            await app.router(scope, receive, send)
        found.append(counted.calls)
    return min(found)
