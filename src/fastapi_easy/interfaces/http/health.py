"""Liveness and readiness of the process, for load balancers and orchestrators."""

import asyncio
import dataclasses
import logging
import math
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final

from returns.result import Failure

from fastapi_easy.domain import Unavailable
from fastapi_easy.domain.ports import Breaker, Dependency
from fastapi_easy.domain.ports.dependency import ReportsReadOnly
from fastapi_easy.domain.silence import cause_of
from fastapi_easy.domain.unavailable import REFUSALS
from fastapi_easy.interfaces.http.loop_lag import LoopLag

_logger: Final = logging.getLogger("fastapi_easy.health")

_CACHE_SECONDS: Final = 2.0
"""Seconds for which a check counts, so that many probes cost one."""

_CHECK_TIMEOUT: Final = 0.5
"""Seconds a database has to answer a check."""

_STANDINGS_SECONDS: Final = 10.0
"""Seconds for which it counts how stored schemas stand."""

_SILENT: Final = ("does not answer", False)

_UNSETTLED: Final = frozenset({"running", "blocked"})

LIVE: Final = {"status": "live"}


@dataclasses.dataclass(frozen=True, slots=True)
class _Check:
    """What a dependency came to when it was checked.

    Attributes:
        at: When that was.

        cause: Why it is down; empty when it is up.

        is_refused: It lets this process not in, so that another one, with other settings, may fare better.
    """

    at: float
    cause: str = ""
    is_refused: bool = False


class HealthChecks:
    """The state of the process and of its dependencies.

    A database that is down is reported, and does not by itself take the process out of service: another process would
    be no better off, and what needs no database can still be answered. One that refuses the login of this process does,
    unless *requires* says which count: another process may have been started with what is right by now.

    Args:
        databases: Those to report on.

        requires: The names of those without which the process is not ready.

        breakers: Returns the circuit breakers of those that have one, by name.

        other_dependencies: Returns what else is to be reported on, once it is in use.

        migrations: Returns how the stored schemas stand to what is declared, by the name of the database: `pending`,
            `blocked` and so on. A database that is required and is being migrated, or needs repair, is not ready.

        end_streams: Ends the answers that would last, once the process is about to end; called from signal handlers.

    Attributes:
        lag: Whether the event loop is stuck, while it is watched.
    """

    def __init__(
        self,
        databases: Sequence[Dependency] = (),
        requires: Collection[str] = (),
        breakers: Callable[[], Mapping[str, Breaker]] = dict,
        other_dependencies: Callable[[], Sequence[Dependency]] = tuple,
        migrations: Callable[[], Awaitable[Mapping[str, str]]] | None = None,
        end_streams: Callable[[], None] | None = None,
    ) -> None:
        self._databases = tuple(databases)
        self._requires = frozenset(requires)
        self._breakers = breakers
        self._other_dependencies = other_dependencies
        self._migrations = migrations
        self._end_streams = end_streams
        self._standings: Mapping[str, str] = {}
        self._standings_at = -math.inf
        self._checks: dict[str, _Check] = {}
        self._lock = asyncio.Lock()
        self._state = "starting"
        self.lag = LoopLag()

    def started(self) -> None:
        """Note that every lifespan has begun."""
        self._state = "ready"

    def draining(self) -> None:
        """Note that the process is about to end, so that load balancers send no more requests."""
        self._state = "draining"
        if self._end_streams is not None:
            self._end_streams()

    async def readiness(self) -> tuple[int, dict[str, object]]:
        """Return the HTTP status and the body of `/health/ready`."""
        if self._state != "ready":
            return 503, {"status": self._state, "dependencies": {}}
        if self.lag.is_stuck:
            # The checks would wait in the same loop, and answer after the probe has given up.
            return 503, {"status": "stuck", "dependencies": {}}
        reported = (*self._databases, *self._other_dependencies())
        # One probe checks at a time; those that waited find its results in the cache.
        async with self._lock:
            checks = await asyncio.gather(*(self._check(each) for each in reported))
            standings = await self._read_standings()
        breakers = self._breakers()
        dependencies = {
            each.name: {
                "status": "down" if check.cause else "up",
                **({"cause": check.cause} if check.cause else {}),
                "technology": each.technology,
                "required": each.name in self._requires,
                **_read_only(each),
                **({"migrations": standings[each.name]} if each.name in standings else {}),
                **_pool(each),
                **_circuit(breakers.get(each.name)),
            }
            for each, check in zip(reported, checks, strict=True)
        }
        if any(each["required"] and each["status"] == "down" for each in dependencies.values()):
            return 503, {"status": "unavailable", "dependencies": dependencies}
        if not self._requires and any(each.is_refused for each in checks):
            return 503, {"status": "not ready", "dependencies": dependencies}
        unsettled = {name for name, standing in standings.items() if standing in _UNSETTLED}
        if unsettled & self._requires:
            return 503, {"status": "migrating", "dependencies": dependencies}
        is_well = not any(each.cause for each in checks) and not unsettled
        return 200, {"status": "ready" if is_well else "degraded", "dependencies": dependencies}

    async def _read_standings(self) -> Mapping[str, str]:
        if self._migrations is not None and time.monotonic() - self._standings_at > _STANDINGS_SECONDS:
            try:
                async with asyncio.timeout(_CHECK_TIMEOUT):
                    self._standings = await self._migrations()
            except TimeoutError:
                self._standings = {}
            except Exception:
                _logger.exception("how the stored schemas stand could not be read")
                self._standings = {}
            self._standings_at = time.monotonic()
        return self._standings

    async def _check(self, dependency: Dependency) -> _Check:
        known = self._checks.get(dependency.name)
        if known is not None and time.monotonic() - known.at < _CACHE_SECONDS:
            return known
        cause, detail, is_refused = "", "", False
        try:
            async with asyncio.timeout(_CHECK_TIMEOUT):
                checked = await dependency.check()
        except TimeoutError:
            # One that refuses a login may take its time to do so again.
            cause, is_refused = _SILENT if known is None or not known.is_refused else (known.cause, True)
        except Exception:
            # A probe that fails itself would be taken for a process that is broken.
            _logger.exception("the check of %s failed", dependency.name)
            cause = "the check failed"
        else:
            if isinstance(checked, Failure):
                error = checked.failure()
                cause = cause_of(error)
                if isinstance(error, Unavailable):
                    detail, is_refused = error.detail, error.reason in REFUSALS
        if cause and (known is None or known.cause != cause):
            _logger.warning("%s is down: %s", dependency.name, detail or cause)
        found = self._checks[dependency.name] = _Check(time.monotonic(), cause, is_refused)
        return found


def _read_only(dependency: Dependency) -> dict[str, object]:
    """Return whether *dependency* takes no changes, if it does not: what only reads is still answered."""
    is_read_only = isinstance(dependency, ReportsReadOnly) and dependency.is_read_only
    return {"read_only": True} if is_read_only else {}


def _pool(dependency: Dependency) -> dict[str, object]:
    """Return the state of the connection pool of *dependency*, where it has one."""
    pool = dependency.pool
    return {} if pool is None else {"pool": {name: getattr(pool, name) for name in _POOL_FIELDS}}


_POOL_FIELDS: Final = ("limit", "open", "in_use", "waiting", "shed", "leaked")


def _circuit(breaker: Breaker | None) -> dict[str, object]:
    """Return the state of the circuit breaker, where there is one."""
    return {} if breaker is None else {"breaker": dataclasses.asdict(breaker.circuit)}
