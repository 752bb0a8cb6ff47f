"""Commands that are said directly: on the version of the driver that is known, as careful as the driver itself."""

import asyncio
import importlib
import logging

import pymongo
import pymongo.helpers_shared
import pymongo.message
import pytest
import pytest_asyncio
from bson.int64 import Int64
from pydantic import BaseModel
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import AlreadyExists
from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.infrastructure.persistence.mongo.driver import pymongo_internals
from fastapi_easy.infrastructure.persistence.mongo.driver.client import Client
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import DriverCommands, FindOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.url import resolve
from fastapi_easy.infrastructure.persistence.mongo.driver.wire_commands import WireCommands
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.mongo_shop import mongo_shop
from tests.wire import wired

LIMITS = ConnectionOptions(pool_timeout=10.0, connect_timeout=10.0, statement_timeout=10.0)


class Note(BaseModel):
    id: int | None = None
    code: str | None = None
    text: str = ""


Note.__unique__ = ("code",)
ENTITIES = {"notes": Note}


@pytest_asyncio.fixture
async def url(mongo_url):
    yield mongo_url.replace("/fastapi", "/direct_fastapi")
    async with pymongo.AsyncMongoClient(mongo_url) as client:
        await client.drop_database(f"direct_{client.get_default_database().name}")


@pytest_asyncio.fixture
async def shop(url):
    async with mongo_shop(url, ENTITIES, options=LIMITS) as opened:
        yield opened


def test_the_installed_driver_is_the_known_one() -> None:
    """If it is not: check the names in `pymongo_internals` against it, and set the version there."""
    assert pymongo.version_tuple[:2] == pymongo_internals.SUPPORTED_VERSION


@pytest.fixture(params=["_op_msg", "_UNPACK_REPLY", "_check_command_response"])
def lacking(request, monkeypatch) -> None:
    """Have had a driver without that name when `pymongo_internals` was read; it cannot do without it itself."""
    with monkeypatch.context() as gone:
        home = next(
            each for each in (pymongo.message, pymongo.helpers_shared) if hasattr(each, request.param)
        )
        gone.delattr(home, request.param)
        importlib.reload(pymongo_internals)
    yield
    importlib.reload(pymongo_internals)


@pytest.mark.usefixtures("lacking")
async def test_a_driver_that_lacks_a_private_name_takes_driver_commands(url) -> None:
    async with mongo_shop(url, ENTITIES, options=LIMITS) as shop:
        notes = shop["notes"]
        assert type(shop.database.client.commands) is DriverCommands
        added = value_of(await notes.add({"code": "a"}))
        assert value_of(await notes.update(added.id, Patch({"text": "new"}))).text == "new"
        assert value_of(await notes.read(added.id)).text == "new"
        assert isinstance((await notes.add({"code": "a"})).failure(), AlreadyExists)
        assert value_of(await notes.remove(added.id)) is None


@pytest.mark.parametrize("version", [(4, 13, 0), (4, 21, 0)])
async def test_another_version_of_the_driver_takes_driver_commands(monkeypatch, url, version) -> None:
    monkeypatch.setattr(pymongo, "version_tuple", version)
    client = Client(resolve(url), LIMITS)

    assert type(client.commands) is DriverCommands

    await client.close()


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param("&compressors=zlib", id="compressed"),
        pytest.param("&w=0", id="unacknowledged"),
    ],
)
async def test_unusual_clients_and_calls_take_driver_commands(url, asked) -> None:
    plain, special = Client(resolve(url), LIMITS), Client(resolve(url + asked), LIMITS)

    assert type(plain.commands) is WireCommands
    assert type(special.commands) is DriverCommands

    await plain.close()
    await special.close()


async def test_command_listeners_see_every_command(shop, caplog) -> None:
    with caplog.at_level(logging.DEBUG, "pymongo.command"):
        _ = value_of(await shop["notes"].add({"code": "a"}))

    assert any('"commandName": "insert"' in each.getMessage() for each in caplog.records)


