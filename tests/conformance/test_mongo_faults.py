"""What happens when MongoDB is silent, when others are in the way, and when callers give up."""

import asyncio
import time
import uuid
from urllib.parse import quote, unquote

import pymongo
import pytest
import pytest_asyncio
from pydantic import BaseModel
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import AlreadyExists, OutcomeUnknown, Unavailable
from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.ports.repository import StreamBroken
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.domain.unavailable import SerializationConflict
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.mongo_shop import mongo_shop
from tests.conformance.mongo_store import through
from tests.wire import wired


class Account(BaseModel):
    id: int | None = None
    code: str | None = None
    amount: int = 0


Account.__unique__ = ("code",)

ENTITIES = {"accounts": Account}
QUICK = ConnectionOptions(pool_timeout=0.2, connect_timeout=0.5, statement_timeout=2.0, lock_timeout=0.4)
"""For what is to fail."""

ENOUGH = ConnectionOptions(lock_timeout=0.4)
"""For what is to succeed, however busy the machine is."""
UNAVAILABLE = Failure(Unavailable("default"))


@pytest.fixture(params=["pymongo", "motor"])
def driver(request):
    return request.param


@pytest_asyncio.fixture
async def url(mongo_url):
    name = f"faults {uuid.uuid4().hex}"
    address = mongo_url.replace("/fastapi", "/faults_fastapi") + f"&appName={quote(name)}"
    yield address
    async with pymongo.AsyncMongoClient(mongo_url) as client:
        # The server would undo what was cut off by itself, a minute later.
        for each in await open_transactions(client, name):
            await client.admin.command("killSessions", [{"id": each["lsid"]["id"]}])
        await client.drop_database(f"faults_{client.get_default_database().name}")


async def open_transactions(client, name):
    """The transactions that clients called *name* have open on the server."""
    asked = [
        {"$currentOp": {"idleSessions": True}},
        {"$match": {"transaction": {"$exists": True}, "appName": name}},
    ]
    return await (await client.admin.aggregate(asked)).to_list()


@pytest_asyncio.fixture
async def shop(url, driver):
    async with mongo_shop(through(driver, url), ENTITIES, options=ENOUGH) as opened:
        yield opened


@pytest_asyncio.fixture
async def far(url, driver):
    """A shop at the end of a wire, the wire, and the same accounts seen from beside it."""
    async with (
        mongo_shop(url, ENTITIES) as near,
        wired(url) as (address, wire),
        mongo_shop(through(driver, address), ENTITIES, options=QUICK, mode=SchemaMode.CHECK) as opened,
    ):
        yield opened, wire, near["accounts"]


async def test_calls_beyond_the_pool_are_unavailable_and_the_next_is_answered(url, driver):
    options = ConnectionOptions(pool_size=2, pool_timeout=0.1)
    async with mongo_shop(through(driver, url), ENTITIES, options=options) as shop:
        client = shop.database.client
        ended = asyncio.Event()
        holding = [asyncio.ensure_future(client.call(ended.wait)) for _ in range(2)]
        await eventually(lambda: client.pool.in_use == 2)

        outcomes = await asyncio.gather(
            shop["accounts"].count(Everything()), shop["accounts"].add({"code": "a"})
        )
        # That all are in use says nothing about the server.
        checked = await shop.database.check()
        pool = shop.database.pool
        ended.set()
        _ = await asyncio.gather(*holding)

        assert outcomes == [UNAVAILABLE] * 2
        assert checked == Success(None)
        assert (pool.limit, pool.in_use, pool.waiting) == (2, 2, 0)
        assert await shop["accounts"].count(Everything()) == Success(0)


async def test_the_pool_never_grows_beyond_its_limit(url, driver):
    options = ConnectionOptions(pool_size=3, pool_timeout=5, queue_time=5)
    async with mongo_shop(through(driver, url), ENTITIES, options=options) as shop:
        most = 0

        async def add(number):
            nonlocal most
            added = await shop["accounts"].add({"amount": number})
            most = max(most, shop.database.pool.open)
            return added

        outcomes = await asyncio.gather(*(add(number) for number in range(60)))

        assert all(type(each) is Success for each in outcomes)
        assert 1 <= most <= 3
        assert shop.database.pool.in_use == 0


