"""Whether the process lives, and whether it should be sent requests."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import pytest

from fastapi_easy.domain import Failure, Outcome, Success, Unavailable, UnavailableReason
from fastapi_easy.domain.ports import Pool
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.resilience.circuit_breaker import BreakerLimits, CircuitBreaker
from fastapi_easy.interfaces.http import loop_lag
from fastapi_easy.interfaces.http.app import build_app
from fastapi_easy.interfaces.http.health import HealthChecks
from fastapi_easy.interfaces.http.options import HttpOptions
from tests.unit.interfaces.http.library import book_resource, client_of, kernel_of, no_lifespan


class SwitchedDatabase(MemoryDatabase):
    """A database that is up, down or slow, and counts how often it is asked."""

    def __init__(self, name: str, *, up: bool = True, slow: bool = False) -> None:
        super().__init__(name)
        self.up = up
        self.slow = slow
        self.asked = 0

    async def check(self) -> Outcome[None]:
        self.asked += 1
        if self.slow:
            await asyncio.sleep(5)
        return Success(None) if self.up else Failure(Unavailable(self.name))


def checks(databases: Iterable[MemoryDatabase], requires: Iterable[str] = ()) -> HealthChecks:
    made = HealthChecks(tuple(databases), tuple(requires))
    made.started()
    return made


@pytest.mark.parametrize(
    ("up", "requires", "expected"),
    [
        pytest.param(True, (), (200, "ready"), id="up"),
        pytest.param(False, (), (200, "degraded"), id="down"),
        pytest.param(False, ("main",), (503, "unavailable"), id="down and required"),
        pytest.param(False, ("other",), (200, "degraded"), id="another one is required"),
    ],
)
async def test_readiness_tells_of_each_database(
    up: bool, requires: tuple[str, ...], expected: tuple[int, str]
) -> None:
    status, body = await checks(
        [SwitchedDatabase("main", up=up), SwitchedDatabase("other")], requires
    ).readiness()

    assert (status, body["status"]) == expected
    assert body["dependencies"]["main"]["status"] == ("up" if up else "down")
    assert body["dependencies"]["other"] == {
        "status": "up",
        "technology": "memory",
        "required": "other" in requires,
    }


class RefusingDatabase(MemoryDatabase):
    """A database that does not let the process in, and later takes its time to say so."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.error: Unavailable | Exception = Unavailable(
            name, reason=UnavailableReason.ACCESS_DENIED, detail='no such user "ada"'
        )
        self.is_slow = False

    async def check(self) -> Outcome[None]:
        if self.is_slow:
            await asyncio.sleep(5)
        if isinstance(self.error, Exception):
            raise self.error
        return Failure(self.error)


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        pytest.param((), (503, "not ready"), id="nothing is required"),
        pytest.param(("other",), (200, "degraded"), id="another one is required"),
        pytest.param(("main",), (503, "unavailable"), id="required"),
    ],
)
async def test_a_database_that_refuses_the_login_makes_the_process_not_ready(
    requires: tuple[str, ...], expected: tuple[int, str], caplog: pytest.LogCaptureFixture
) -> None:
    status, body = await checks([RefusingDatabase("main"), SwitchedDatabase("other")], requires).readiness()

    assert (status, body["status"]) == expected
    assert body["dependencies"]["main"]["cause"] == "refuses the user or the password"
    assert "ada" not in str(body)
    assert caplog.messages == ['main is down: no such user "ada"']


async def test_a_refusal_is_not_forgotten_when_the_next_one_takes_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fastapi_easy.interfaces.http.health._CACHE_SECONDS", 0.0)
    database = RefusingDatabase("main")
    health = checks([database])
    first = await health.readiness()
    database.is_slow = True

    again = await health.readiness()

    assert (again[0], again[1]["status"]) == (first[0], first[1]["status"]) == (503, "not ready")


async def test_a_check_that_fails_itself_is_an_answer_too(caplog: pytest.LogCaptureFixture) -> None:
    database = RefusingDatabase("main")
    database.error = LookupError("a defect")

    status, body = await checks([database]).readiness()

    assert (status, body["dependencies"]["main"]["cause"]) == (200, "the check failed")
    assert "the check of main failed" in caplog.text


