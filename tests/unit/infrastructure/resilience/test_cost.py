"""What all of it costs while all is well: a few calls; `make bench` measures seconds."""

from collections.abc import Awaitable, Callable
from typing import Any

from returns.result import Success

from fastapi_easy.application import NOBODY, Context
from fastapi_easy.application.pipeline.retry_within_deadline import retry_within_deadline
from fastapi_easy.composition.calls.resilience import open_breaker
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Outcome
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.persistence.sqlalchemy import ConnectionOptions, SqlAlchemyDatabase
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.counted_calls import counted_calls
from tests.unit.application.fakes import Order, target_of

CALLS = {"the step": 12, "the breaker": 4}
"""Calls of Python and C functions that each may add to a call; 9 and 2 were counted."""


class Shop(Container):
    orders = resource(Order)


async def fewest(work: Callable[[], Awaitable[Any]]) -> int:
    """The calls of *work*, past what is made once."""
    found = []
    for _ in range(5):
        with counted_calls() as counted:
            _ = await work()
        found.append(counted.calls)
    return min(found)


async def figures() -> dict[str, int]:
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
            pools[database.name] = await fewest(lambda pool=database.executor.pool: borrowed(pool))
        return {
            "the step": await fewest(lambda: retried(None, NOBODY))
            - await fewest(lambda: answer(None, NOBODY)),
            "the breaker": pools["guarded"] - pools["bare"],
        }
    finally:
        for database in (bare, guarded):
            await database.close()


async def borrowed(pool: Any) -> None:
    """Take a connection and give it back."""
    pool.check_in(await pool.check_out())


async def test_it_adds_few_calls_while_all_is_well() -> None:
    costs = await figures()

    print(costs)
    assert all(costs[name] <= CALLS[name] for name in CALLS)
