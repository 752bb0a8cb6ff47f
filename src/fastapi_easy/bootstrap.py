"""From declarations to a running application, and the order in which things open and close."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

from fastapi import APIRouter, FastAPI
from fastapi.params import Depends
from returns.result import Failure

from fastapi_easy.application.kernel import Kernel
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.lifespans import close_resources, opened_resources
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.container import Container
from fastapi_easy.domain.errors import DeclarationError, Outcome
from fastapi_easy.domain.ports.database import Database, SchemaMode
from fastapi_easy.domain.ports.dependency import Dependency
from fastapi_easy.domain.ports.lock_provider import LockProvider
from fastapi_easy.infrastructure.validation import find_schema_mistakes
from fastapi_easy.interfaces.http.app import build_app, mount
from fastapi_easy.interfaces.http.dependencies.guards import find_dependency_mistakes
from fastapi_easy.interfaces.http.dependencies.principal import principal_dependency
from fastapi_easy.interfaces.http.health import HealthChecks
from fastapi_easy.interfaces.http.options import CorsOptions, HttpOptions
from fastapi_easy.settings import Settings

__all__ = ["create_app", "mount_resources", "open_kernel", "schema_mode"]


def create_app(
    container: Container, *, principal: Callable[..., Any] | Depends | None = None, **fastapi_options: Any
) -> FastAPI:
    """Build a FastAPI application with every resource of *container*, its docs and its health endpoints.

    Args:
        container: An instance of your container.

        principal: A FastAPI dependency, a function or `Depends(...)`, that answers the `Principal` who calls, or
            `None` for somebody who did not say. Without one every caller is anonymous.

        fastapi_options: Passed to `FastAPI`; a `lifespan` of your own runs inside the container's, and
            `dependencies` run before every operation of the resources too.

    Raises:
        DeclarationError: With every mistake in the declarations and the settings.
    """
    application = _application(container)
    kernel = _checked_kernel(application, fastapi_options.get("dependencies") or ())
    databases = tuple(application.every_database())
    health = HealthChecks(
        databases,
        application.settings().http.ready_requires,
        application.every_breaker,
        _locks_of(application),
    )
    own: Callable[[FastAPI], AbstractAsyncContextManager[Any]] | None = fastapi_options.pop("lifespan", None)
    app = build_app(
        kernel,
        _http_options(application),
        lifespan=_lifespan(application, own),
        health=health,
        principal=principal_dependency(principal),
        metrics=_metrics_of(application, databases),
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
            `None` for somebody who did not say. Without one every caller is anonymous.

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
    kernel = _checked_kernel(application, (*app.router.dependencies, *(dependencies or ())))
    caller = principal_dependency(principal)
    app.router.lifespan_context = _lifespan(application, app.router.lifespan_context)
    mount(app, kernel, _http_options(application, prefix), dependencies, caller)
    app.state.container = application


@asynccontextmanager
async def open_kernel(container: Container) -> AsyncIterator[Kernel]:
    """Open everything *container* needs, without HTTP, and close it at the end.

    Databases open in the order they were declared, then the `Resource` providers of your own; all close in reverse,
    each even when another fails to.

    Raises:
        DeclarationError: With every mistake in the declarations, or every difference to the stored schema where
            the setting `schema_mode` does not let it be mended.

        ConnectionError: A database whose schema has to be looked at does not answer.
    """
    application = _application(container)
    kernel = _checked_kernel(application)
    async with AsyncExitStack() as stack:
        # Some may be open already, because something that was asked for is made from them.
        _ = stack.push_async_callback(close_resources, application)
        for database in application.every_database():
            await database.open()
            _ = stack.push_async_callback(database.close)
            await _prepare(application, database)
        locks = application.locks()
        # Closed first, while the databases still stand.
        _ = stack.push_async_callback(locks.aclose)
        await _check_locks(locks)
        await stack.enter_async_context(opened_resources(application))
        control = application.settings().control
        if control is not None:
            await stack.enter_async_context(_serve_control_folder(application, control))
        yield kernel


async def _check_locks(locks: LockProvider) -> None:
    checked = await locks.check()
    if not isinstance(checked, Failure) and (mistakes := checked.unwrap()):
        raise DeclarationError(mistakes)


def _serve_control_folder(application: Application, folder: Path) -> AbstractAsyncContextManager[None]:
    from fastapi_easy.interfaces.cli.control import control_handler, serve_control

    return serve_control(folder, control_handler(application.every_breaker))


def _application(container: Container) -> Application:
    # `Container()` makes an `Application`; the static type is the user's class, whose attributes are declared there.
    return cast("Application", container)


def _checked_kernel(application: Application, dependencies: Sequence[Depends] = ()) -> Kernel:
    kernel = application.kernel()
    _ = application.metrics()  # says now what it lacks
    _ = application.locks()  # likewise
    mistakes = find_dependency_mistakes("the application", dependencies)
    for resource in (each.resource for each in kernel):
        mistakes += find_schema_mistakes(resource)
        mistakes += find_dependency_mistakes(resource.name, resource.dependencies)
    if mistakes:
        raise DeclarationError(mistakes)
    return kernel


def _metrics_of(
    application: Application, databases: Sequence[Database]
) -> Callable[[], tuple[bytes, str]] | None:
    metrics = application.metrics()
    if metrics is None:
        return None
    locks = _locks_of(application)
    return lambda: (
        metrics.report([*databases, *locks()], application.every_breaker(), application.retry().retries),
        metrics.media_type,
    )


def _locks_of(application: Application) -> Callable[[], Sequence[Dependency]]:
    """Return a function that lists the store of the locks, once it is in use."""

    def locks() -> Sequence[Dependency]:
        found = application.locks().dependency
        return () if found is None else (found,)

    return locks


def schema_mode(settings: Settings, database: Database) -> SchemaMode:
    """Return what happens to the stored schema of *database* at start."""
    chosen = settings.databases[database.name].schema_mode
    embedded = database.technology in {"SQLite", "memory"}
    return chosen or (SchemaMode.CREATE if embedded else SchemaMode.FRESH)


async def _prepare(application: Application, database: Database) -> None:
    mode = schema_mode(application.settings(), database)
    kept = [each for each in application.every_resource() if each.database == database.name]
    _require_prepared(database, await database.prepare(kept, mode))
    journal = application.journal()
    if journal is None:
        return
    prepare_journal = technology_of(database).journal
    if prepare_journal is None:
        raise DeclarationError(
            [f"database {database.name!r}: {database.technology} does not support a journal"]
        )
    _require_prepared(database, await prepare_journal(database, journal.tables))


def _require_prepared(database: Database, prepared: Outcome[Sequence[str]]) -> None:
    if isinstance(prepared, Failure):
        raise ConnectionError(f"database {database.name!r} ({database.technology}) does not answer")
    if differences := prepared.unwrap():
        raise DeclarationError([f"database {database.name!r}: {each}" for each in differences])


def _lifespan(
    application: Application, inner: Callable[[FastAPI], AbstractAsyncContextManager[Any]] | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[Any]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
        async with open_kernel(cast("Container", application)):
            if inner is None:
                yield
                return
            async with inner(app) as state:
                yield state

    return lifespan


def _http_options(application: Application, prefix: str | None = None) -> HttpOptions:
    http = application.settings().http
    plain = http.model_dump(exclude={"cors", "prefix", "drain_delay", "grace", "ready_requires", "metrics"})
    cors = CorsOptions(**http.cors.model_dump(exclude_none=True))
    return HttpOptions(**plain, cors=cors, prefix=http.prefix if prefix is None else prefix)
