"""What stands around databases and locks when they fail: breakers and repetition."""

from collections.abc import Iterable
from typing import Any

from fastapi_easy.application.locks.lock_store_dependency import LOCK_STORE
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.technologies import is_embedded
from fastapi_easy.domain.locks.lease import LockCapability
from fastapi_easy.domain.ports import Breaker, Database, LeaseStore, Retry
from fastapi_easy.domain.ports.dependency import CallQueue, ShedsLoad
from fastapi_easy.domain.ports.retry import CountsFailures
from fastapi_easy.settings import BreakerSettings, Settings

__all__ = ["open_breaker", "open_lock_breaker", "open_retry", "queues_of", "retry_figures"]


def queues_of(databases: Iterable[Database], settings: Settings) -> dict[str, CallQueue]:
    """Return by the name of a database the calls that wait for it.

    Embedded ones are left out: what waits there waits for a writer, and readers do not.
    """
    return {
        each.name: each.queue
        for each in databases
        if isinstance(each, ShedsLoad)
        and (chosen := settings.databases.get(each.name)) is not None
        and not is_embedded(chosen.url.get_secret_value())
    }


def open_breaker(settings: Settings, name: str) -> Breaker | None:
    """Build the circuit breaker of the database *name*; `None` for embedded ones, which no network separates."""
    chosen = settings.databases.get(name)
    if chosen is None or is_embedded(chosen.url.get_secret_value()):
        return None
    return _breaker(name, chosen.breaker, chosen.pool_size)


def open_lock_breaker(settings: Settings, store: LeaseStore) -> Breaker | None:
    """Build the circuit breaker of the lease *store*; `None` for embedded ones, which no network separates."""
    return (
        _breaker(LOCK_STORE, settings.locks.breaker)
        if LockCapability.CROSS_HOST in store.capabilities
        else None
    )


def _breaker(name: str, chosen: BreakerSettings, pool_size: int | None = None) -> Breaker:
    from fastapi_easy.infrastructure.resilience.circuit_breaker import (
        BreakerLimits,
        CircuitBreaker,
        log_change,
    )

    # No more slow calls may end within the window than there are connections.
    slow_calls = chosen.calls if pool_size is None else min(chosen.calls, max(2, pool_size))
    limits = BreakerLimits(**chosen.model_dump(), slow_calls=slow_calls)
    return CircuitBreaker(limits, on_change=lambda state: log_change(name, state))


def open_retry(settings: Settings) -> Retry:
    """Build the retry of failed calls."""
    from fastapi_easy.infrastructure.resilience.budgeted_retry import BudgetedRetry, RetryLimits

    chosen = settings.retry
    limits = RetryLimits(
        attempts=chosen.attempts,
        retry_ratio=chosen.share,
        min_retries_per_second=chosen.floor,
        burst=chosen.burst,
    )
    return BudgetedRetry(limits)


def retry_figures(application: Application) -> dict[str, Any]:
    """Return what `Metrics.report` is told of retries, and of failed attempts if there were some."""
    retry = application.retry()
    figures: dict[str, Any] = {"retries": retry.retries}
    if isinstance(retry, CountsFailures) and retry.failures:
        figures["failures"] = retry.failures
    return figures
