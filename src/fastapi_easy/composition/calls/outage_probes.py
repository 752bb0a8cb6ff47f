"""Asking databases, and the store of the locks, that do not answer whether they do again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from returns.result import Failure

from fastapi_easy.application.locks.lock_store_dependency import LOCK_STORE
from fastapi_easy.composition.application import Application
from fastapi_easy.domain import Unavailable
from fastapi_easy.domain.ports import Dependency
from fastapi_easy.domain.unavailable import REFUSALS

__all__ = ["running_probes"]

_REFUSED_PAUSE: Final = 2.0
"""Further seconds until the next probe of a database that refuses the login: some lock accounts that try too often."""


@asynccontextmanager
async def running_probes(application: Application) -> AsyncIterator[None]:
    """Probe each database, and the store of the locks, whose circuit breaker is open, for as long as this is open."""
    breakers = application.every_breaker()
    if not breakers:
        yield
        return
    asked: dict[str, Callable[[], Awaitable[bool]]] = {
        each.name: partial(_answers, each) for each in application.every_database()
    }
    asked[LOCK_STORE] = partial(_locks_answer, application)
    # Embedded databases have no breaker, and do without these modules.
    from fastapi_easy.infrastructure.resilience.circuit_breaker import CircuitBreaker
    from fastapi_easy.infrastructure.resilience.outage_probe import OutageProbe

    async with AsyncExitStack() as stack:
        for name, breaker in breakers.items():
            # One that was put in its place knows itself when to let calls through.
            if isinstance(breaker, CircuitBreaker) and name in asked:
                probe = OutageProbe(name, breaker, asked[name])
                probe.start()
                _ = stack.push_async_callback(probe.close)
        yield


async def _answers(dependency: Dependency) -> bool:
    checked = await dependency.check()
    if not isinstance(checked, Failure):
        return True
    error = checked.failure()
    if isinstance(error, Unavailable) and error.reason in REFUSALS:
        await asyncio.sleep(_REFUSED_PAUSE)
    return False


async def _locks_answer(application: Application) -> bool:
    store = application.locks().dependency
    return store is None or await _answers(store)