async def test_standings_that_cannot_be_read_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    async def read() -> dict[str, str]:
        raise LookupError("a defect")

    health = HealthChecks((SwitchedDatabase("main"),), migrations=read)
    health.started()

    status, body = await health.readiness()

    assert (status, body["status"]) == (200, "ready")
    assert "how the stored schemas stand could not be read" in caplog.text


async def test_a_slow_database_counts_as_down() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()

    _, body = await checks([SwitchedDatabase("main", slow=True)]).readiness()

    assert body["dependencies"]["main"]["status"] == "down"
    assert loop.time() - begun < 2


async def test_many_probes_cost_one_check() -> None:
    database = SwitchedDatabase("main")
    health = checks([database])

    await asyncio.gather(*(health.readiness() for _ in range(20)))

    assert database.asked == 1


async def test_readiness_follows_the_lifespan() -> None:
    health = HealthChecks()
    app: Any = build_app(kernel_of(book_resource()), HttpOptions(), lifespan=no_lifespan, health=health)

    async with client_of(app) as client:
        before = await client.get("/health/ready")
        async with app.router.lifespan_context(app):
            during = await client.get("/health/ready")
        after = await client.get("/health/ready")
        live = await client.get("/health/live")

    assert (before.status_code, before.json()["status"]) == (503, "starting")
    assert (during.status_code, during.json()["status"]) == (200, "ready")
    assert (after.status_code, after.json()["status"]) == (503, "draining")
    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert live.headers["cache-control"] == "no-store"


class PooledDatabase(MemoryDatabase):
    """A database with connections."""

    def __init__(self, name: str, waiting: int | None) -> None:
        super().__init__(name)
        self.pool = Pool(limit=10, open=4, in_use=3, waiting=waiting)


async def test_readiness_tells_of_the_connections_of_a_database_that_has_some() -> None:
    _, body = await checks([PooledDatabase("main", 7), SwitchedDatabase("other")]).readiness()

    assert body["dependencies"]["main"]["pool"] == {
        "limit": 10,
        "open": 4,
        "in_use": 3,
        "waiting": 7,
        "shed": 0,
        "leaked": 0,
    }
    assert "pool" not in body["dependencies"]["other"]


async def test_readiness_tells_of_the_breakers_of_databases_that_have_one() -> None:
    breaker = CircuitBreaker(BreakerLimits(pause=5))
    breaker.isolate()
    health = HealthChecks(
        [SwitchedDatabase("main"), SwitchedDatabase("other")], breakers=lambda: {"main": breaker}
    )
    health.started()

    _, body = await health.readiness()

    assert body["dependencies"]["main"]["breaker"] == {
        "state": "isolated",
        "retry_after": 5,
        "opened": 0,
        "refused": 0,
    }
    assert "breaker" not in body["dependencies"]["other"]


async def test_a_process_whose_loop_is_stuck_is_not_ready_until_it_comes_round_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop_lag, "STUCK_AFTER", 1.5)
    health = HealthChecks([SwitchedDatabase("main")])
    app: Any = build_app(kernel_of(book_resource()), HttpOptions(), lifespan=no_lifespan, health=health)
    seen: list[tuple[int, str]] = []
    timers = len(pending_timers())

    async with client_of(app) as client, app.router.lifespan_context(app):
        for blocked in (0.0, 1.2, 1.2):
            time.sleep(blocked)  # noqa: ASYNC251 (that is what is wrong)
            answer = await client.get("/health/ready")
            seen.append((answer.status_code, answer.json()["status"]))
            # The timer that is overdue goes off.
            await asyncio.sleep(0)
        await asyncio.sleep(0.7)
        answer = await client.get("/health/ready")
        seen.append((answer.status_code, answer.json()["status"]))
        live = (await client.get("/health/live")).status_code

    assert seen == [(200, "ready"), (200, "ready"), (503, "stuck"), (200, "ready")]
    assert live == 200
    assert len(pending_timers()) == timers


def pending_timers() -> list[asyncio.TimerHandle]:
    loop: Any = asyncio.get_running_loop()
    return [each for each in loop._scheduled if not each.cancelled()]
