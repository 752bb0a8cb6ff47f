"""Builds the FastAPI app: resources in front of its router, and middleware around both."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
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
from fastapi_easy.application.authentication.sessions.session_use_cases import SessionUseCases
from fastapi_easy.domain import Resource
from fastapi_easy.interfaces.http.authentication.caller_identification import CallerIdentification
from fastapi_easy.interfaces.http.authentication.cookie_guard import RenewedCookies
from fastapi_easy.interfaces.http.default_headers import DefaultHeaders, headers_of_json
from fastapi_easy.interfaces.http.dependencies.current_principal import provide_current_principal
from fastapi_easy.interfaces.http.dependencies.guards import Guards
from fastapi_easy.interfaces.http.dependencies.unguarded import warn_of_unguarded_resources
from fastapi_easy.interfaces.http.dispatch import Dispatch
from fastapi_easy.interfaces.http.fastapi_internals import telemetry_switch
from fastapi_easy.interfaces.http.health import HealthChecks
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.openapi.documentation_pages import DocumentationPages
from fastapi_easy.interfaces.http.openapi.extend_openapi import extend_openapi
from fastapi_easy.interfaces.http.openapi_names import names_of
from fastapi_easy.interfaces.http.operations.table import RESERVED_SEGMENTS
from fastapi_easy.interfaces.http.options import HttpOptions
from fastapi_easy.interfaces.http.pages import ASYNCAPI, Pages
from fastapi_easy.interfaces.http.requests.body import BodyLimit
from fastapi_easy.interfaces.http.requests.known_queries import Remembered
from fastapi_easy.interfaces.http.routing.paths import Paths
from fastapi_easy.interfaces.http.routing.resource_paths import build_paths
from fastapi_easy.interfaces.http.routing.start_check import StartCheck
from fastapi_easy.interfaces.http.sessions.routes import add_session_routes
from fastapi_easy.interfaces.http.shedding.door import Door
from fastapi_easy.interfaces.http.unhandled_exceptions import (
    UnhandledExceptionMiddleware,
    add_problem_handlers,
)

KernelSource: TypeAlias = Kernel | Callable[[], Kernel]
"""A kernel, or a function that returns it; called at the first request."""

Lifespan: TypeAlias = Callable[[FastAPI], AbstractAsyncContextManager[Any]]


def build_app(  # noqa: PLR0913 (each is one part of the app)
    kernel: KernelSource,
    options: HttpOptions,
    *,
    lifespan: Lifespan,
    health: HealthChecks,
    metrics: Callable[[], Awaitable[tuple[bytes, str]]] | None = None,
    principal: Depends | None = None,
    identification: CallerIdentification | None = None,
    sessions: SessionUseCases | None = None,
    asyncapi: Callable[[], Mapping[str, Any]] | None = None,
    **fastapi_options: Any,
) -> FastAPI:
    """Return an app with every resource of *kernel*, its documentation, health pages and default headers.

    Args:
        kernel: The kernel; a function is called at the first request.

        options: The options of the HTTP interface.

        lifespan: The lifespan of the app.

        health: Is told when the lifespan begins and ends.

        metrics: Returns the body of `/metrics` and its media type; without it there is no such page.

        principal: The dependency that returns the caller.

        identification: Identifies callers where there is no such dependency.

        sessions: What the routes of sessions call; without it there are none.

        asyncapi: Returns the body of `/asyncapi.json`; without it there is no such page.

        fastapi_options: Passed to `FastAPI`; they take precedence over *options*.
    """
    described: dict[str, Any] = {
        "title": options.title,
        "version": options.version,
        "description": options.description,
        **({} if options.docs else {"openapi_url": None}),
        **fastapi_options,
    }
    http_resources, started = _HttpResources(kernel, options), StartCheck()
    app = _App(
        options,
        http_resources,
        started,
        principal,
        identification,
        renews_sessions=sessions is not None,
        lifespan=started.noted(_with_health(lifespan, health)),
        **described,
    )
    provide_current_principal(app, identification, principal)
    if sessions is not None:
        add_session_routes(app, sessions, options)
    add_problem_handlers(app)
    extend_openapi(app, http_resources, app.guards)
    app.router.default = Pages(
        app.router.default,
        lambda root: _index(app, http_resources(), root, has_asyncapi=asyncapi is not None),
        health,
        metrics,
        asyncapi,
    )
    return app


def mount(
    app: FastAPI,
    kernel: KernelSource,
    options: HttpOptions,
    dependencies: Sequence[Depends] | None = None,
    principal: Depends | None = None,
    identification: CallerIdentification | None = None,
    sessions: SessionUseCases | None = None,
) -> None:
    """Add the resources of *kernel* to *app*, whose own routes, lifespan and exception handlers stay as they are.

    Args:
        app: Any FastAPI app. Its own routes win over a resource under the same path.

        kernel: The kernel; a function is called at the first request.

        options: The options of the HTTP interface; those about the app as a whole have no effect.

        dependencies: Run before every operation of the resources, after those of *app*.

        principal: The dependency that returns the caller.

        identification: Identifies callers where there is no such dependency.

        sessions: What the routes of sessions call; without it there are none.
    """
    http_resources = _HttpResources(kernel, options)
    guards = Guards(app, options, dependencies or (), principal, identification)
    provide_current_principal(app, identification, principal)
    if dependencies is None:
        app.router.lifespan_context = _with_warning(
            http_resources, guards, options.prefix, app.router.lifespan_context
        )
    started = StartCheck()
    app.router.lifespan_context = started.noted(app.router.lifespan_context)
    dispatch = Dispatch(
        app,
        partial(http_resources.paths, guards, app.router),
        options.prefix,
        started=started,
        tells_rates=options.rate_limits,
        header_limit=options.header_limit,
    )
    app.router.middleware_stack = dispatch.wrap(app.router.middleware_stack)  # type: ignore[assignment] # awaited
    if sessions is not None:
        add_session_routes(app, sessions, options)
        app.router.middleware_stack = RenewedCookies(app.router.middleware_stack)
    app.router.routes.append(dispatch.catch_all_route)
    app.state.door = Door(dispatch.refuses, (), lambda: bool(app.user_middleware))
    extend_openapi(app, http_resources, guards)


TELEMETRY_CHECK_INTERVAL: Final = 1.0
"""Seconds between two checks whether OpenTelemetry is configured; a check costs as much as dispatching a request."""


class _App(FastAPI):
    """FastAPI with the resources in front of its own middleware stack and router, which they do not need.

    The user's own middleware is around both.
    """

    def __init__(
        self,
        options: HttpOptions,
        http_resources: "_HttpResources",
        started: StartCheck,
        principal: Depends | None,
        identification: CallerIdentification | None,
        *,
        renews_sessions: bool,
        **fastapi_options: Any,
    ) -> None:
        self._options = options
        self._renews_sessions = renews_sessions
        self._is_traced = True
        self._next_telemetry_check = 0.0
        self.guards = Guards(self, options, principal=principal, identification=identification)
        docs_url, redoc_url = (
            fastapi_options.pop("docs_url", "/docs"),
            fastapi_options.pop("redoc_url", "/redoc"),
        )
        super().__init__(docs_url=None, redoc_url=None, **fastapi_options)
        DocumentationPages(self, security_headers=options.security_headers).add(docs_url, redoc_url)
        paths = partial(http_resources.paths, self.guards, self.router)
        self._dispatch = Dispatch(
            self,
            paths,
            options.prefix,
            started=started,
            tells_rates=options.rate_limits,
            header_limit=options.header_limit,
        )
        self.router.routes.append(self._dispatch.catch_all_route)
        self.state.door = Door(
            self._dispatch.refuses,
            headers_of_json(security_headers=options.security_headers),
            lambda: bool(self.user_middleware or options.cors.origins),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; skip FastAPI's telemetry while none is configured, which is checked once a second."""
        if scope["type"] == "http":
            now = time.monotonic()
            if now >= self._next_telemetry_check:
                self._next_telemetry_check = now + TELEMETRY_CHECK_INTERVAL
                self._is_traced = telemetry_switch(self)()
            if not self._is_traced:
                # The value that FastAPI itself sets for requests without telemetry.
                scope["fastapi.telemetry"] = None
                stack = self.middleware_stack
                if stack is not None and not self.root_path:
                    # All that FastAPI and Starlette would do.
                    scope["app"] = self
                    await stack(scope, receive, send)
                    return
        await super().__call__(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Return the user's middleware around the resources and FastAPI's own stack."""
        own = self.user_middleware
        # FastAPI builds its stack from this attribute: for now it names only what its own routes need.
        self.user_middleware = _route_middleware(self._options)
        try:
            app: ASGIApp = super().build_middleware_stack()
        finally:
            self.user_middleware = own
        app = self._dispatch.wrap(app)
        if self._renews_sessions:
            app = RenewedCookies(app)
        for cls, arguments, named in reversed(
            [*_outer_middleware(self._options, has_user_middleware=bool(own)), *own]
        ):
            app = cls(app, *arguments, **named)
        return app


def _route_middleware(options: HttpOptions) -> list[Middleware]:
    """Return the layers around the user's own routes only; `Dispatch` does for resources what they do."""
    return [Middleware(UnhandledExceptionMiddleware), Middleware(BodyLimit, options.body_limit)]


def _outer_middleware(options: HttpOptions, *, has_user_middleware: bool) -> list[Middleware]:
    """Return the layers around everything, the outermost first, each with the reason for its place.

    Args:
        options: The options of the HTTP interface.

        has_user_middleware: There is middleware of the user's own inside.
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
            *(
                "ETag",
                "Idempotent-Replayed",
                "Link",
                "Location",
                "Preference-Applied",
                "RateLimit-Limit",
                "RateLimit-Remaining",
                "RateLimit-Reset",
                "Retry-After",
                "Withheld-Events",
            ),
            "X-Correlation-ID",
        ),
    )
    return [
        *_proxy_headers(
            options.trusted_proxies
        ),  # everything inside sees the address of the caller, and not that of a proxy
        Middleware(
            DefaultHeaders, security_headers=options.security_headers, is_outside=has_user_middleware
        ),  # on every answer, also on 500
        *(
            [Middleware(UnhandledExceptionMiddleware)] if has_user_middleware else []
        ),  # catches what the user's own middleware raises
        *([allowed] if cors.origins else []),  # a page may read problems too
    ]


def _proxy_headers(proxies: Sequence[str]) -> list[Middleware]:
    """Return what believes the headers of *proxies*, if there are any."""
    if not proxies:
        return []
    # Of a server that every program would import with this, and few name a proxy.
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware  # noqa: PLC0415

    return [Middleware(ProxyHeadersMiddleware, trusted_hosts=list(proxies))]


def _with_health(lifespan: Lifespan, health: HealthChecks) -> Lifespan:
    @asynccontextmanager
    async def lifespan_with_health(app: FastAPI) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            health.started()
            try:
                with health.lag.watch():
                    yield state
            finally:
                health.draining()

    return lifespan_with_health


def _with_warning(
    http_resources: "_HttpResources", guards: Guards, prefix: str, lifespan: Lifespan
) -> Lifespan:
    @asynccontextmanager
    async def lifespan_with_warning(app: FastAPI) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            # Only now, because routes and dependencies may be added until the app starts.
            warn_of_unguarded_resources(app, prefix, http_resources.resources(), guards)
            yield state

    return lifespan_with_warning


def _index(
    app: FastAPI, http_resources: tuple[HttpResource, ...], root: str, *, has_asyncapi: bool
) -> Mapping[str, Any]:
    documentation = {
        name: root + url for name, url in (("docs", app.docs_url), ("openapi", app.openapi_url)) if url
    }
    if has_asyncapi:
        documentation["asyncapi"] = root + ASYNCAPI
    resources = {http_resource.resource.name: root + http_resource.path for http_resource in http_resources}
    return {"title": app.title, "version": app.version, **documentation, "resources": resources}


class _HttpResources:
    """The HTTP side of all resources, made when first asked for."""

    def __init__(self, kernel: KernelSource, options: HttpOptions) -> None:
        self._kernel = kernel
        self._options = options
        self._built: tuple[HttpResource, ...] | None = None

    def __call__(self) -> tuple[HttpResource, ...]:
        if self._built is None:
            names = names_of(self.resources())
            remembered: Remembered = {}
            self._built = tuple(
                HttpResource(use_cases, self._options, names, RESERVED_SEGMENTS, remembered)
                for use_cases in self._resolve_kernel()
            )
        return self._built

    def resources(self) -> list[Resource[Any]]:
        """Return the resources themselves."""
        return [use_cases.resource for use_cases in self._resolve_kernel()]

    def _resolve_kernel(self) -> Kernel:
        if not isinstance(self._kernel, Kernel):
            self._kernel = self._kernel()
        return self._kernel

    def paths(self, guards: Guards, router: Router) -> Mapping[bytes, Paths]:
        """Return the paths of each resource by its first path segment, for the dispatcher."""
        return {
            http_resource.segment.encode("ascii"): build_paths(
                http_resource, guards.of(http_resource.resource), router, guards.identification
            )
            for http_resource in self()
        }
