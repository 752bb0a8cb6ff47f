"""Whether an app was started before it is asked: a mounted application is not, and says so."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI

_logger: Final = logging.getLogger("fastapi_easy.http")


class StartCheck:
    """Remembers whether the lifespan of one app has begun.

    FastAPI runs the lifespan of the outermost application only: one that is mounted with `app.mount` has no tables, no
    connections and no relay, and a `TestClient` runs lifespans within `with` only.
    """

    def __init__(self) -> None:
        self._has_started = False

    def noted(
        self, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[Any]]
    ) -> Callable[[FastAPI], AbstractAsyncContextManager[Any]]:
        """Return *lifespan*, which is noted when it has begun."""

        @asynccontextmanager
        async def noted_lifespan(app: FastAPI) -> AsyncIterator[Any]:
            async with lifespan(app) as state:
                self._has_started = True
                yield state

        return noted_lifespan

    def check(self) -> None:
        """Log a warning if the app has not been started."""
        if not self._has_started:
            _logger.warning(
                "the application was never started: its lifespan has not run, so that tables, connections and "
                "background tasks may be missing. app.mount() runs no lifespan of what it mounts: use "
                "mount_resources(app, container), or enter sub.router.lifespan_context(sub) in the lifespan of the "
                "outer application. In tests write `with TestClient(app) as client:`"
            )
