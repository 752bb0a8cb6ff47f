"""The app around the resources: headers, CORS, problems of the user's own routes, the last resort."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from fastapi_easy.domain import Failure, Outcome, Page, Row, Unavailable
from fastapi_easy.interfaces.http.app import mount
from fastapi_easy.interfaces.http.options import CorsOptions, HttpOptions
from tests.unit.interfaces.http.library import BOOK, PLAIN, app_of, book_resource, client_of, kernel_of


class Own(BaseModel):
    number: int


def own_routes(app: FastAPI) -> FastAPI:
    @app.post("/own")
    async def own(body: Own) -> Own:
        return body

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, {"reason": "tea"}, {"X-Tea": "green"})

    @app.get("/secret")
    async def secret() -> None:
        raise HTTPException(401, "Who are you?", {"WWW-Authenticate": "Basic"})

    @app.get("/defect")
    async def defect() -> None:
        raise ZeroDivisionError("secret detail")

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(own_routes(app_of(book_resource()))) as opened:
        yield opened


async def test_the_index_leads_everywhere(client: httpx2.AsyncClient) -> None:
    index = (await client.get("/")).json()

    assert index["resources"] == {"books": "/books"}
    for path in (index["docs"], index["openapi"], index["resources"]["books"]):
        assert (await client.get(path)).status_code == 200
    assert (await client.head("/")).status_code == 200
    assert (await client.post("/")).status_code == 405


async def test_a_route_of_the_users_own_wins_over_a_page() -> None:
    app = app_of(book_resource())

    @app.get("/")
    async def home() -> str:
        return "home"

    @app.get("/health/live")
    async def live() -> str:
        return "mine"

    async with client_of(app) as client:
        assert (await client.get("/")).json() == "home"
        assert (await client.get("/health/live")).json() == "mine"


async def test_each_kind_of_problem_has_a_page(client: httpx2.AsyncClient) -> None:
    kind = (await client.get("/books?nope=1")).json()["type"]

    page = await client.get(kind)

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (await client.get("/problems/nope")).status_code == 404


@pytest.mark.parametrize("path", ["/books", "/nope", "/teapot", "/defect", "/openapi.json"])
async def test_browsers_are_made_careful(client: httpx2.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-correlation-id"]


async def test_the_documentation_may_load_its_scripts_and_no_others(client: httpx2.AsyncClient) -> None:
    docs = await client.get("/docs")

    assert docs.status_code == 200
    assert "script-src 'self' 'sha256-" in docs.headers["content-security-policy"]


async def test_security_headers_can_be_switched_off() -> None:
    async with client_of(app_of(book_resource(), options=HttpOptions(security_headers=False))) as client:
        assert "x-frame-options" not in (await client.get("/books")).headers
        assert "content-security-policy" not in (await client.get("/docs")).headers


async def test_cors_is_off_unless_origins_are_named(client: httpx2.AsyncClient) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "PATCH"}
    allowing = HttpOptions(cors=CorsOptions(origins=("https://shop.example",)))

    closed = await client.options("/books/1", headers=asked)
    async with client_of(app_of(book_resource(), options=allowing)) as other:
        preflight = await other.options("/books/1", headers=asked)
        answer = await other.get("/nope", headers={"Origin": "https://shop.example"})

    assert "access-control-allow-origin" not in closed.headers
    assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
    assert "PATCH" in preflight.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in preflight.headers
    assert "ETag" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/own", b'{"number": "x"}', 422, "invalid"),
        ("POST", "/own", b"{", 400, "malformed_body"),
        ("GET", "/own", b"", 405, "method_not_allowed"),
        ("GET", "/teapot", b"", 418, "i_m_a_teapot"),
        ("GET", "/secret", b"", 401, "unauthenticated"),
        ("GET", "/nope", b"", 404, "not_found"),
        ("GET", "/defect", b"", 500, "internal_error"),
    ],
)
async def test_own_routes_answer_with_problems(
    client: httpx2.AsyncClient, method: str, path: str, body: bytes, status: int, code: str
) -> None:
    answer = await client.request(method, path, content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]
    assert "secret detail" not in answer.text


async def test_what_an_http_exception_says_is_kept(client: httpx2.AsyncClient) -> None:
    teapot, secret = await client.get("/teapot"), await client.get("/secret")

    assert (teapot.json()["context"], teapot.headers["x-tea"]) == ({"reason": "tea"}, "green")
    assert (secret.json()["detail"], secret.headers["www-authenticate"]) == ("Who are you?", "Basic")


async def test_a_handler_of_the_users_own_stays() -> None:
    async def handler(request: Request, error: Exception) -> Response:
        return JSONResponse("mine", 404)

    async with client_of(app_of(book_resource(), exception_handlers={HTTPException: handler})) as client:
        answer = await client.get("/teapot")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


class BrokenRepository:
    """Raises where the door expects an outcome."""

    async def read(self, key: Any, fields: Any = None) -> Outcome[Row]:
        raise RuntimeError("secret detail")

    async def select(self, query: Any) -> Outcome[Page[Row]]:
        return Failure(Unavailable("db", 2.0))


@pytest.mark.parametrize("mounted", [False, True], ids=["our app", "a mounted one"])
async def test_a_defect_is_500_without_detail_and_is_logged(
    caplog: pytest.LogCaptureFixture, mounted: bool
) -> None:
    kernel = kernel_of(book_resource(), repository=BrokenRepository())  # type: ignore[arg-type]
    app = app_of(kernel=kernel)
    if mounted:
        app = FastAPI()
        mount(app, kernel, PLAIN)
    with caplog.at_level(logging.ERROR, "fastapi_easy.http"):
        async with client_of(app) as client:
            answer = await client.get("/books/1", headers={"X-Correlation-ID": "abc"})

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.json()["correlation_id"] == "abc"
    assert "secret detail" not in answer.text
    (record,) = caplog.records
    assert "abc" in record.getMessage()
    assert record.exc_info is not None


async def test_a_store_that_is_down_is_503_with_a_hint() -> None:
    kernel = kernel_of(book_resource(), repository=BrokenRepository())  # type: ignore[arg-type]
    async with client_of(app_of(kernel=kernel)) as client:
        answer = await client.get("/books")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["retry_after_seconds"] == 2


async def test_the_users_middleware_sees_resources_too() -> None:
    app = app_of(book_resource())

    @app.middleware("http")
    async def stamp(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["x-stamp"] = "seen"
        return response

    async with client_of(app) as client:
        assert (await client.post("/books", json=BOOK)).headers["x-stamp"] == "seen"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: HttpOptions(prefix="api"), id="a prefix without a slash"),
        pytest.param(lambda: HttpOptions(prefix="/api/"), id="a prefix with too many"),
        pytest.param(
            lambda: HttpOptions(cors=CorsOptions(origins=("*",), credentials=True)), id="any with cookies"
        ),
    ],
)
def test_options_that_cannot_work_are_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=r"write|replace"):
        make()
