"""Migrations of MongoDB whose process is killed, has lost its lock, or is one of many: the end is always the same."""

import asyncio
import signal

import pymongo
import pytest
import pytest_asyncio

from fastapi_easy.domain.errors import LockLost
from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import RunState, StepState
from fastapi_easy.domain.migrations.step import Effect
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from fastapi_easy.testing.conformance.migrations.schema_suite import error_of, run_of
from fastapi_easy.testing.conformance.store import value_of
from tests.faults.migrations.migrating import migrate, start
from tests.faults.migrations.mongo_migrating import (
    BOOKS,
    HINTS,
    declared_store_at,
    execute_only,
    fill,
    forget_lock,
    migrate_until_killed,
    migrate_with_others,
    plan_at,
)
from tests.thorough import examples

REPLICAS = 8


@pytest_asyncio.fixture(params=["mongo_url", "mongo_alone_url"])
async def url(request):
    found = request.getfixturevalue(request.param)
    await fill(found)
    return found


@pytest_asyncio.fixture
async def store(url):
    opened = declared_store_at(url)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def raw(url):
    async with pymongo.AsyncMongoClient(url) as client:
        yield client.get_default_database()


async def end_of(store, raw):
    """What there is at the end, but for times and names."""
    history = value_of(await store.history())
    return {
        "schema": value_of(await store.describe()),
        "books": await raw["book"].find(sort={"_id": 1}).to_list(None),
        "head": history.head,
        "fingerprint": history.fingerprint,
        "runs": [(each.state, [step.state for step in each.steps]) for each in history.runs],
    }


STRIDE = examples(11, 1)
"""Of boundaries; a thorough run takes each."""


async def run_until_killed(url, plan, fatal):
    """Migrate in a process that is killed at a boundary; return how many it has passed if there are no more."""
    process, pipe = start(migrate_until_killed, url, plan, fatal)
    await asyncio.to_thread(process.join, 120)
    if process.exitcode == -signal.SIGKILL:
        return None
    assert process.exitcode == 0
    return pipe.recv()


@pytest.mark.slow
async def test_a_process_may_be_killed_before_any_command_that_changes_something(url, store, raw):
    plan = await plan_at(store)
    expected, fatal, passed = None, 0, None
    while passed is None:
        await fill(url)
        passed = await run_until_killed(url, plan, fatal)
        await forget_lock(url)
        answer = await migrate(store, plan, "whoever is left")

        found = await end_of(store, raw)
        assert answer == ("applied" if passed is None else "nothing to do"), f"boundary {fatal}"
        assert expected is None or found == expected, f"boundary {fatal}"
        expected, fatal = found, fatal + STRIDE

    assert fatal - 2 * STRIDE < passed <= fatal - STRIDE
    assert passed > 20
    assert expected["books"] == [{"_id": each["_id"], "name": each["title"]} for each in BOOKS]
    assert (expected["head"], expected["runs"]) == (
        plan.id,
        [(RunState.APPLIED, [StepState.DONE] * len(plan.steps))],
    )
    assert value_of(await store.draft(HINTS)).steps == ()


async def test_of_many_processes_at_once_one_executes_each_step(url, store, raw):
    plan = await plan_at(store)
    started = [start(migrate_with_others, url, plan, number) for number in range(REPLICAS)]
    for _, pipe in started:
        assert await asyncio.to_thread(pipe.recv) == "ready"
    for _, pipe in started:
        pipe.send("go")

    answers = [await asyncio.to_thread(pipe.recv) for _, pipe in started]

    for process, _ in started:
        await asyncio.to_thread(process.join, 60)
    (run,) = value_of(await store.history()).runs
    assert sorted(answers) == ["applied", *["nothing to do"] * (REPLICAS - 1)]
    assert [each.attempts for each in run.steps] == [1] * len(run.steps)
    assert value_of(await store.draft(HINTS)).steps == ()


