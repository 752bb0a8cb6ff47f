"""From declarations to a running application, and the order in which things open and close."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, cast

from fastapi import APIRouter, FastAPI
from fastapi.params import Depends
from returns.result import Failure

from fastapi_easy.application.events.outbox_meter import OutboxMeter
from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.tenancy import warn_of_disclosures
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.trail import is_audited
from fastapi_easy.composition.authentication.authenticators import close_authenticators, close_credentials
from fastapi_easy.composition.caching.lifespan import check_caching, opened_cache, prepare_generations
from fastapi_easy.composition.calls.rate_limits import find_limit_mistakes
from fastapi_easy.composition.calls.resilience import queues_of
from fastapi_easy.composition.events.asyncapi import describe_messages, has_messages
from fastapi_easy.composition.events.relay import running_relay
from fastapi_easy.composition.events.wake_ups import opened_wake_ups
from fastapi_easy.composition.events.webhooks import find_webhook_mistakes, prepare_webhooks
from fastapi_easy.composition.lifespans import close_resources, opened_resources
from fastapi_easy.composition.policies.effective_policy import find_policy_mistakes
from fastapi_easy.composition.policies.questions import log_public_operations
from fastapi_easy.composition.schemas.preparation import prepare_schema
from fastapi_easy.composition.schemas.row_security import check_row_security
from fastapi_easy.composition.schemas.standings import read_standings
from fastapi_easy.container import Container
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports.database import Database
from fastapi_easy.domain.ports.dependency import Dependency
from fastapi_easy.domain.ports.lock_provider import LockProvider
from fastapi_easy.infrastructure.garbage_collection import rare_collections
from fastapi_easy.infrastructure.validation import find_schema_mistakes
from fastapi_easy.interfaces.http.app import build_app, mount
from fastapi_easy.interfaces.http.authentication.caller_identification import CallerIdentification
from fastapi_easy.interfaces.http.authentication.cookie_guard import CookieGuard
from fastapi_easy.interfaces.http.authentication.csrf import origin_rule
from fastapi_easy.interfaces.http.dependencies.guards import find_dependency_mistakes
from fastapi_easy.interfaces.http.dependencies.principal import principal_dependency
from fastapi_easy.interfaces.http.health import HealthChecks
from fastapi_easy.interfaces.http.options import CorsOptions, HttpOptions

__all__ = ["create_app", "mount_resources", "open_kernel"]


def create_app(
    container: Container, *, principal: Callable[..., Any] | Depends | None = None, **fastapi_options: Any
) -> FastAPI:
    """Build a FastAPI application with every resource of *container*, its docs and its health endpoints.

    Args:
        container: An instance of your container.

        principal: A FastAPI dependency, a function or `Depends(...)`, that answers the `Principal` who calls, or
            `None` for somebody who did not say. It takes the place of the container's authenticators; without either
            every caller is anonymous.

        fastapi_options: Passed to `FastAPI`; a `lifespan` of your own runs inside the container's, and
            `dependencies` run before every operation of the resources too.

    Raises:
        DeclarationError: With every mistake in the declarations and the settings.
    """
    with rare_collections():
        return _create_app(_application(container), principal, fastapi_options)


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


def mount_resources(
    app: FastAPI,
    container: Container,
    *,
    prefix: str | None = None,
    dependencies: Sequence[Depends] | None = None,
    principal: Callable[..., Any] | Depends | None = None,
) -> None:
    """Add every resource of *container* to *app*, which keeps its routes, dependencies and handlers.

    The lifespan of *app* is kept too and runs inside the container's. The dependencies of *app* run before every
    operation of the resources; those of a router that *app* includes are that router's own. A warning is logged at
    start where all routes below *prefix* have dependencies that the resources have not.

    Args:
        app: A FastAPI application that has not been started.

        container: An instance of your container.

        prefix: Path in front of every resource; the setting `http.prefix` unless given.

        dependencies: `Depends(...)` or `Security(...)`, run before every operation of the resources, after those
            of *app*. An empty list says that none are meant to.

        principal: A FastAPI dependency, a function or `Depends(...)`, that answers the `Principal` who calls, or
            `None` for somebody who did not say. It takes the place of the container's authenticators; without either
            every caller is anonymous.

    Raises:
        DeclarationError: With every mistake in the declarations and the settings.

        TypeError: *app* is a router.
    """
    if isinstance(app, APIRouter):
        raise TypeError(
            "mount_resources adds to an application, not to a router: pass the app that includes the router, with "
            "prefix=router.prefix and dependencies=router.dependencies"
        )
    application = _application(container)
    with rare_collections():
        kernel = checked_kernel(application, (*app.router.dependencies, *(dependencies or ())))
        caller = principal_dependency(principal)
        options = _http_options(application, prefix)
        identification = None if principal is not None else _caller_identification(application, options)
        app.router.lifespan_context = _lifespan(application, app.router.lifespan_context)
        mount(app, kernel, options, dependencies, caller, identification, application.session_use_cases())
    app.state.container = application


@asynccontextmanager
async def open_kernel(container: Container) -> AsyncIterator[Kernel]:
    """Open everything *container* needs, without HTTP, and close it at the end.

    Databases open in the order they were declared, then the `Resource` providers of your own; all close in reverse,
    each even when another fails to. Where the setting `events.relay` says so, a relay runs in between.

    Raises:
        DeclarationError: With every mistake in the declarations, or every difference to the stored schema where
            the setting `migrations` does not let it be mended.

        ConnectionError: A database whose schema has to be looked at does not answer.
    """
    application = _application(container)
    async with opened_application(application) as kernel, running_relay(application):
        yield kernel


@asynccontextmanager
async def opened_application(application: Application) -> AsyncIterator[Kernel]:
    """Open everything that *application* needs, as `open_kernel` does, and run nothing beside it."""
    async with AsyncExitStack() as stack:
        with rare_collections():
            kernel = await _open(application, stack)
        yield kernel


async def _open(application: Application, stack: AsyncExitStack) -> Kernel:
    kernel = checked_kernel(application)
    warn_of_disclosures([each.resource for each in kernel])
    # Some may be open already, because something that was asked for is made from them.
    _ = stack.push_async_callback(close_resources, application)
    for database in application.every_database():
        await database.open()
        _ = stack.push_async_callback(database.close)
        await prepare_schema(application, database)
        await check_row_security(application, database)
        await prepare_generations(application, database)
        if is_audited(application.declarations.values()):
            await _prepare_audit(application, database)
        await prepare_webhooks(application, database)
    await stack.enter_async_context(opened_cache(application))
    if is_audited(application.declarations.values()):
        await stack.enter_async_context(_opened_recording(application))
    if application.feeds is not None:
        await stack.enter_async_context(opened_wake_ups(application))
        await stack.enter_async_context(_opened_feeds(application))
    _ = stack.push_async_callback(close_credentials, application)
    _ = stack.push_async_callback(close_authenticators, application.authenticators())
    # Closed while the databases still stand.
    _ = stack.push_async_callback(application.idempotency().aclose)
    if application.settings().limits.rules:
        _ = stack.push_async_callback(application.rate_limiter().close)
    locks = application.locks()
    # Closed first, while the databases still stand.
    _ = stack.push_async_callback(locks.aclose)
    await _check_locks(locks)
    await stack.enter_async_context(opened_resources(application))
    control = application.settings().control
    if control is not None:
        await stack.enter_async_context(_serve_control_folder(application, control))
    await log_public_operations(application)
    return kernel


async def _check_locks(locks: LockProvider) -> None:
    checked = await locks.check()
    if not isinstance(checked, Failure) and (mistakes := checked.unwrap()):
        raise DeclarationError(mistakes)


def _prepare_audit(application: Application, database: Database) -> Awaitable[None]:
    from fastapi_easy.composition.audit.recording import prepare_audit

    return prepare_audit(application, database)


def _opened_recording(application: Application) -> AbstractAsyncContextManager[None]:
    from fastapi_easy.composition.audit.recording import opened_recording

    return opened_recording(application)


def _opened_feeds(application: Application) -> AbstractAsyncContextManager[None]:
    from fastapi_easy.composition.events.feeds import opened_feeds

    return opened_feeds(application)


def _serve_control_folder(application: Application, folder: Path) -> AbstractAsyncContextManager[None]:
    from fastapi_easy.interfaces.cli.control import control_handler, serve_control

    on_action = None
    if is_audited(application.declarations.values()):
        from fastapi_easy.composition.audit.recording import operated_breaker

        on_action = operated_breaker(application)
    return serve_control(folder, control_handler(application.every_breaker, on_action))


def _application(container: Container) -> Application:
    given: object = container
    if isinstance(given, type) and issubclass(given, Container):
        raise DeclarationError(
            [
                f"{given.__name__} is the class of a container, and an instance is needed: write {given.__name__}()"
            ]
        )
    if not isinstance(given, Application):
        what = f"the class {given.__name__}" if isinstance(given, type) else f"of type {type(given).__name__}"
        raise DeclarationError(
            [
                f"a container is needed, and {what} is not one: declare class Shop(Container), and hand over Shop()"
            ]
        )
    # `Container()` makes an `Application`; the static type is the user's class, whose attributes are declared there.
    return cast("Application", container)


def checked_kernel(application: Application, dependencies: Sequence[Depends] = ()) -> Kernel:
    """Return the kernel of *application*, whose declarations are all right.

    Raises:
        DeclarationError: With every mistake of every declaration.
    """
    kernel = application.kernel()
    _ = application.metrics()  # says now what it lacks
    _ = application.locks()  # likewise
    check_caching(application)
    if is_audited(application.declarations.values()):
        _ = application.audit_trail()  # likewise
    _ = application.authenticators()  # likewise
    mistakes = [
        *find_dependency_mistakes("the application", dependencies),
        *find_policy_mistakes(application),
        *find_limit_mistakes(application),
        *_find_consumer_mistakes(application, kernel),
        *find_webhook_mistakes(application),
    ]
    for resource in (each.resource for each in kernel):
        mistakes += find_schema_mistakes(resource)
        mistakes += find_dependency_mistakes(resource.name, resource.dependencies)
    if mistakes:
        raise DeclarationError(mistakes)
    return kernel


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
        measured = {} if meter is None else {"outboxes": await meter.measure()}
        body = metrics.report(
            [*databases, *locks()], application.every_breaker(), application.retry().retries, **measured
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
            open_kernel(cast("Container", application)) as kernel,
            _embedded_consumers(application, kernel),
        ):
            if inner is None:
                yield
                return
            async with inner(app) as state:
                yield state

    return lifespan


def _find_consumer_mistakes(application: Application, kernel: Kernel) -> list[str]:
    if not application.consumers():
        return []
    from fastapi_easy.composition.messaging.declared import find_consumer_mistakes

    return find_consumer_mistakes(application, kernel)


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