async def test_without_a_server_everything_is_unavailable(far):
    shop, wire, _ = far
    _ = value_of(await shop["accounts"].add({"code": "a"}))
    wire.cut()

    assert await shop["accounts"].count(Everything()) == UNAVAILABLE
    assert await shop.database.check() == UNAVAILABLE
    async with shop.unit_of_work() as work:
        assert await work.repository("accounts").add({"code": "b"}) == UNAVAILABLE
        assert await work.repository("accounts").count(Everything()) == UNAVAILABLE
    with pytest.raises(StreamBroken):
        await read_all(shop["accounts"].stream(Query()))


async def test_a_write_in_a_unit_of_work_that_is_cut_off_changes_nothing(far):
    shop, wire, near = far

    async with shop.unit_of_work() as work:
        accounts = work.repository("accounts")
        _ = value_of(await accounts.add({"code": "a"}))
        wire.cut()
        cut_off = await accounts.add({"code": "b"})
        afterwards = await accounts.count(Everything())
        committed = await work.commit()

    assert cut_off == afterwards == committed == UNAVAILABLE
    assert await near.count(Everything()) == Success(0)


async def test_a_commit_whose_answer_is_lost_is_of_unknown_outcome(far):
    shop, wire, near = far

    async with shop.unit_of_work() as work:
        _ = value_of(await work.repository("accounts").add({"code": "a"}))
        wire.cut_at = b"commitTransaction"
        committed = await work.commit()

    assert committed == Failure(OutcomeUnknown("default"))
    assert await near.count(Everything()) == Success(1)


async def test_a_commit_that_never_arrived_is_of_unknown_outcome_too(far):
    shop, wire, near = far

    async with shop.unit_of_work() as work:
        _ = value_of(await work.repository("accounts").add({"code": "a"}))
        wire.cut_before = b"commitTransaction"
        committed = await work.commit()

    assert committed == Failure(OutcomeUnknown("default"))
    assert await near.count(Everything()) == Success(0)


async def test_a_single_write_whose_answer_is_lost_is_of_unknown_outcome(far):
    shop, wire, near = far
    added = value_of(await shop["accounts"].add({"code": "a"}))
    wire.cut_at = b"findAndModify"

    updated = await shop["accounts"].update(added.id, Patch({"amount": 7}))

    assert updated == Failure(OutcomeUnknown("default"))
    assert value_of(await near.read(added.id)).amount == 7


async def test_a_stream_that_is_cut_off_says_so(far):
    shop, wire, near = far
    _ = value_of(await near.add_all([{"amount": number} for number in range(100)]))
    seen = []

    with pytest.raises(StreamBroken):
        await read_all(
            shop["accounts"].stream(Query(), chunk=10), seen, lambda: len(seen) == 20 and wire.cut()
        )

    assert 20 <= len(seen) < 100


async def read_all(parts, seen=None, look=bool):
    async for rows in parts:
        if seen is not None:
            seen.extend(rows)
        look()


async def test_a_connection_that_went_stale_costs_nothing(far):
    shop, wire, _ = far
    _ = value_of(await shop["accounts"].add({"code": "a"}))
    wire.cut()
    wire.is_cut = False

    async with shop.unit_of_work() as work:
        added = await work.repository("accounts").add({"code": "b"})
        committed = await work.commit()

    assert type(added) is Success
    assert committed == Success(None)


async def test_a_concurrent_change_is_seen_when_nothing_was_written_yet(shop):
    first = value_of(await shop["accounts"].add({"amount": 1}))

    async with shop.unit_of_work() as work:
        accounts = work.repository("accounts")
        _ = value_of(await accounts.read(first.id))
        _ = value_of(await shop["accounts"].update(first.id, Patch({"code": "meanwhile"})))
        updated = await accounts.update(first.id, Patch({"amount": 2}))
        committed = await work.commit()

    assert committed == Success(None)
    assert updated == Success({"id": first.id, "code": "meanwhile", "amount": 2})
    assert await shop["accounts"].read(first.id) == updated


async def test_earlier_writes_are_replayed_after_a_conflict(shop):
    first, second = value_of(await shop["accounts"].add_all([{"amount": 1}, {"amount": 1}]))

    async with shop.unit_of_work() as work:
        accounts = work.repository("accounts")
        _ = value_of(await accounts.update(first.id, Patch({"amount": 2})))
        _ = value_of(await accounts.add({"code": "new"}))
        _ = value_of(await shop["accounts"].update(second.id, Patch({"code": "meanwhile"})))
        updated = await accounts.update(second.id, Patch({"amount": 2}))
        committed = await work.commit()

    assert committed == Success(None)
    assert updated == Success({"id": second.id, "code": "meanwhile", "amount": 2})
    rows = [row async for rows in shop["accounts"].stream(Query()) for row in rows]
    assert [(row.code, row.amount) for row in rows] == [(None, 2), ("meanwhile", 2), ("new", 0)]


