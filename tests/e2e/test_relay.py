"""Changes reach the broker, whatever happens in between: embedded, in processes of their own, on every store."""

import asyncio
import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.domain.ports.broker import Accept, Delivery, Handling, Subscription
from fastapi_easy.events import open_relay, outbox_operations
from fastapi_easy.settings import Settings
from tests.e2e.commands import COMMAND, PATIENCE, environment
from tests.e2e.relayed import Depot, ListBroker, depot
from tests.e2e.serving import client_of
from tests.e2e.stores import empty_store, store_names

NEVER = 3600.0


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_an_embedded_relay_publishes_what_a_request_has_changed_without_waiting_for_its_next_look(
    store: str, tmp_path: Path
) -> None:
    received: asyncio.Queue[str] = asyncio.Queue()

    async def note(delivery: Delivery) -> Handling:
        received.put_nowait(json.loads(delivery.message.body)["data"]["values"]["label"])
        return Accept()

    with empty_store(store, tmp_path) as url:
        settings = Settings.model_validate(
            {
                "databases": {"default": {"url": url}},
                "events": {
                    "relay": "embedded",
                    "broker_url": "memory://",
                    "poll_interval": NEVER,
                    "idle_poll_interval": NEVER,
                },
            }
        )
        shop: Any = Depot(settings=settings)
        async with client_of(create_app(shop)) as client, asyncio.timeout(30):
            broker = shop.broker()
            await broker.open()
            await broker.subscribe(Subscription(consumer="test", topic="parcels.created", handle=note))
            for label in ("first", "second"):
                assert (await client.post("/parcels", json={"label": label})).status_code == 201
                assert await received.get() == label


async def test_an_embedded_relay_ends_with_the_application(tmp_path: Path) -> None:
    before = asyncio.all_tasks()

    async with open_kernel(depot(f"sqlite:///{tmp_path / 'shop.sqlite3'}", ListBroker(), relay="embedded")):
        assert len(asyncio.all_tasks()) > len(before)

    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("store", store_names("memory"))
async def test_two_relays_publish_in_order_and_a_poisoned_message_parks_its_entity_until_it_is_retried(
    store: str, tmp_path: Path
) -> None:
    broker = ListBroker(poison="broken")
    with empty_store(store, tmp_path) as url:
        shop: Any = depot(url, broker)
        async with open_kernel(shop) as kernel:
            for label in ("a", "broken", "c"):
                (await kernel.parcels.create({"label": label})).unwrap()
            for weight in (1, 2):
                for key in (1, 2, 3):
                    (await kernel.parcels.update(key, {"weight": weight, "label": f"{key}"})).unwrap()
            await asyncio.gather(shop.relay().drain(), shop.relay().drain())
            while await _waiting(shop):
                await shop.relay().drain()

            flowed = list(broker.published)
            operations = outbox_operations(shop)
            [dead] = (await operations.list_parked()).unwrap()
            lag = (await operations.lag()).unwrap()["default"]
            broker.poison = None
            (await operations.retry(dead.parked.message.id)).unwrap()
            await shop.relay().drain()

    assert _of(flowed, 1) == [("created", "a", 0), ("updated", "1", 1), ("updated", "1", 2)]
    assert _of(flowed, 3) == [("created", "c", 0), ("updated", "3", 1), ("updated", "3", 2)]
    assert _of(flowed, 2) == []
    assert (dead.database, dead.parked.error, dead.parked.waiting) == ("default", "it is poisoned", 2)
    assert (lag.waiting, lag.parked, lag.behind_parked) == (0, 1, 2)
    assert _of(broker.published, 2) == [("created", "broken", 0), ("updated", "2", 1), ("updated", "2", 2)]
    assert len(broker.published) == 9


async def test_while_the_broker_is_away_everything_waits_and_then_is_published_in_order(
    tmp_path: Path,
) -> None:
    broker = ListBroker(is_away=True)
    shop: Any = depot(
        f"sqlite:///{tmp_path / 'shop.sqlite3'}",
        broker,
        max_attempts=1,
        poll_interval=0.01,
        idle_poll_interval=0.01,
    )
    async with open_kernel(shop) as kernel:
        (await kernel.parcels.create({"label": "a"})).unwrap()
        for weight in (1, 2):
            (await kernel.parcels.update(1, {"weight": weight})).unwrap()
        await shop.relay().drain()
        waiting = (await outbox_operations(shop).lag()).unwrap()["default"]
        broker.is_away = False
        relay = shop.relay()
        broker.on_publish = lambda: relay.stop() if len(broker.published) == 3 else None
        async with asyncio.timeout(60):
            await relay.run()
        after = (await outbox_operations(shop).lag()).unwrap()["default"]

    assert (waiting.waiting, waiting.parked) == (3, 0)
    assert waiting.oldest > 0
    assert [each[3] for each in broker.published] == [0, 1, 2]
    assert (after.waiting, after.oldest) == (0, 0.0)


