"""Metrics of calls and connections, in the text format of Prometheus.

They are kept in a registry of its own, so that several applications in one process do not share counters.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from fastapi_easy.domain.outbox.figures import OutboxFigures
from fastapi_easy.domain.outbox.message import OutboxLag
from fastapi_easy.domain.ports.breaker import Breaker, CircuitState
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.domain.ports.dependency import Dependency, ReportsRenewals
from fastapi_easy.domain.ports.observer import Observation
from fastapi_easy.domain.ports.retry import FailedAttempt

_NONE: Final[Mapping[str, int]] = MappingProxyType({})

_NO_OUTBOXES: Final[Mapping[str, OutboxFigures]] = MappingProxyType({})

_NO_FAILURES: Final[Mapping[FailedAttempt, int]] = MappingProxyType({})

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_GAUGES: Final[dict[str, tuple[str, Callable[[Pool], int | None]]]] = {
    "limit": ("Size limit of the connection pool.", lambda pool: pool.limit),
    "open": ("Open connections.", lambda pool: pool.open),
    "in_use": ("Connections in use.", lambda pool: pool.in_use),
    "waiting": ("Calls that wait for a connection.", lambda pool: pool.waiting),
}

_LAGS: Final[dict[str, tuple[str, Callable[[OutboxLag], float]]]] = {
    "lag_seconds": ("Age of the oldest message that could be published.", lambda lag: lag.oldest),
    "waiting": ("Messages that wait to be published.", lambda lag: lag.waiting),
    "parked": ("Messages that could not be published.", lambda lag: lag.parked),
    "behind_parked": ("Messages that wait behind one that is parked.", lambda lag: lag.behind_parked),
}

_RELAYED: Final[dict[str, tuple[str, Callable[[OutboxFigures], int]]]] = {
    "published": ("Messages that the relay of this process has published.", lambda each: each.published),
    "failed": ("Attempts of the relay of this process that came to nothing.", lambda each: each.failed),
    "removed": (
        "Messages that the relay of this process has removed, as they expired.",
        lambda each: each.removed,
    ),
}


class PrometheusMetrics:
    """Implements `Metrics`: a histogram of calls by resource, action and outcome, and gauges of pools by database."""

    media_type: Final = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self) -> None:
        self._calls = CollectorRegistry()
        self._seconds = Histogram(
            "fastapi_easy_call_duration_seconds",
            "From call to answer of use cases; the outcome is ok, or the code of the error.",
            ("resource", "action", "outcome"),
            buckets=_BUCKETS,
            registry=self._calls,
        )

    def observe(self, observation: Observation) -> None:
        """Count *observation*."""
        outcome = "ok" if observation.error is None else observation.error.code
        self._seconds.labels(observation.resource, observation.action, outcome).observe(observation.seconds)

    def report(
        self,
        dependencies: Sequence[Dependency],
        breakers: Mapping[str, Breaker],
        retries: Mapping[str, int] = _NONE,
        outboxes: Mapping[str, OutboxFigures] = _NO_OUTBOXES,
        failures: Mapping[FailedAttempt, int] = _NO_FAILURES,
    ) -> bytes:
        """Return all counts so far, and *dependencies*, *breakers* and *outboxes* as they are at this moment."""
        present = CollectorRegistry()
        present.register(_Retries(retries))
        present.register(_FailedAttempts(failures))
        present.register(_Pools(dependencies))
        present.register(_Breakers(breakers))
        if keepers := {each.name: each for each in dependencies if isinstance(each, ReportsRenewals)}:
            present.register(_Renewals(keepers))
        if outboxes:
            present.register(_Outboxes(outboxes))
        return generate_latest(self._calls) + generate_latest(present)


class _Pools(Collector):
    """The connection pools of databases and lock stores, read when they are collected."""

    def __init__(self, dependencies: Sequence[Dependency]) -> None:
        self._dependencies = dependencies

    def collect(self) -> Iterator[Metric]:
        pools = {each.name: pool for each in self._dependencies if (pool := each.pool) is not None}
        for name, (meaning, number_of) in _GAUGES.items():
            gauge = GaugeMetricFamily(f"fastapi_easy_pool_{name}", meaning, labels=("database",))
            for database, pool in pools.items():
                number = number_of(pool)
                if number is not None:
                    gauge.add_metric((database,), number)
            yield gauge
        shed = CounterMetricFamily(
            "fastapi_easy_pool_shed",
            "Calls rejected because they would have waited too long for a connection (load shedding).",
            labels=("database",),
        )
        waited = SummaryMetricFamily(
            "fastapi_easy_pool_wait_seconds",
            "How long calls waited for a connection that had to wait.",
            labels=("database",),
        )
        leaked = CounterMetricFamily(
            "fastapi_easy_pool_leaked",
            "Connections that were taken and never given back; they were closed.",
            labels=("database",),
        )
        for database, pool in pools.items():
            shed.add_metric((database,), pool.shed)
            waited.add_metric((database,), pool.waits, pool.wait_seconds)
            leaked.add_metric((database,), pool.leaked)
        yield from (shed, waited, leaked)


class _Renewals(Collector):
    """The leases of locks and their renewals, read when they are collected."""

    def __init__(self, keepers: Mapping[str, ReportsRenewals]) -> None:
        self._keepers = keepers

    def collect(self) -> Iterator[Metric]:
        held = GaugeMetricFamily(
            "fastapi_easy_locks_held", "Leases that this process holds.", labels=("database",)
        )
        lost = CounterMetricFamily(
            "fastapi_easy_locks_lost", "Leases that were lost while their work went on.", labels=("database",)
        )
        late = SummaryMetricFamily(
            "fastapi_easy_lock_renewal_late_seconds",
            "How long after the planned moment leases were renewed.",
            labels=("database",),
        )
        lateness = GaugeMetricFamily(
            "fastapi_easy_lock_renewal_lateness_seconds",
            "By how much renewals are asked for earlier, because the last ones were late.",
            labels=("database",),
        )
        for name, keeper in self._keepers.items():
            figures = keeper.renewals
            held.add_metric((name,), figures.held)
            lost.add_metric((name,), figures.lost)
            late.add_metric((name,), figures.renewed, figures.late_seconds)
            lateness.add_metric((name,), figures.lateness)
        yield from (held, lost, late, lateness)


class _Retries(Collector):
    """The number of retries, by dependency."""

    def __init__(self, retries: Mapping[str, int]) -> None:
        self._retries = retries

    def collect(self) -> Iterator[Metric]:
        retries = CounterMetricFamily(
            "fastapi_easy_retries", "Calls that were retried automatically.", labels=("database",)
        )
        for database, number in self._retries.items():
            retries.add_metric((database,), number)
        yield retries


class _FailedAttempts(Collector):
    """The attempts that failed, by why, and by whether another one followed."""

    def __init__(self, failures: Mapping[FailedAttempt, int]) -> None:
        self._failures = failures

    def collect(self) -> Iterator[Metric]:
        failed = CounterMetricFamily(
            "fastapi_easy_failed_attempts",
            "Attempts of calls to a database that failed, and whether another one followed.",
            labels=("database", "reason", "retried"),
        )
        for each, number in self._failures.items():
            failed.add_metric((each.dependency, each.reason, "yes" if each.is_retried else "no"), number)
        yield failed


class _Breakers(Collector):
    """The states of circuit breakers, read when they are collected."""

    def __init__(self, breakers: Mapping[str, Breaker]) -> None:
        self._circuits = {name: breaker.circuit for name, breaker in breakers.items()}

    def collect(self) -> Iterator[Metric]:
        state = GaugeMetricFamily(
            "fastapi_easy_breaker_state",
            "Whether the breaker of a database is in this state.",
            labels=("database", "state"),
        )
        opened = CounterMetricFamily(
            "fastapi_easy_breaker_opened", "How often the breaker has opened.", labels=("database",)
        )
        refused = CounterMetricFamily(
            "fastapi_easy_breaker_refused", "Calls that it has refused.", labels=("database",)
        )
        for database, circuit in self._circuits.items():
            for each in CircuitState:
                state.add_metric((database, each.value), float(circuit.state is each))
            opened.add_metric((database,), circuit.opened)
            refused.add_metric((database,), circuit.refused)
        yield from (state, opened, refused)


class _Outboxes(Collector):
    """The outboxes, and what the relay of this process has done for them."""

    def __init__(self, outboxes: Mapping[str, OutboxFigures]) -> None:
        self._outboxes = outboxes

    def collect(self) -> Iterator[Metric]:
        for name, (meaning, lag_of) in _LAGS.items():
            gauge = GaugeMetricFamily(f"fastapi_easy_outbox_{name}", meaning, labels=("database",))
            for database, figures in self._outboxes.items():
                # Of a database that does not answer there is nothing: an old number would look like all is well.
                if figures.lag is not None:
                    gauge.add_metric((database,), lag_of(figures.lag))
            yield gauge
        for name, (meaning, number_of) in _RELAYED.items():
            counter = CounterMetricFamily(f"fastapi_easy_outbox_{name}", meaning, labels=("database",))
            for database, figures in self._outboxes.items():
                counter.add_metric((database,), number_of(figures))
            yield counter
