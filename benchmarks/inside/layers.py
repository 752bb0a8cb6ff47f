"""What each layer adds to a call: `layers ROUNDS`, with the URL in the settings. Prints µs of CPU, by endpoint."""

import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson
import uvloop
from fastapi import FastAPI

from benchmarks.columns import limit
from benchmarks.columns.kernel import Bench
from benchmarks.inside.calling import call
from benchmarks.rows import row
from fastapi_easy.application import NOBODY, CreateEntity, GetEntity, Kernel
from fastapi_easy.bootstrap import create_app
from fastapi_easy.domain import Resource
from fastapi_easy.domain.ports.repository import EVERYTHING
from fastapi_easy.infrastructure.persistence.sqlalchemy import SqlAlchemyDatabase, SqlAlchemyRepository
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.build import add, by_key, new_values
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.specification import outline
from fastapi_easy.infrastructure.relational.driver.direct_execution import DirectExecutor

CALLS: Final = 500
"""Of each layer in one round."""

Layer = Callable[[int], Awaitable[object]]
VALUES: Final = {name: row(1)[name] for name in ("title", "price", "attributes", "owner_id")}
BODY: Final = orjson.dumps({**VALUES, "price": str(VALUES["price"])})


async def layers_of(container: Any, app: FastAPI) -> Mapping[str, Mapping[str, Layer]]:
    """Each layer of each endpoint, the innermost first; what is called includes those before."""
    kernel: Kernel = container.kernel()
    database: SqlAlchemyDatabase = container.databases().default()
    items = kernel.use_cases("items")
    resource: Resource[Any] = items.resource
    repository = SqlAlchemyRepository(resource, database)
    executor, plan = database.executor, await database.plan(resource)
    assert isinstance(executor, DirectExecutor)
    read = by_key(plan, resource.readable, outline(EVERYTHING, plan.terms)[0])
    complete = plan.completed(VALUES)
    insert, new = add(plan, tuple(complete)), new_values(complete)
    channel = await executor.pool.take()

    return {
        "get by key": {
            "the driver": lambda number: executor.run(channel, read, {"fe_key_0": number}),
            "+ a connection from the pool": lambda number: executor.read(read, {"fe_key_0": number}),
            "+ repository": lambda number: repository.read(number, resource.readable),
            "+ use case": lambda number: items.get(GetEntity(number), NOBODY),
            "+ HTTP": lambda number: call(app, "GET", f"/items/{number}"),
            "the limit, all of it": lambda number: call(limit.app, "GET", f"/items/{number}"),
        },
        "create": {
            "the driver": lambda _: executor.run(channel, insert, new),
            "+ a connection from the pool": lambda _: executor.read(insert, new),
            "+ repository": lambda _: repository.add(VALUES),
            "+ use case": lambda _: items.create(CreateEntity(VALUES), NOBODY),
            "+ HTTP": lambda _: call(app, "POST", "/items", BODY),
            "the limit, all of it": lambda _: call(limit.app, "POST", "/items", BODY),
        },
    }


async def seconds_of(layer: Layer) -> float:
    """CPU seconds of one call."""
    begun = time.process_time()
    for number in range(1, CALLS + 1):
        _ = await layer(number)
    return (time.process_time() - begun) / CALLS


async def main(rounds: int) -> Mapping[str, Mapping[str, float]]:
    """The best of each, in turns: what else goes on can only add."""
    container = Bench()
    app = create_app(container)
    async with app.router.lifespan_context(app), limit.app.router.lifespan_context(limit.app):
        endpoints = await layers_of(container, app)
        best: dict[str, dict[str, float]] = {name: {} for name in endpoints}
        for _ in range(max(3, rounds)):
            for endpoint, layers in endpoints.items():
                for name, layer in layers.items():
                    taken = await seconds_of(layer) * 1e6
                    best[endpoint][name] = min(taken, best[endpoint].get(name, taken))
    return best


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(int(sys.argv[1])))))
