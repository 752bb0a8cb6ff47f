"""What a token, a policy and a tenant cost a request does not grow unnoticed: in calls, beside the same without them.

`python -m benchmarks.inside.protected` measures the same in seconds.
"""

import asyncio
from typing import Any

import orjson
import pytest

from benchmarks.inside.calling import call
from benchmarks.inside.protected import Plain, Protected, authenticator, token
from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.domain import Principal
from fastapi_easy.testing import in_memory
from tests.counted_calls import counted_calls

MORE = {"get": 36, "create": 48}
"""Calls that protection takes beside those of the request itself; 30 and 43 were counted."""

TIMES = 5


async def _calls(app: Any, endpoint: str, sent: bytes) -> int:
    body = orjson.dumps({"sensor": 1, "note": "a reading"}) if endpoint == "create" else b""
    method, path = ("POST", "/readings") if endpoint == "create" else ("GET", "/readings/1")
    counted = []
    for _ in range(TIMES):
        with counted_calls() as figures:
            status, _ = await call(app, method, path, body, authorization=sent)
        assert status in {200, 201}
        counted.append(figures.calls)
    return min(counted)


async def _counted(container: type[Any], sent: bytes, **given: Any) -> dict[str, int]:
    app = create_app(in_memory(container, **given))
    async with app.router.lifespan_context(app):
        return {endpoint: await _calls(app, endpoint, sent) for endpoint in ("create", "get")}


@pytest.fixture(scope="module")
def counted() -> tuple[dict[str, int], dict[str, int]]:
    async def both() -> Any:
        plain = await _counted(Plain, b"")
        return plain, await _counted(Protected, token(1), authenticators=[authenticator()])

    found: tuple[dict[str, int], dict[str, int]] = asyncio.run(both())
    print(f"\n{found}")
    return found


@pytest.mark.parametrize("endpoint", MORE)
def test_protection_takes_no_more_calls_than_its_budget(counted: Any, endpoint: str) -> None:
    plain, protected = counted

    assert protected[endpoint] - plain[endpoint] <= MORE[endpoint]


async def test_what_is_kept_of_a_caller_is_kept_for_each_of_their_tenants() -> None:
    caller = Principal(id="ann", roles=frozenset({"writer"}))
    async with open_kernel(in_memory(Protected)) as kernel:
        for tenant in ("north", "south", "north"):
            acting = kernel.acting_as(caller, tenant=tenant).readings
            _ = (await acting.create(sensor=1, note=tenant)).unwrap()
        seen = {
            tenant: [
                row.note
                for row in (await kernel.acting_as(caller, tenant=tenant).readings.list()).unwrap().items
            ]
            for tenant in ("north", "south")
        }

    assert seen == {"north": ["north", "north"], "south": ["south"]}