async def test_a_command_that_goes_on_without_its_process_is_ended_by_the_next_one(mongo_url):
    await fill(mongo_url)
    store = declared_store_at(mongo_url)
    async with pymongo.AsyncMongoClient(mongo_url) as client:
        book = client.get_default_database()["book"]
        plan = await plan_at(store)
        only = MigrationPlan(database="shop", dialect="mongodb", steps=plan.steps[:1])

        async def executing():
            cursor = await client.admin.aggregate(
                [{"$currentOp": {}}, {"$match": {"command.collMod": "book", "waitingForLock": True}}]
            )
            return [each["opid"] async for each in cursor]

        async with client.start_session() as session, await session.start_transaction():
            await book.update_one({"_id": 1}, {"$set": {"seen": True}}, session=session)
            process, _ = start(execute_only, mongo_url, only)
            await eventually(executing)
            process.kill()
            await asyncio.to_thread(process.join, 60)
            (orphan,) = await executing()
            await forget_lock(mongo_url)
            async with store.session("whoever is left", 30) as found:
                value_of(await value_of(found).adopt(value_of(await store.history()).runs[0]))
            left = (await executing(), value_of(await store.probe(only.steps[0])))
            await session.abort_transaction()

        answer = await migrate(store, only, "whoever is left")

    assert orphan
    assert left == ([], Effect.NOT_APPLIED)
    assert answer == "applied"
    await store.close()


async def test_a_call_that_is_cancelled_leaves_no_command_behind(mongo_url):
    await fill(mongo_url)
    store = declared_store_at(mongo_url)
    async with pymongo.AsyncMongoClient(mongo_url) as client:
        book = client.get_default_database()["book"]
        plan = await plan_at(store)

        async def executing():
            cursor = await client.admin.aggregate(
                [{"$currentOp": {}}, {"$match": {"command.collMod": "book"}}]
            )
            return [each["opid"] async for each in cursor]

        async with (
            client.start_session() as session,
            await session.start_transaction(),
            store.session("ada", 0) as found,
        ):
            await book.update_one({"_id": 1}, {"$set": {"seen": True}}, session=session)
            run = value_of(await value_of(found).begin(plan, run_of(plan)))
            calling = asyncio.create_task(value_of(found).execute(run, 0, plan.steps[0]))
            await eventually(executing)
            _ = calling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await calling
            left = await executing()
            await session.abort_transaction()

    assert left == []
    assert value_of(await store.probe(plan.steps[0])) is Effect.NOT_APPLIED
    await store.close()


async def test_a_session_whose_lock_has_run_out_changes_nothing_once_another_one_has_begun(url, store, raw):
    plan = await plan_at(store)
    async with store.session("ada", 0) as first:
        zombie = value_of(first)
        run = value_of(await zombie.begin(plan, run_of(plan)))
        await forget_lock(url)
        lost = error_of(await zombie.verify())
        async with store.session("bob", 0) as second:
            adopted = value_of(await value_of(second).adopt(run))
            refused = [
                error_of(await zombie.execute(run, index, step)) for index, step in enumerate(plan.steps)
            ]
            now = value_of(await store.draft(HINTS))

    assert {type(each) for each in (lost, *refused)} == {LockLost}
    assert now.steps == plan.steps
    assert value_of(await store.history()).runs == (adopted,)


async def test_batches_find_what_others_write_behind_them(url, store, raw):
    plan = await plan_at(store)
    (place,) = [
        place for place, each in enumerate(plan.steps) if each.changes[0].kind is ChangeKind.RENAME_COLUMN
    ]
    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        for index, step in enumerate(plan.steps[:place]):
            value_of(await session.execute(run, index, step))
        await raw["book"].insert_many([{"_id": "text", "title": "c"}, {"_id": {"a": 1}, "title": "d"}])
        executing = asyncio.create_task(session.execute(run, place, plan.steps[place]))
        await eventually(lambda: raw["book"].count_documents({"name": {"$exists": True}}))
        await raw["book"].insert_one({"_id": 0, "title": "late"})
        rows = value_of(await executing)

    assert rows == len(BOOKS) + 3
    assert await raw["book"].count_documents({"title": {"$exists": True}}) == 0
