"""Cases about the lock of migrations."""

import asyncio

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.errors import LockHeld
from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.testing.conformance.migrations.schema_suite import (
    SchemaStores,
    SchemaSuite,
    apply,
    error_of,
    run_of,
)
from fastapi_easy.testing.conformance.store import value_of


class SchemaLockCases(SchemaSuite):
    """Cases about the lock of migrations."""

    async def test_one_session_at_a_time_has_the_lock_and_the_others_are_told(
        self, stores: SchemaStores
    ) -> None:
        async with stores.local.session("ada", 0) as first, stores.remote.session("bob", 0) as second:
            assert isinstance(first, Success)
            assert await first.unwrap().verify() == Success(None)
            assert isinstance(error_of(second), LockHeld)

        async with stores.remote.session("bob", 0) as third:
            assert isinstance(third, Success)

    async def test_sessions_of_one_store_exclude_each_other_as_well(self, stores: SchemaStores) -> None:
        async with stores.local.session("ada", 0) as first, stores.local.session("bob", 0.2) as second:
            assert isinstance(first, Success)
            assert isinstance(error_of(second), LockHeld)

    async def test_whoever_waits_gets_the_lock_when_it_is_released(self, stores: SchemaStores) -> None:
        async def wait() -> bool:
            async with stores.remote.session("bob", 30) as found:
                return isinstance(found, Success)

        async with stores.local.session("ada", 0):
            waiting = asyncio.create_task(wait())
            done, _ = await asyncio.wait([waiting], timeout=0.5)
            assert not done

        assert await waiting is True

    async def test_the_lock_is_released_when_the_block_raises(self, stores: SchemaStores) -> None:
        async def raise_inside() -> None:
            async with stores.local.session("ada", 0):
                raise LookupError("of the caller")

        with pytest.raises(LookupError):
            await raise_inside()

        async with stores.remote.session("bob", 0) as found:
            assert isinstance(found, Success)

    async def test_the_lock_is_released_when_the_task_is_cancelled(self, stores: SchemaStores) -> None:
        entered = asyncio.Event()

        async def hold() -> None:
            async with stores.local.session("ada", 0):
                entered.set()
                _ = await asyncio.Event().wait()

        holding = asyncio.create_task(hold())
        _ = await entered.wait()
        _ = holding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holding

        async with stores.remote.session("bob", 0) as found:
            assert isinstance(found, Success)

    async def test_of_many_who_migrate_at_once_each_step_is_executed_by_one(
        self, stores: SchemaStores
    ) -> None:
        plan = stores.plan_that_creates("first", "second")

        async def migrate(number: int) -> str:
            store = stores.local if number % 2 else stores.remote
            async with store.session(f"replica {number}", 60) as found:
                if isinstance(found, Failure):
                    return type(found.failure()).__name__
                if value_of(await store.history()).head == plan.id:
                    return "nothing to do"
                run = await apply(found.unwrap(), plan, run_of(plan))
                return run.state

        answers = await asyncio.gather(*(migrate(number) for number in range(6)))

        assert sorted(answers) == sorted([RunState.APPLIED, *["nothing to do"] * 5])
        history = value_of(await stores.local.history())
        assert [[each.attempts for each in run.steps] for run in history.runs] == [[1, 1]]
        assert history.epoch == 1
