"""What Prometheus is told of calls and connections."""

from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fastapi_easy.domain import NotFound
from fastapi_easy.domain.locks.renewal import RenewalFigures
from fastapi_easy.domain.ports import CallNotPermitted, Metrics, Observation, Pool
from fastapi_easy.domain.ports.retry import FailedAttempt
from fastapi_easy.infrastructure.observation.composite import CompositeObserver
from fastapi_easy.infrastructure.observation.prometheus import PrometheusMetrics
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase
from fastapi_easy.infrastructure.resilience.circuit_breaker import BreakerLimits, CircuitBreaker

LABELS = ("resource", "action", "outcome", "le", "database", "state")


class PooledDatabase(MemoryDatabase):
    """A database with connections."""

    def __init__(self, name: str, pool: Pool | None) -> None:
        super().__init__(name)
        self.pool = pool


def reported(
    metrics: Metrics,
    databases: Sequence[Any] = (),
    breakers: dict[str, Any] | None = None,
    retries: dict[str, int] | None = None,
) -> dict[tuple[str, ...], float]:
    """The numbers of a report, by name and the values of their labels."""
    text = metrics.report(databases, breakers or {}, retries or {}).decode()
    return {
        (sample.name, *(sample.labels[each] for each in LABELS if each in sample.labels)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_calls_are_counted_by_resource_action_and_outcome() -> None:
    metrics = PrometheusMetrics()
    metrics.observe(Observation("books", "get", 0.25, None, "c"))
    metrics.observe(Observation("books", "get", 0.5, None, "c"))
    metrics.observe(Observation("books", "get", 0.002, NotFound("books", 1), "c"))

    numbers = reported(metrics)

    name = "fastapi_easy_call_duration_seconds"
    assert numbers[f"{name}_count", "books", "get", "ok"] == 2
    assert numbers[f"{name}_sum", "books", "get", "ok"] == 0.75
    assert numbers[f"{name}_count", "books", "get", "not_found"] == 1
    assert numbers[f"{name}_bucket", "books", "get", "not_found", "0.0025"] == 1
    assert numbers[f"{name}_bucket", "books", "get", "ok", "0.1"] == 0


def test_pools_are_read_when_metrics_are_collected() -> None:
    metrics = PrometheusMetrics()
    database = PooledDatabase("main", Pool(limit=10, open=4, in_use=3))
    before = reported(metrics, [database])

    database.pool = Pool(limit=10, open=5, in_use=0, waiting=2, shed=3, waits=8, wait_seconds=1.5, leaked=1)

    assert before == {
        ("fastapi_easy_pool_limit", "main"): 10,
        ("fastapi_easy_pool_open", "main"): 4,
        ("fastapi_easy_pool_in_use", "main"): 3,
        ("fastapi_easy_pool_shed_total", "main"): 0,
        ("fastapi_easy_pool_wait_seconds_count", "main"): 0,
        ("fastapi_easy_pool_wait_seconds_sum", "main"): 0,
        ("fastapi_easy_pool_leaked_total", "main"): 0,
    }
    assert reported(metrics, [database]) == {
        ("fastapi_easy_pool_limit", "main"): 10,
        ("fastapi_easy_pool_open", "main"): 5,
        ("fastapi_easy_pool_in_use", "main"): 0,
        ("fastapi_easy_pool_waiting", "main"): 2,
        ("fastapi_easy_pool_shed_total", "main"): 3,
        ("fastapi_easy_pool_wait_seconds_count", "main"): 8,
        ("fastapi_easy_pool_wait_seconds_sum", "main"): 1.5,
        ("fastapi_easy_pool_leaked_total", "main"): 1,
    }


def test_retries_are_counted() -> None:
    numbers = reported(PrometheusMetrics(), retries={"main": 4})

    assert numbers["fastapi_easy_retries_total", "main"] == 4


def test_failed_attempts_are_counted_by_why_and_by_whether_another_followed() -> None:
    failures = {FailedAttempt("main", "deadlock", True): 3, FailedAttempt("main", "deadlock", False): 1}

    text = PrometheusMetrics().report((), {}, failures=failures).decode()

    for retried, number in (("yes", 3), ("no", 1)):
        labels = f'database="main",reason="deadlock",retried="{retried}"'
        assert f"fastapi_easy_failed_attempts_total{{{labels}}} {number}.0" in text


def test_breakers_are_read_when_metrics_are_collected() -> None:
    breaker = CircuitBreaker(BreakerLimits(calls=1))
    breaker.leave(breaker.enter(), answered=False)
    with pytest.raises(CallNotPermitted):
        _ = breaker.enter()

    assert reported(PrometheusMetrics(), breakers={"main": breaker}) == {
        ("fastapi_easy_breaker_state", "main", "closed"): 0,
        ("fastapi_easy_breaker_state", "main", "open"): 1,
        ("fastapi_easy_breaker_state", "main", "half_open"): 0,
        ("fastapi_easy_breaker_state", "main", "isolated"): 0,
        ("fastapi_easy_breaker_opened_total", "main"): 1,
        ("fastapi_easy_breaker_refused_total", "main"): 1,
    }


def test_a_database_without_a_pool_is_left_out() -> None:
    assert reported(PrometheusMetrics(), [PooledDatabase("main", None)]) == {}


def test_two_applications_count_apart() -> None:
    one, other = PrometheusMetrics(), PrometheusMetrics()

    one.observe(Observation("books", "get", 0.1, None, "c"))

    assert reported(one)
    assert not reported(other)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_composite_observer_passes_on_to_each(count: int) -> None:
    every = [PrometheusMetrics() for _ in range(count)]

    CompositeObserver(every).observe(Observation("books", "get", 0.1, None, "c"))

    assert all(reported(each) for each in every)


def test_renewals_are_reported_of_what_keeps_leases() -> None:
    class Keeper(PooledDatabase):
        """Something that keeps leases."""

        renewals = RenewalFigures(held=2, renewed=30, late_seconds=1.5, lateness=0.25, lost=1)

    numbers = reported(PrometheusMetrics(), [Keeper("locks", None), PooledDatabase("main", None)])

    renewals = {
        name: number for name, number in numbers.items() if "lock" in name[0] and "_created" not in name[0]
    }
    assert renewals == {
        ("fastapi_easy_locks_held", "locks"): 2,
        ("fastapi_easy_locks_lost_total", "locks"): 1,
        ("fastapi_easy_lock_renewal_late_seconds_count", "locks"): 30,
        ("fastapi_easy_lock_renewal_late_seconds_sum", "locks"): 1.5,
        ("fastapi_easy_lock_renewal_lateness_seconds", "locks"): 0.25,
    }
