"""Processes that tell one another of commits on PostgreSQL: nobody looks by itself here."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.events import open_relay
from tests.e2e.relayed import ListBroker, depot
from tests.e2e.stores import empty_store

NEVER = 3600.0
LISTENING = "datname = current_database() AND query ILIKE 'LISTEN%fe_outbox%'"


def waiting_depot(url: str, broker: ListBroker | None = None, **events: Any) -> Any:
    """A depot that looks for messages when it is told to only."""
    never = {"poll_interval": NEVER, "idle_poll_interval": NEVER, "feed": {"interval": NEVER}}
    return depot(url, broker, **never, **events)


@asynccontextmanager
async def relaying(shop: Any) -> AsyncIterator[None]:
    async with open_relay(shop) as relay, relay.running():
        yield


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 (what is awaited has no event)
            await asyncio.sleep(0.01)


def ask(url: str, question: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[call-overload]
    return int(row[0])


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_commit_wakes_the_relay_and_the_feed_of_another_process_also_after_its_connection_was_lost(
    driver: str, tmp_path: Path
) -> None:
    with empty_store("postgres", tmp_path) as url:
        given = url.replace("postgresql://", f"postgresql+{driver}://")
        broker = ListBroker()
        reader = waiting_depot(given, broker, notify=True)
        async with (
            open_kernel(waiting_depot(given, notify=True)) as writing,
            relaying(reader),
            (await reader.kernel().parcels.changes()).unwrap() as feed,
        ):
            async with asyncio.timeout(60):
                await until(lambda: ask(url, f"SELECT count(*) FROM pg_stat_activity WHERE {LISTENING}") == 1)
                (await writing.parcels.create({"label": "first"})).unwrap()
                heard = [(await anext(feed)).values]
                await until(lambda: len(broker.published) == 1)

                killed = ask(
                    url, f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {LISTENING}"
                )
                (await writing.parcels.create({"label": "second"})).unwrap()
                heard.append((await anext(feed)).values)
                await until(lambda: len(broker.published) == 2)
                (await writing.parcels.create({"label": "third"})).unwrap()
                heard.append((await anext(feed)).values)
                await until(lambda: len(broker.published) == 3)
        left = ask(url, f"SELECT count(*) FROM pg_stat_activity WHERE {LISTENING}")

    labels = ["first", "second", "third"]
    assert killed == 1
    assert [each["label"] for each in heard if each is not None] == labels
    assert [each[2] for each in broker.published] == labels
    assert left == 0


async def test_what_a_short_script_has_committed_is_announced_before_it_ends(tmp_path: Path) -> None:
    with empty_store("postgres", tmp_path) as url:
        broker = ListBroker()
        async with relaying(waiting_depot(url, broker, notify=True)):
            await until(lambda: ask(url, f"SELECT count(*) FROM pg_stat_activity WHERE {LISTENING}") == 1)
            async with open_kernel(waiting_depot(url, notify=True)) as kernel:
                for label in ("a", "b"):
                    (await kernel.parcels.create({"label": label})).unwrap()
            await until(lambda: len(broker.published) == 2)

    assert sorted(each[2] for each in broker.published) == ["a", "b"]


async def test_nobody_listens_unless_the_settings_say_so(tmp_path: Path) -> None:
    with empty_store("postgres", tmp_path) as url:
        broker = ListBroker()
        async with relaying(depot(url, broker)):
            async with open_kernel(depot(url)) as kernel:
                (await kernel.parcels.create({"label": "a"})).unwrap()
            await until(lambda: len(broker.published) == 1)
            listening = ask(url, f"SELECT count(*) FROM pg_stat_activity WHERE {LISTENING}")

    assert listening == 0
