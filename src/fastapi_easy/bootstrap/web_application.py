"""The HTTP application of a container."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from typing import Any, cast

from fastapi import APIRouter, FastAPI
from fastapi.params import Depends

from fastapi_easy.application.events.outbox_meter import OutboxMeter
from fastapi_easy.application.kernel import Kernel
from fastapi_easy.bootstrap.opening import application_of, checked_kernel, opened_kernel
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.trail import is_audited
from fastapi_easy.composition.calls.resilience import queues_of, retry_figures
from fastapi_easy.composition.events.asyncapi import describe_messages, has_messages
from fastapi_easy.composition.schemas.standings import read_standings
from fastapi_easy.container import Container
from fastapi_easy.domain.ports.database import Database
from fastapi_easy.domain.ports.dependency import Dependency
from fastapi_easy.infrastructure.garbage_collection import rare_collections
from fastapi_easy.interfaces.http.app import build_app, mount
from fastapi_easy.interfaces.http.authentication.caller_identification import CallerIdentification
from fastapi_easy.interfaces.http.authentication.cookie_guard import CookieGuard
from fastapi_easy.interfaces.http.authentication.csrf import origin_rule
from fastapi_easy.interfaces.http.dependencies.principal import principal_dependency
from fastapi_easy.interfaces.http.health import HealthChecks
from fastapi_easy.interfaces.http.options import CorsOptions, HttpOptions

__all__ = ["add_resources", "make_app"]


def make_app(
    container: Container, principal: Callable[..., Any] | Depends | None, fastapi_options: dict[str, Any]
) -> FastAPI:
    """Build what `create_app` promises."""
    with rare_collections():
        return _create_app(application_of(container), principal, fastapi_options)


def _create_app(
    application: Application, principal: Callable[..., Any] | Depends | None, fastapi_options: dict[str, Any]
) -> FastAPI:
    kernel = checked_kernel(application, fastapi_options.get("dependencies") or ())
    databases = tuple(application.every_database())
    health = HealthChecks(
        databases,
        application.settings().http.ready_requires,
        application.every_breaker,
        _locks_of(application),
        partial(read_standings, application),
        None if application.feeds is None else application.feeds.close_soon,
    )
    own: Callable[[FastAPI], AbstractAsyncContextManager[Any]] | None = fastapi_options.pop("lifespan", None)
    options = _http_options(application)
    app = build_app(
        kernel,
        options,
        lifespan=_lifespan(application, own),
        health=health,
        principal=principal_dependency(principal),
        identification=None if principal is not None else _caller_identification(application, options),
        sessions=application.session_use_cases(),
        metrics=_metrics_of(application, databases),
        asyncapi=_asyncapi_of(application),
        **fastapi_options,
    )
    app.state.container = application
    app.state.health = health
    return app


def add_resources(
    app: FastAPI,
    container: Container,
    *,
    prefix: str | None,
    dependencies: Sequence[Depends] | None,
    principal: Callable[..., Any] | Depends | None,
) -> None:
    """Add what `mount_resources` promises."""
    if isinstance(app, APIRouter):
        raise TypeError(
            "mount_resources adds to an application, not to a router: pass the app that includes the router, with "
            "prefix=router.prefix and dependencies=router.dependencies"
        )
    application = application_of(container)
    with rare_collections():
        kernel = checked_kernel(application, (*app.router.dependencies, *(dependencies or ())))
        caller = principal_dependency(principal)
        options = _http_options(application, prefix)
        identification = None if principal is not None else _caller_identification(application, options)
        app.router.lifespan_context = _lifespan(application, app.router.lifespan_context)
        mount(app, kernel, options, dependencies, caller, identification, application.session_use_cases())
    app.state.container = application


def _caller_identification(application: Application, options: HttpOptions) -> CallerIdentification | None:
    """Return what identifies callers over HTTP; `None` where the application has no authenticators."""
    authenticators = application.authenticators
    if not authenticators():
        return None
    guard = CookieGuard(application.session_use_cases(), origin_rule(options.cors))
    on_refused = None
    if is_audited(application.declarations.values()):
        from fastapi_easy.composition.audit.recording import refused_credentials

        on_refused = refused_credentials(application)
    return CallerIdentification(authenticators, guard, lambda: application.public_operations, on_refused)


def _asyncapi_of(application: Application) -> Callable[[], Mapping[str, Any]] | None:
    """Return what describes the messages of *application*; `None` where nothing is to be described."""
    if not application.settings().http.docs or not has_messages(application):
        return None
    return partial(describe_messages, application)


def _metrics_of(
    application: Application, databases: Sequence[Database]
) -> Callable[[], Awaitable[tuple[bytes, str]]] | None:
    metrics = application.metrics()
    if metrics is None:
        return None
    locks = _locks_of(application)
    # Without a broker everything waits for ever, and nobody is to be called for that.
    outboxes = {} if application.broker() is None else application.outboxes()
    meter = OutboxMeter(outboxes, application.relay_figures, application.clock()) if outboxes else None

    async def report() -> tuple[bytes, str]:
        waiting: dict[str, Any] = {} if meter is None else {"outboxes": await meter.measure()}
        body = metrics.report(
            [*databases, *locks()], application.every_breaker(), **retry_figures(application), **waiting
        )
        return body, metrics.media_type

    return report


def _locks_of(application: Application) -> Callable[[], Sequence[Dependency]]:
    """Return a function that lists the store of the locks, once it is in use."""

    def locks() -> Sequence[Dependency]:
        found = application.locks().dependency
        return () if found is None else (found,)

    return locks


def _lifespan(
    application: Application, inner: Callable[[FastAPI], AbstractAsyncContextManager[Any]] | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[Any]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
        async with (
            opened_kernel(cast("Container", application)) as kernel,
            _embedded_consumers(application, kernel),
        ):
            if inner is None:
                yield
                return
            async with inner(app) as state:
                yield state

    return lifespan


def _embedded_consumers(application: Application, kernel: Kernel) -> AbstractAsyncContextManager[None]:
    """Return what handles messages beside requests, where the settings say so; it is imported only then."""
    if application.settings().events.consume == "off":
        return nullcontext()
    from fastapi_easy.composition.messaging.consuming import embedded_consumers

    return embedded_consumers(application, kernel)


def _http_options(application: Application, prefix: str | None = None) -> HttpOptions:
    http = application.settings().http
    of_server = {"drain_delay", "grace", "header_bytes", "header_timeout", "keep_alive_timeout"}
    plain = http.model_dump(exclude={"cors", "prefix", "ready_requires", "metrics", *of_server})
    cors = CorsOptions(**http.cors.model_dump(exclude_none=True))
    return HttpOptions(
        **plain,
        cors=cors,
        prefix=http.prefix if prefix is None else prefix,
        rate_limits=bool(application.settings().limits.rules),
        queues=queues_of(application.every_database(), application.settings()),
    )
