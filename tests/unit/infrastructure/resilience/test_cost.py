"""What all of it costs while all is well: less than two microseconds for each call.

`python -m tests.unit.infrastructure.resilience.test_cost` prints the figures.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from returns.result import Success

from fastapi_easy.application import NOBODY, Context
from fastapi_easy.application.pipeline.retry_within_deadline import retry_within_deadline
from fastapi_easy.composition.resilience import open_breaker
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Outcome
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.persistence.sqlalchemy import ConnectionOptions, SqlAlchemyDatabase
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.unit.application.fakes import Order, target_of

ROUNDS = 15
CALLS = 4000
LIMIT = 3.0
"""Microseconds in a test, since others use this machine too; alone it is 1.5."""


class Shop(Container):
    orders = resource(Order)


async def fastest(work: Callable[[], Awaitable[Any]]) -> float:
    """Microseconds of one call in the best of several rounds; others use this machine too."""
    best = 1e9
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(CALLS):
            _ = await work()
        best = min(best, time.process_time() - begun)
    return best / CALLS * 1e6


async def figures() -> dict[str, float]:
    """What each part adds to a call."""
    settings = Settings(
        databases={"default": DatabaseSettings.model_validate({"url": "postgresql://nowhere/shop"})}
    )
    shop = Shop(settings=settings)
    breaker = open_breaker(settings, "default")
    shop.breakers.default.override(breaker)

    async def answer(command: Any, context: Context, /) -> Outcome[Any]:
        return Success(None)

    retried = retry_within_deadline(shop.retry, SystemClock(), 30.0)(target_of("get"), answer)
    bare = SqlAlchemyDatabase("bare", "sqlite://", ConnectionOptions())
    guarded = SqlAlchemyDatabase("guarded", "sqlite://", ConnectionOptions(), shop.breakers.default)
    try:
        pools = {}
        for database in (bare, guarded):
            assert await database.check() == Success(None)
            pools[database.name] = await fastest(lambda pool=database.executor.pool: borrowed(pool))
        return {
            "the step": await fastest(lambda: retried(None, NOBODY))
            - await fastest(lambda: answer(None, NOBODY)),
            "the breaker": pools["guarded"] - pools["bare"],
        }
    finally:
        for database in (bare, guarded):
            await database.close()


async def borrowed(pool: Any) -> None:
    """Take a connection and give it back."""
    pool.check_in(await pool.check_out())


async def test_it_is_cheap_while_all_is_well() -> None:
    costs = await figures()

    print({name: f"{each:.2f} µs" for name, each in costs.items()}, f"together {sum(costs.values()):.2f} µs")
    assert sum(costs.values()) < LIMIT


if __name__ == "__main__":
    print({name: f"{each:.2f} µs" for name, each in asyncio.run(figures()).items()})
