"""Writes of several rows that lose a real deadlock are made again, wherever the loss is noticed."""

from collections.abc import Iterator
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain import Deadlock, Everything, Operator, Where
from fastapi_easy.interfaces.http.problems import problem_of
from tests.e2e.deadlocked import WAYS, Server, lose, serving
from tests.e2e.stores import empty_store


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Server]:
    with empty_store(request.param, tmp_path) as url:
        made = Server(url)
        yield made
        made.engine.dispose()


@pytest.mark.parametrize("way", WAYS)
async def test_what_loses_a_deadlock_is_made_again(server: Server, way: str) -> None:
    made = WAYS[way][2]
    async with serving(server) as (shop, slots):
        repository = shop.slots.repository()

        outcome = await lose(server, shop, slots, way)

        written = (await repository.count(Where("note", Operator.EQUALS, "call"))).unwrap()
        total = (await repository.count(Everything())).unwrap()
        assert isinstance(outcome, Success)
        assert (written, total) == (3, 3 + sum(isinstance(each, str) for each in made))
        assert shop.retry().retries == {"default": 1}
        assert shop.retry().failures == {("default", "deadlock", True): 1}


async def test_what_is_not_made_again_is_told_of_the_deadlock(server: Server) -> None:
    async with serving(server, attempts=1) as (shop, slots):
        outcome = await lose(server, shop, slots, "atomic updates")

        assert isinstance(outcome, Failure)
        assert outcome.failure() == Deadlock("default")
        problem = problem_of(outcome.failure())
        assert (problem.status, problem.code, dict(problem.headers)[b"retry-after"]) == (
            503,
            "deadlock",
            b"1",
        )
        assert shop.retry().failures == {("default", "deadlock", False): 1}
