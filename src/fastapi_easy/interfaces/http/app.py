"""Assembles the FastAPI app: the resources in front of its router, everything around them."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, Final, TypeAlias

from fastapi import FastAPI
from fastapi.params import Depends
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from fastapi_easy.application import Kernel
from fastapi_easy.domain import Resource
from fastapi_easy.interfaces.http.default_headers import Manners
from fastapi_easy.interfaces.http.dependencies.guards import Guards
from fastapi_easy.interfaces.http.dependencies.unguarded import warn_of_overlooked
from fastapi_easy.interfaces.http.dispatch import Dispatch
from fastapi_easy.interfaces.http.health import HealthChecks
from fastapi_easy.interfaces.http.http_resource import Surface
from fastapi_easy.interfaces.http.openapi.document import document
from fastapi_easy.interfaces.http.openapi_names import names_of
from fastapi_easy.interfaces.http.options import HttpOptions
from fastapi_easy.interfaces.http.pages import Pages
from fastapi_easy.interfaces.http.requests.body import BodyLimit
from fastapi_easy.interfaces.http.routing.paths import Paths
from fastapi_easy.interfaces.http.routing.table import paths_of
from fastapi_easy.interfaces.http.unhandled_exceptions import LastResort, answer_with_problems

KernelSource: TypeAlias = Kernel | Callable[[], Kernel]
"""A kernel, or what gives it once the first request is there."""

Lifespan: TypeAlias = Callable[[FastAPI], AbstractAsyncContextManager[Any]]


def build_app(
    kernel: KernelSource,
    options: HttpOptions,
    *,
    lifespan: Lifespan,
    health: HealthChecks,
    metrics: Callable[[], tuple[bytes, str]] | None = None,
    principal: Depends | None = None,
    **fastapi_options: Any,
) -> FastAPI:
    """An app with every resource of *kernel*, its documentation, its health and its manners.

    Args:
        kernel: Asked at the first request.

        options: How the app shows itself.

        lifespan: Runs while the app does.

        health: Told when the lifespan begins and ends.

        metrics: What `/metrics` shows, and its media type; without it there is no such page.

        principal: Answers who calls.

        fastapi_options: Passed to `FastAPI`; what they say goes before *options*.
    """
    described: dict[str, Any] = {
        "title": options.title,
        "version": options.version,
        "description": options.description,
        **({} if options.docs else {"openapi_url": None, "docs_url": None, "redoc_url": None}),
    }
    surfaces = _Surfaces(kernel, options)
    app = _App(
        options, surfaces, principal, lifespan=_watched(lifespan, health), **{**described, **fastapi_options}
    )
    answer_with_problems(app)
    document(app, surfaces, app.guards)
    app.router.default = Pages(app.router.default, lambda: _index(app, surfaces()), health, metrics)
    return app


def mount(
    app: FastAPI,
    kernel: KernelSource,
    options: HttpOptions,
    dependencies: Sequence[Depends] | None = None,
    principal: Depends | None = None,
) -> None:
    """Add the resources of *kernel* to *app*, whose own routes, lifespan and exception handlers stay as they are.

    Args:
        app: Any FastAPI app. Its own routes win over a resource under the same path.

        kernel: Asked at the first request.

        options: Those about the app as a whole are not looked at.

        dependencies: Run before every operation of the resources, after those of *app*.

        principal: Answers who calls.
    """
    surfaces = _Surfaces(kernel, options)
    guards = Guards(app, options, dependencies or (), principal)
    if dependencies is None:
        app.router.lifespan_context = _warned(surfaces, guards, options.prefix, app.router.lifespan_context)
    dispatch = Dispatch(app, partial(surfaces.paths, guards, app.router), options.prefix)
    app.router.middleware_stack = dispatch.in_front_of(app.router.middleware_stack)
    app.router.routes.append(dispatch.listed)
    document(app, surfaces, guards)


TELEMETRY_LOOK: Final = 1.0
"""Seconds between two looks at whether OpenTelemetry is configured; to look costs as much as to find a resource."""


class _App(FastAPI):
    """FastAPI, with the resources in front of what it puts around its own routes, which they have no use for.

    The user's own middleware is around both.
    """

    def __init__(
        self, options: HttpOptions, surfaces: "_Surfaces", principal: Depends | None, **fastapi_options: Any
    ) -> None:
        self._options = options
        self._is_watched = True
        self._look_again = 0.0
        self.guards = Guards(self, options, principal=principal)
        super().__init__(**fastapi_options)
        paths = partial(surfaces.paths, self.guards, self.router)
        self._dispatch = Dispatch(self, paths, options.prefix)
        self.router.routes.append(self._dispatch.listed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; FastAPI's telemetry watches while it is configured, which is looked up once in a while."""
        if scope["type"] == "http":
            now = time.monotonic()
            if now >= self._look_again:
                self._look_again = now + TELEMETRY_LOOK
                self._is_watched = self._native_telemetry.enabled()
            if not self._is_watched:
                # What FastAPI itself says of requests that are not to be watched.
                scope["fastapi.telemetry"] = None
        await super().__call__(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """The user's middleware around the resources, and those around everything else."""
        own = self.user_middleware
        self.user_middleware = _around_own_routes(self._options)
        try:
            app: ASGIApp = super().build_middleware_stack()
        finally:
            self.user_middleware = own
        app = self._dispatch.in_front_of(app)
        for cls, arguments, named in reversed([*_around(self._options, guarded=bool(own)), *own]):
            app = cls(app, *arguments, **named)
        return app


def _around_own_routes(options: HttpOptions) -> list[Middleware]:
    """The layers around the user's own routes only; for resources `Dispatch` sees to what they do."""
    return [Middleware(LastResort), Middleware(BodyLimit, options.body_limit)]


def _around(options: HttpOptions, *, guarded: bool) -> list[Middleware]:
    """The layers around everything, the outermost first, each with the reason for its place.

    Args:
        options: How the app shows itself.

        guarded: There is middleware of the user's own inside.
    """
    cors = options.cors
    allowed = Middleware(
        CORSMiddleware,
        allow_origins=cors.origins,
        allow_methods=cors.methods,
        allow_headers=cors.headers,
        allow_credentials=cors.credentials,
        expose_headers=(
            "Content-Disposition",
            *("ETag", "Link", "Location", "Preference-Applied", "Retry-After", "Withheld-Events"),
            "X-Correlation-ID",
        ),
    )
    return [
        Middleware(Manners, careful=options.security_headers),  # on every answer, also on 500
        *([Middleware(LastResort)] if guarded else []),  # nothing else is there when the user's own fails
        *([allowed] if cors.origins else []),  # a page may read problems too
    ]


def _watched(lifespan: Lifespan, health: HealthChecks) -> Lifespan:
    @asynccontextmanager
    async def watched(app: FastAPI) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            health.started()
            try:
                with health.lag.watched():
                    yield state
            finally:
                health.draining()

    return watched


def _warned(surfaces: "_Surfaces", guards: Guards, prefix: str, lifespan: Lifespan) -> Lifespan:
    @asynccontextmanager
    async def warned(app: FastAPI) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            # Now all routes are there.
            warn_of_overlooked(app, prefix, surfaces.resources(), guards)
            yield state

    return warned


def _index(app: FastAPI, surfaces: tuple[Surface, ...]) -> Mapping[str, Any]:
    root = app.root_path.rstrip("/")
    documentation = {
        name: root + url for name, url in (("docs", app.docs_url), ("openapi", app.openapi_url)) if url
    }
    resources = {surface.resource.name: root + surface.path for surface in surfaces}
    return {"title": app.title, "version": app.version, **documentation, "resources": resources}


class _Surfaces:
    """The surfaces of all resources, made when first asked for."""

    def __init__(self, kernel: KernelSource, options: HttpOptions) -> None:
        self._kernel = kernel
        self._options = options
        self._made: tuple[Surface, ...] | None = None

    def __call__(self) -> tuple[Surface, ...]:
        if self._made is None:
            names = names_of(self.resources())
            self._made = tuple(Surface(use_cases, self._options, names) for use_cases in self._given())
        return self._made

    def resources(self) -> list[Resource[Any]]:
        """The resources, before there are surfaces."""
        return [use_cases.resource for use_cases in self._given()]

    def _given(self) -> Kernel:
        if not isinstance(self._kernel, Kernel):
            self._kernel = self._kernel()
        return self._kernel

    def paths(self, guards: Guards, router: Router) -> Mapping[bytes, Paths]:
        """What the dispatcher looks things up in."""
        return {
            surface.segment.encode("ascii"): paths_of(surface, guards.of(surface.resource), router)
            for surface in self()
        }
