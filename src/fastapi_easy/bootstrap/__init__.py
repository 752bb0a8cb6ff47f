"""From declarations to a running application, and the order in which things open and close.

What does it is imported when one of these is called: whoever only imports this module pays for FastAPI alone.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any  # noqa: TID251 - the names are there for type checkers, and cost nothing at start

from fastapi import FastAPI
from fastapi.params import Depends

if TYPE_CHECKING:
    from fastapi_easy.application.kernel import Kernel
    from fastapi_easy.container import Container

__all__ = ["create_app", "mount_resources", "open_kernel"]


def create_app(
    container: "Container", *, principal: Callable[..., Any] | Depends | None = None, **fastapi_options: Any
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
    from fastapi_easy.bootstrap.web_application import make_app

    return make_app(container, principal, fastapi_options)


def mount_resources(
    app: FastAPI,
    container: "Container",
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
    from fastapi_easy.bootstrap.web_application import add_resources

    add_resources(app, container, prefix=prefix, dependencies=dependencies, principal=principal)


@asynccontextmanager
async def open_kernel(container: "Container") -> "AsyncIterator[Kernel]":
    """Open everything *container* needs, without HTTP, and close it at the end.

    Databases open in the order they were declared, then the `Resource` providers of your own; all close in reverse,
    each even when another fails to. Where the setting `events.relay` says so, a relay runs in between.

    Raises:
        DeclarationError: With every mistake in the declarations, or every difference to the stored schema where
            the setting `migrations` does not let it be mended.

        ConnectionError: A database whose schema has to be looked at does not answer.
    """
    from fastapi_easy.bootstrap.opening import opened_kernel

    async with opened_kernel(container) as kernel:
        yield kernel