async def test_two_units_of_work_that_write_crosswise_both_commit(shop):
    left, right = value_of(await shop["accounts"].add_all([{"amount": 0}, {"amount": 0}]))

    async def work(one, other, amount):
        async with shop.unit_of_work() as work:
            accounts = work.repository("accounts")
            outcomes = [await accounts.update(one.id, Patch({"amount": amount}))]
            await asyncio.sleep(0.02)
            outcomes.append(await accounts.update(other.id, Patch({"amount": amount})))
            outcomes.append(await work.commit())
            return outcomes

    both = await asyncio.gather(work(left, right, 1), work(right, left, 2))

    rows = [row async for rows in shop["accounts"].stream(Query()) for row in rows]
    done = [all(type(each) is Success for each in outcomes) for outcomes in both]
    assert any(done)
    assert len({row.amount for row in rows}) == 1
    assert all(
        Failure(Unavailable("default")) in outcomes for outcomes in both if outcomes[-1] != Success(None)
    )


async def test_a_write_that_waits_too_long_for_another_is_unavailable_and_keeps_earlier_writes(shop):
    taken = value_of(await shop["accounts"].add({"amount": 0}))

    async with shop.unit_of_work() as holder, shop.unit_of_work() as waiting:
        _ = value_of(await holder.repository("accounts").update(taken.id, Patch({"amount": 1})))
        accounts = waiting.repository("accounts")
        own = value_of(await accounts.add({"code": "own"}))
        began = time.monotonic()
        blocked = await accounts.update(taken.id, Patch({"amount": 2}))
        seconds = time.monotonic() - began
        committed = await waiting.commit()

    assert blocked == Failure(SerializationConflict("default"))
    assert 0.3 < seconds < 20
    assert committed == Success(None)
    assert type(await shop["accounts"].read(own.id)) is Success
    assert value_of(await shop["accounts"].read(taken.id)).amount == 0


async def test_rejected_writes_leave_earlier_writes_in_place(shop):
    _ = value_of(await shop["accounts"].add({"code": "taken"}))

    async with shop.unit_of_work() as work:
        accounts = work.repository("accounts")
        for number in range(5):
            added = value_of(await accounts.add({"code": f"own {number}"}))
            assert await accounts.add({"code": "taken"}) == Failure(AlreadyExists("accounts", ("code",)))
            again = await accounts.update(added.id, Patch({"code": "taken"}))
            assert again == Failure(AlreadyExists("accounts", ("code",)))
        committed = await work.commit()

    assert committed == Success(None)
    assert await shop["accounts"].count(Everything()) == Success(6)


async def test_cancelled_units_of_work_leave_no_transaction_open(shop, url):
    async def work_on(number):
        async with shop.unit_of_work() as work:
            for _ in range(5):
                _ = await work.repository("accounts").add({"amount": number})
            await asyncio.sleep(10)

    for number in range(20):
        task = asyncio.ensure_future(work_on(number))
        _ = await asyncio.wait([task], timeout=number * 0.002)
        _ = task.cancel()
        _ = await asyncio.wait([task], timeout=5)
        assert task.cancelled()

    assert await shop["accounts"].count(Everything()) == Success(0)
    assert shop.database.pool.in_use == 0
    name = unquote(url.partition("appName=")[2])
    async with pymongo.AsyncMongoClient(url) as client:
        assert await open_transactions(client, name) == []


async def test_a_database_can_be_opened_again_after_it_was_closed(shop):
    _ = value_of(await shop["accounts"].add({"code": "a"}))

    await shop.database.close()
    await shop.database.close()
    await shop.database.open()

    assert await shop["accounts"].count(Everything()) == Success(1)


async def test_writes_that_stay_on_a_stand_alone_server_are_not_reported_as_unchanged(
    mongo_alone_url, driver
):
    async with (
        wired(mongo_alone_url) as (address, wire),
        mongo_shop(through(driver, address), ENTITIES, options=QUICK) as shop,
        shop.unit_of_work() as work,
    ):
        accounts = work.repository("accounts")
        _ = value_of(await accounts.add({"code": f"stays, by {driver}"}))
        wire.cut()

        assert await accounts.count(Everything()) == Failure(OutcomeUnknown("default"))
        assert await accounts.add({"code": "more"}) == Failure(OutcomeUnknown("default"))