async def test_metrics_tell_what_waits_and_what_was_published(tmp_path: Path) -> None:
    broker = ListBroker(poison="broken")
    shop: Any = depot(f"sqlite:///{tmp_path / 'shop.sqlite3'}", broker)
    http = shop.settings().http.model_copy(update={"metrics": True})
    metered: Any = Depot(settings=shop.settings().model_copy(update={"http": http}), broker=broker)
    async with client_of(create_app(metered)) as client:
        for label in ("a", "broken"):
            await client.post("/parcels", json={"label": label})
        await client.patch("/parcels/2", json={"label": "mended"})
        await metered.relay().drain()
        await client.post("/parcels", json={"label": "b"})
        lines = (await client.get("/metrics")).text.splitlines()
        ready = await client.get("/health/ready")

    assert 'fastapi_easy_outbox_waiting{database="default"} 1.0' in lines
    assert 'fastapi_easy_outbox_parked{database="default"} 1.0' in lines
    assert 'fastapi_easy_outbox_behind_parked{database="default"} 1.0' in lines
    assert 'fastapi_easy_outbox_published_total{database="default"} 1.0' in lines
    assert 'fastapi_easy_outbox_failed_total{database="default"} 1.0' in lines
    [lag] = [each for each in lines if each.startswith("fastapi_easy_outbox_lag_seconds{")]
    assert float(lag.split()[-1]) > 0
    assert ready.status_code == 200


async def test_what_has_expired_is_archived_by_the_relay(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    shop: Any = depot(
        f"sqlite:///{tmp_path / 'shop.sqlite3'}", ListBroker(), retention=0.001, archive=str(archive)
    )
    async with open_kernel(shop) as kernel:
        (await kernel.parcels.create({"label": "a"})).unwrap()
    async with open_relay(shop) as relay:
        while not _archived(archive):
            await relay.drain()

    assert _archived(archive) == [{"label": "a", "weight": 0, "id": 1}]


def _archived(folder: Path) -> list[Any]:
    return [
        json.loads(line)["values"]
        for file in sorted(folder.glob("*.ndjson"))
        for line in file.read_text("utf-8").splitlines()
    ]


async def _waiting(shop: Any) -> int:
    return int((await outbox_operations(shop).lag()).unwrap()["default"].waiting)


def _of(published: list[tuple[str, int, str, int]], key: int) -> list[tuple[str, str, int]]:
    return [
        (topic.removeprefix("parcels."), label, weight)
        for topic, which, label, weight in published
        if which == key
    ]


SHOP = """
import json

from returns.result import Success
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


class Parcel(SQLModel, table=True):
    __tablename__ = "relayed_parcels"
    id: int | None = Field(default=None, primary_key=True)
    label: str
    weight: int = 0


class FileBroker:
    name = "file"

    async def open(self):
        return Success(None)

    async def publish(self, message):
        with open("published.txt", "a") as file:
            file.write(json.loads(message.body)["data"]["values"]["label"] + "\\n")
        return Success(None)

    async def close(self, grace=10.0):
        pass


class Shop(Container):
    parcels = resource(Parcel, events=True)
    broker = FileBroker()


app = create_app(Shop())
"""


def test_the_command_publishes_until_it_is_terminated(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    published = tmp_path / "published.txt"
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    asyncio.run(_create(url, "a", "b"))

    process = subprocess.Popen(
        [*COMMAND, "relay", "shop:app"],
        cwd=tmp_path,
        env=environment(FASTAPI_EASY_DATABASES__DEFAULT__URL=url),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "Relaying shop:app (press Ctrl-C to stop)\n"
        _wait_for_lines(published, 2, process)
        # What another process writes while it runs.
        asyncio.run(_create(url, "c"))
        _wait_for_lines(published, 3, process)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()

    assert (process.returncode, out) == (0, "published 3, parked 0\n")
    assert published.read_text().splitlines() == ["a", "b", "c"]


async def _create(url: str, *labels: str) -> None:
    async with open_kernel(depot(url)) as kernel:
        for label in labels:
            (await kernel.parcels.create({"label": label})).unwrap()


def _wait_for_lines(file: Path, number: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not file.exists() or len(file.read_text().splitlines()) < number:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
