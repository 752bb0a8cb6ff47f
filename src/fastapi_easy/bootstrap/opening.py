"""What an application needs is opened in order, and closed in reverse."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import cast

from fastapi.params import Depends
from returns.result import Failure

from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.tenancy import warn_of_disclosures
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.trail import is_audited
from fastapi_easy.composition.authentication.authenticators import close_authenticators, close_credentials
from fastapi_easy.composition.caching.lifespan import check_caching, opened_cache, prepare_generations
from fastapi_easy.composition.calls.outage_probes import running_probes
from fastapi_easy.composition.calls.rate_limits import find_limit_mistakes
from fastapi_easy.composition.events.relay import running_relay
from fastapi_easy.composition.events.wake_ups import opened_wake_ups
from fastapi_easy.composition.events.webhooks import find_webhook_mistakes, prepare_webhooks
from fastapi_easy.composition.lifespans import close_resources, opened_resources
from fastapi_easy.composition.policies.effective_policy import current_policy, find_policy_mistakes
from fastapi_easy.composition.schemas.preparation import prepare_schema
from fastapi_easy.composition.schemas.row_security import check_row_security
from fastapi_easy.container import Container
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports.database import Database
from fastapi_easy.domain.ports.lock_provider import LockProvider
from fastapi_easy.infrastructure.garbage_collection import rare_collections
from fastapi_easy.infrastructure.validation import find_schema_mistakes
from fastapi_easy.interfaces.http.dependencies.guards import find_dependency_mistakes

__all__ = ["application_of", "checked_kernel", "opened_application", "opened_kernel"]


@asynccontextmanager
async def opened_kernel(container: Container) -> AsyncIterator[Kernel]:
    """Open what `open_kernel` promises."""
    application = application_of(container)
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
    await stack.enter_async_context(running_probes(application))
    control = application.settings().control
    if control is not None:
        await stack.enter_async_context(_serve_control_folder(application, control))
    if current_policy(application) is not None:
        await _log_public_operations(application)
    return kernel


def _log_public_operations(application: Application) -> Awaitable[None]:
    from fastapi_easy.composition.policies.questions import log_public_operations

    return log_public_operations(application)


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


def application_of(container: Container) -> Application:
    """Return the application that an instance of a container is.

    Raises:
        DeclarationError: It is something else.
    """
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


def _find_consumer_mistakes(application: Application, kernel: Kernel) -> list[str]:
    if not application.consumers():
        return []
    from fastapi_easy.composition.messaging.declared import find_consumer_mistakes

    return find_consumer_mistakes(application, kernel)
