"""Calls and connections in numbers, in the text format of Prometheus.

Counted in a registry of its own, so that several applications in one process do not count for one another.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from fastapi_easy.domain.ports.database import Database, Pool
from fastapi_easy.domain.ports.observer import Observation

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_GAUGES: Final[dict[str, tuple[str, Callable[[Pool], int | None]]]] = {
    "limit": ("Connections there may be.", lambda pool: pool.limit),
    "open": ("Connections there are.", lambda pool: pool.open),
    "in_use": ("Connections that are handed out.", lambda pool: pool.in_use),
    "waiting": ("Calls that wait for a connection.", lambda pool: pool.waiting),
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

    def report(self, databases: Sequence[Database]) -> bytes:
        """Everything counted so far, and the connections of *databases* at this moment."""
        pools = CollectorRegistry()
        pools.register(_Pools(databases))
        return generate_latest(self._calls) + generate_latest(pools)


class _Pools(Collector):
    """The connections of databases, looked at when they are collected."""

    def __init__(self, databases: Sequence[Database]) -> None:
        self._databases = databases

    def collect(self) -> Iterator[GaugeMetricFamily]:
        pools = {each.name: pool for each in self._databases if (pool := each.pool) is not None}
        for name, (meaning, number_of) in _GAUGES.items():
            gauge = GaugeMetricFamily(f"fastapi_easy_pool_{name}", meaning, labels=("database",))
            for database, pool in pools.items():
                number = number_of(pool)
                if number is not None:
                    gauge.add_metric((database,), number)
            yield gauge
