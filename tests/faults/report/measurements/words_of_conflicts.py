"""What callers and metrics are told of deadlocks, serialization conflicts and waits for locks, on each server."""

from returns.result import Failure

from fastapi_easy.interfaces.http.problems import problem_of
from tests.e2e.deadlocked import Server, lose, serving
from tests.faults.outages.conflicts import Told, lock_wait_timeout, serialization_conflict
from tests.faults.report.figure import Figure
from tests.services.wanted import empty_database

SERVERS = {"postgres": "PostgreSQL", "mariadb": "MariaDB", "mongo": "MongoDB"}


async def measured() -> list[Figure]:
    """Bring about each, and look at the answer and at the metrics."""
    figures = []
    for store in ("postgres", "mariadb"):
        figures += [
            _figure(store, "deadlock, not retried", "deadlock", await _deadlock(store, attempts=1), 0),
            _figure(store, "lock wait timeout", "lock_wait_timeout", await lock_wait_timeout(store), 0),
        ]
    return [
        *figures,
        *[
            _figure(
                store,
                "serialization conflict",
                "serialization_conflict",
                await serialization_conflict(store),
                2,
            )
            for store in SERVERS
        ],
    ]


async def _deadlock(store: str, attempts: int) -> Told:
    with empty_database(store) as url:
        server = Server(url)
        try:
            async with serving(server, attempts) as (shop, slots):
                outcome = await lose(server, shop, slots, "atomic updates")
                counted = shop.retry().failures
        finally:
            server.engine.dispose()
    retried, given_up = (counted.get(("default", "deadlock", each), 0) for each in (True, False))
    if not isinstance(outcome, Failure):
        return Told(200, "", has_retry_after=False, retried=retried, given_up=given_up)
    problem = problem_of(outcome.failure())
    has_retry_after = any(name == b"retry-after" for name, _ in problem.headers)
    return Told(problem.status, problem.code, has_retry_after, retried, given_up)


def _figure(store: str, what: str, code: str, told: Told, retried: int) -> Figure:
    wanted = Told(503, code, has_retry_after=True, retried=retried, given_up=1)
    return Figure(
        fault="Calls in each other's way",
        what=f"answer to a {what}; attempts retried, given up",
        server=SERVERS[store],
        value=_shown(told),
        wanted=_shown(wanted),
        met=told == wanted,
    )


def _shown(told: Told) -> str:
    later = " + Retry-After" if told.has_retry_after else ""
    return f"{told.status} {told.code}{later}; {told.retried}, {told.given_up}"
