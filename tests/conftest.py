"""Offers the tests nine real servers, each through a database of its own; see `tests/services`."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.ledgers import forget_ledger
from tests.services import RECIPES, Unavailable, obtain, obtained, release
from tests.services.wanted import empty_database, required
from tests.thorough import examples

settings.register_profile(
    "any machine",
    deadline=None,
    max_examples=examples(40, 100),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")

# What lives as long as the tests is a million objects: by itself Python would look at all of them every few seconds.
gc.set_threshold(10_000, 20, 10)

EAGER = "TEST_SERVICES"
"""The environment variable with the servers to start before the tests, separated by commas."""


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers that were asked for once, before there are xdist workers to share them."""
    if hasattr(config, "workerinput"):
        return
    names = [name.strip() for name in os.environ.get(EAGER, "").split(",") if name.strip()]
    if unknown := sorted(set(names) - set(RECIPES)):
        raise pytest.UsageError(f"{EAGER} names {', '.join(unknown)}; there are {', '.join(RECIPES)}.")
    for name in names:
        try:
            obtain(name)
        except Unavailable as reason:
            if required():
                raise pytest.UsageError(str(reason)) from reason


def pytest_collection_finish() -> None:
    """Leave out of garbage collection what has been imported and collected: it stays to the end."""
    gc.freeze()


def pytest_unconfigure() -> None:
    """Stop what this process started."""
    release()


def pytest_report_header() -> list[str]:
    """Say where each server that is there already came from."""
    return [f"{each.name}: {each.url}, {each.source} in {each.seconds:.1f} s" for each in obtained()]


_shared: list[str] = []
"""The addresses of databases that all tests of this process use."""


@pytest.fixture(scope="module", autouse=True)
def ledgers_are_forgotten(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no ledger behind: a program that finds one creates no tables unasked."""
    yield
    if "migration" in request.node.nodeid or "schema_stores" in request.node.nodeid:
        for url in _shared:
            forget_ledger(url)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """An empty PostgreSQL database, as `postgresql://…`."""
    with empty_database("postgres") as url:
        _shared.append(url)
        yield url


@pytest.fixture(scope="session")
def pgbouncer_url() -> Iterator[str]:
    """An empty PostgreSQL database behind PgBouncer in transaction mode, as `postgresql://…`."""
    with empty_database("pgbouncer") as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """An empty MariaDB database with utf8mb4, as `mysql://…`."""
    with empty_database("mariadb") as url:
        _shared.append(url)
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """An empty Redis database, as `redis://…`."""
    with empty_database("redis") as url:
        yield url


@pytest.fixture(scope="session")
def mongo_url() -> Iterator[str]:
    """An empty MongoDB database on a replica set, as `mongodb://…`."""
    with empty_database("mongo") as url:
        _shared.append(url)
        yield url


@pytest.fixture(scope="session")
def mongo_alone_url() -> Iterator[str]:
    """An empty MongoDB database on a server that stands alone and has no transactions, as `mongodb://…`."""
    with empty_database("mongo_alone") as url:
        _shared.append(url)
        yield url


@pytest.fixture(scope="session")
def nats_url() -> Iterator[str]:
    """A NATS server with JetStream, shared by all tests: name streams and subjects uniquely."""
    with empty_database("nats") as url:
        yield url


@pytest.fixture(scope="session")
def kafka_url() -> Iterator[str]:
    """A Kafka cluster, shared by all tests: name topics and consumers uniquely."""
    with empty_database("kafka") as url:
        yield url


@pytest.fixture(scope="session")
def rabbit_url() -> Iterator[str]:
    """A RabbitMQ server, shared by all tests: name exchanges and consumers uniquely.

    It takes long to start, and so is there only where somebody has asked for it.
    """
    asked = "rabbit" in os.environ.get(EAGER, "").split(",") or os.environ.get("THOROUGH") == "1"
    if not asked and not os.environ.get("TEST_RABBIT_URL"):
        pytest.skip("RabbitMQ is tested with TEST_SERVICES=rabbit or THOROUGH=1")
    with empty_database("rabbit") as url:
        yield url
