"""Whether the process lives, and whether it should be sent requests."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain import Success
from fastapi_easy.domain.ports import Breaker, Database

_REMEMBERED: Final = 2.0
"""Seconds for which a check counts, so that many probes cost one."""

_PATIENCE: Final = 0.5
"""Seconds a database has to answer a check."""

LIVE: Final = {"status": "live"}


@dataclasses.dataclass(slots=True)
class _Checked:
    at: float
    up: bool


class HealthChecks:
    """What is known about the process and its databases.

    A database that is down is reported, and does not by itself take the process out of service: another process would
    be no better off, and what needs no database can still be answered.

    Args:
        databases: Those to report on.

        requires: The names of those without which the process is not ready.

        breakers: Gives the breakers of those that have one, by name.
    """

    def __init__(
        self,
        databases: Sequence[Database] = (),
        requires: Collection[str] = (),
        breakers: Callable[[], Mapping[str, Breaker]] = dict,
    ) -> None:
        self._databases = tuple(databases)
        self._requires = frozenset(requires)
        self._breakers = breakers
        self._checked: dict[str, _Checked] = {}
        self._lock = asyncio.Lock()
        self._state = "starting"

    def started(self) -> None:
        """Everything is open."""
        self._state = "ready"

    def draining(self) -> None:
        """The process is about to end: answer what is here, send no more."""
        self._state = "draining"

    async def readiness(self) -> tuple[int, dict[str, Any]]:
        """The HTTP status and the body of `/health/ready`."""
        if self._state != "ready":
            return 503, {"status": self._state, "dependencies": {}}
        async with self._lock:
            ups = await asyncio.gather(*(self._is_up(database) for database in self._databases))
        breakers = self._breakers()
        dependencies = {
            database.name: {
                "status": "up" if up else "down",
                "technology": database.technology,
                "required": database.name in self._requires,
                **_pool(database),
                **_circuit(breakers.get(database.name)),
            }
            for database, up in zip(self._databases, ups, strict=True)
        }
        if any(each["required"] and each["status"] == "down" for each in dependencies.values()):
            return 503, {"status": "unavailable", "dependencies": dependencies}
        return 200, {"status": "ready" if all(ups) else "degraded", "dependencies": dependencies}

    async def _is_up(self, database: Database) -> bool:
        known = self._checked.get(database.name)
        if known is not None and time.monotonic() - known.at < _REMEMBERED:
            return known.up
        try:
            async with asyncio.timeout(_PATIENCE):
                up = isinstance(await database.check(), Success)
        except TimeoutError:
            up = False
        self._checked[database.name] = _Checked(time.monotonic(), up)
        return up


def _pool(database: Database) -> dict[str, Any]:
    """The connections of *database* at this moment, where it has any."""
    pool = database.pool
    return {} if pool is None else {"pool": dataclasses.asdict(pool)}


def _circuit(breaker: Breaker | None) -> dict[str, Any]:
    """How *breaker* stands, where there is one."""
    return {} if breaker is None else {"breaker": dataclasses.asdict(breaker.circuit)}
