"""Requests of resources have names that the ecosystem finds where it finds those of FastAPI's routes."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest
from fastapi import Depends, FastAPI
from fastapi.routing import iter_route_contexts
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from fastapi_easy.bootstrap import create_app, mount_resources
from fastapi_easy.testing import in_memory
from tests.unit.interfaces.http.library import client_of
from tests.unit.interfaces.http.shop import Shop

Namer = Callable[[Scope], str | None]


def by_scope(scope: Scope) -> str | None:
    """As Sentry does for FastAPI, and most middleware of one's own."""
    return scope["route"].path_format if "route" in scope else None


def by_router(scope: Scope) -> str | None:
    """As starlette_exporter, and Sentry for Starlette, do."""
    if not (scope.get("endpoint") and scope.get("router")):
        return None
    asked = {name: scope[name] for name in ("type", "path", "method", "headers")}
    for route in scope["router"].routes:
        if route.matches(asked)[0] is Match.FULL:
            path: str = route.path
            return path
    return None


def by_app(scope: Scope) -> str | None:
    """As OpenTelemetry's instrumentation of FastAPI and prometheus-fastapi-instrumentator do."""
    found = None
    for route in iter_route_contexts(scope["app"].routes):
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return route.path
        if match is Match.PARTIAL:
            found = route.path
    return found


class Naming:
    """Middleware that notes what requests are called, before and after they are answered."""

    def __init__(self, app: ASGIApp, names: list[Any], namer: Namer, *, before: bool) -> None:
        self._app = app
        self._names = names
        self._namer = namer
        self._before = before

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._before:
            self._names.append(self._namer(scope))
        await self._app(scope, receive, send)
        if not self._before:
            self._names.append(self._namer(scope))


def created(**options: Any) -> FastAPI:
    return create_app(in_memory(Shop), **options)


def mounted(**options: Any) -> FastAPI:
    app = FastAPI(**options)
    mount_resources(app, in_memory(Shop))
    return app


@pytest.fixture(params=[created, mounted], ids=lambda way: way.__name__)
def build(request: pytest.FixtureRequest) -> Callable[..., FastAPI]:
    way: Callable[..., FastAPI] = request.param
    return way


async def running(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


PATHS = [
    ("GET", "/books", "/books"),
    ("HEAD", "/books", "/books"),
    ("POST", "/books", "/books"),
    ("POST", "/books/search", "/books/search"),
    ("GET", "/books/count", "/books/count"),
    ("POST", "/books/upsert", "/books/upsert"),
    ("POST", "/books/bulk", "/books/bulk"),
    ("GET", "/books/export", "/books/export"),
    ("POST", "/books/import", "/books/import"),
    ("GET", "/books/aggregate", "/books/aggregate"),
    ("GET", "/books/7", "/books/{key}"),
    ("PATCH", "/books/7", "/books/{key}"),
    ("POST", "/books/7/restore", "/books/{key}/restore"),
    ("POST", "/books/7/sell", "/books/{key}/sell"),
    ("TRACE", "/books/7", "/books/{key}"),
    ("GET", "/shelves/a,1", "/shelves/{key}"),
]


@pytest.mark.parametrize(
    ("namer", "before"),
    [(by_scope, False), (by_router, False), (by_app, False), (by_app, True)],
    ids=["scope", "router", "app", "app, before"],
)
async def test_a_request_is_named_by_its_template(
    build: Callable[..., FastAPI], namer: Namer, before: bool
) -> None:
    names: list[Any] = []
    app = build()
    app.add_middleware(Naming, names, namer, before=before)
    # By the router only routes are found that answer the method.
    paths = [each for each in PATHS if each[0] != "TRACE" or namer is not by_router]

    async for client in running(app):
        for method, path, _ in paths:
            await client.request(method, path)

    assert names == [template for _, _, template in paths]


@pytest.mark.parametrize("namer", [by_scope, by_router, by_app])
async def test_what_belongs_to_no_resource_is_not_named_after_one(
    build: Callable[..., FastAPI], namer: Namer
) -> None:
    names: list[Any] = []
    app = build()
    app.add_middleware(Naming, names, namer, before=False)

    @app.get("/books/best")
    async def best() -> None:
        pass

    async for client in running(app):
        # The same task asks for both, one after the other.
        for path in ("/books/1", "/books/best", "/nope", "/books/1"):
            await client.get(path)

    assert names == ["/books/{key}", "/books/best", None, "/books/{key}"]


async def test_the_scope_holds_what_starlette_puts_into_it(build: Callable[..., FastAPI]) -> None:
    kept: list[Scope] = []
    app = build()
    app.add_middleware(Naming, kept, kept.append, before=False)  # type: ignore[arg-type]

    async for client in running(app):
        await client.get("/shelves/a%20b,1")

    scope = kept[0]
    endpoint = scope["endpoint"]
    assert scope["path_params"] == {"key": "a b,1"}
    assert (endpoint.__module__, endpoint.__qualname__) == ("tests.unit.interfaces.http.shop", "get_shelf")
    assert (scope["route"].name, scope["route"].methods) == ("get_shelf", {"GET", "HEAD"})


async def test_dependencies_change_no_name(build: Callable[..., FastAPI]) -> None:
    names: list[Any] = []
    app = build(dependencies=[Depends(lambda: None)])
    app.add_middleware(Naming, names, by_scope, before=False)

    async for client in running(app):
        await client.get("/books/7")

    assert names == ["/books/{key}"]


@pytest.fixture
def exported() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    yield exporter
    exporter.shutdown()


async def test_fastapis_own_telemetry_names_requests_too(
    build: Callable[..., FastAPI], exported: InMemorySpanExporter
) -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))

    async for client in running(build(telemetry={"tracer_provider": provider})):
        await client.get("/books/7")

    spans = exported.get_finished_spans()
    assert [(each.name, (each.attributes or {})["http.route"]) for each in spans] == [
        ("GET /books/{key}", "/books/{key}")
    ]
