"""Redis, for leases."""

from fastapi_easy.domain.ports import Clock, LeaseStore
from fastapi_easy.domain.ports.technology import Technology
from fastapi_easy.infrastructure.locks.redis import RedisLeaseStore

__all__ = ["TECHNOLOGY"]


def _leases_at(url: str, _clock: Clock) -> LeaseStore:
    return RedisLeaseStore(url)


TECHNOLOGY = Technology(name="Redis", schemes=("redis", "rediss", "unix"), leases_at_url=_leases_at)