async def test_a_read_and_a_write_are_one_command_each(url) -> None:
    said: list[str] = []

    def hear(data: bytes) -> None:
        # Behind the header and the flags comes a document, whose first name is the command's.
        name = data[26 : data.index(b"\x00", 26)].decode()
        if name not in {"hello", "endSessions"}:
            said.append(name)

    async with wired(url) as (address, wire):
        wire.hear = lambda: hear
        async with mongo_shop(address, ENTITIES, options=LIMITS) as shop:
            notes = shop["notes"]
            added = value_of(await notes.add({"code": "a"}))
            said.clear()

            _ = value_of(await notes.read(added.id))
            _ = value_of(await notes.select(Query(page=PageRequest(limit=1, count=Count.EXACT))))
            _ = value_of(await notes.add({"code": "b"}))
            _ = value_of(await notes.update(added.id, Patch({"text": "new"})))
            _ = value_of(await notes.remove(added.id))

    # A whole number for a key has to be asked for.
    assert said == ["find", "find", "findAndModify", "insert", "findAndModify", "delete"]


async def test_a_page_larger_than_one_answer_comes_whole(shop) -> None:
    notes = shop["notes"]
    long = "x" * 1_000_000
    _ = value_of(await notes.add_all([{"text": long + str(number)} for number in range(20)]))

    page = value_of(await notes.select(Query(page=PageRequest(limit=20))))

    assert [row.text for row in page.items] == [long + str(number) for number in range(20)]


async def test_many_at_once_use_each_connection_again(url) -> None:
    patient = ConnectionOptions(pool_size=5, pool_timeout=30.0, queue_time=30.0)
    async with mongo_shop(url, ENTITIES, options=patient) as shop:
        notes = shop["notes"]
        added = value_of(await notes.add({"code": "a"}))

        found = await asyncio.gather(*(notes.read(added.id) for _ in range(200)))
        async with shop.unit_of_work() as work:
            # Needs one from the driver's own pool while all are at hand.
            changed = await work.repository("notes").update(added.id, Patch({"text": "new"}))
            committed = await work.commit()
        pool = shop.database.pool

    assert [value_of(each).code for each in found] == ["a"] * 200
    assert isinstance(changed, Success)
    assert committed == Success(None)
    assert pool.open <= patient.pool_size
    assert pool.in_use == 0


async def test_after_a_rejection_and_a_cancelled_caller_the_next_call_is_answered(shop) -> None:
    notes = shop["notes"]
    added = value_of(await notes.add({"code": "a"}))

    refused = await notes.add({"code": "a"})
    for _ in range(30):
        task = asyncio.ensure_future(notes.read(added.id))
        await asyncio.sleep(0.0005)
        _ = task.cancel()
        _ = await asyncio.wait([task])

    assert type(refused) is Failure and type(refused.failure()) is AlreadyExists
    assert value_of(await notes.read(added.id)).code == "a"
    # Whoever gave up left a connection behind that is made good by itself.
    await eventually(lambda: shop.database.pool.in_use == 0)


@pytest.mark.parametrize("before", [True, False], ids=["before it arrives", "before it is answered"])
async def test_a_write_that_is_cut_off_is_sent_again_and_made_once(url, before) -> None:
    async with wired(url) as (address, wire), mongo_shop(address, ENTITIES, options=LIMITS) as shop:
        commands = shop.database.client.commands
        await commands.insert("note", {"_id": 1, "text": "", "n": Int64(0)})
        if before:
            wire.cut_before = b"findAndModify"
        else:
            wire.cut_at = b"findAndModify"
        changing = asyncio.ensure_future(commands.find_and_modify("note", {"_id": 1}, {"$inc": {"n": 1}}))
        await eventually(lambda: wire.is_cut)
        # It is cut as soon as it is said, or 0.2 s later: timers of one loop keep their order.
        await asyncio.sleep(0.3)
        wire.cut_before = wire.cut_at = None
        wire.is_cut = False

        changed = await changing

        assert changed == {"_id": 1, "text": "", "n": 1}
        assert await commands.find("note", FindOptions(match={"_id": 1})) == [changed]


async def test_a_silent_server_times_out(url) -> None:
    """A server that takes a command and never answers is not waited for longer than it may take."""
    options = ConnectionOptions(pool_timeout=0.5, connect_timeout=0.5, statement_timeout=0.3)
    async with (
        mongo_shop(url, ENTITIES),
        wired(url) as (address, wire),
        mongo_shop(address, ENTITIES, options=options, mode=SchemaMode.CHECK) as shop,
    ):
        _ = await shop["notes"].read(1)
        loop = asyncio.get_running_loop()
        wire.is_black = True
        begun = loop.time()

        found = await shop["notes"].read(1)

        assert type(found) is Failure
        assert loop.time() - begun < 20
