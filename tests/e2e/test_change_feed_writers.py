"""Nothing is missed and nothing heard twice, while many write and listeners come and go."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from fastapi_easy.application.changes_feed.feed_message import FeedMessage
from fastapi_easy.application.kernel import Kernel
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.domain import Failure, Outcome, Unavailable
from tests.e2e.followed import PATIENCE, Shop, opened, settings_at, told
from tests.e2e.stores import empty_store

T = TypeVar("T")

WRITERS, CHANGES, LISTENERS = (16, 200, 12) if os.environ.get("THOROUGH") else (6, 12, 4)


async def done(call: Callable[[], Awaitable[Outcome[T]]]) -> T:
    """The answer to *call*, which is made again as long as nobody has time for it: then nothing was changed."""
    while isinstance(outcome := await call(), Failure):
        assert isinstance(outcome.failure(), Unavailable)
        await asyncio.sleep(0.05)
    return outcome.unwrap()


async def write(kernel: Kernel, seed: int) -> None:
    """Make changes, some of them together with others in one transaction, some of them rolled back."""
    chance, keys = random.Random(seed), list[int]()  # noqa: S311 (a reproducible choice)
    for number in range(CHANGES):
        choice = chance.random()
        if not keys or choice < 0.5:
            create = partial(kernel.notes.create, text=f"{seed}/{number}")
            keys.append((await done(create)).id)
        elif choice < 0.7:
            _ = await done(partial(kernel.notes.update, chance.choice(keys), stars=number))
        elif choice < 0.8:
            _ = await done(partial(kernel.notes.delete, keys.pop(chance.randrange(len(keys)))))
        else:
            async with kernel.unit_of_work() as work:
                notes = work.repository("notes")
                values = {"text": f"{seed}/{number}", "stars": -1, "owner": ""}
                added = [await notes.add(values) for _ in range(2)]
                # Others commit meanwhile, so that what is numbered early becomes visible late.
                await asyncio.sleep(chance.random() / 50)
                if choice < 0.95 and not any(
                    isinstance(each, Failure) for each in (*added, await work.commit())
                ):
                    keys += [each.unwrap()["id"] for each in added]


async def listen(kernel: Kernel, begin: str, seed: int, last: "asyncio.Future[str]") -> list[FeedMessage]:
    """Hear everything until the position *last*, in many connections."""
    chance, heard, position = random.Random(seed), list[FeedMessage](), begin  # noqa: S311
    while not (last.done() and int(position, 16) >= int(last.result(), 16)):
        async with await done(partial(kernel.notes.changes, after=position)) as feed:
            for _ in range(chance.randrange(1, 4)):
                heard += await feed.next_batch(0.05) or ()
            position = feed.position
    return heard


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
async def test_every_listener_hears_the_same_once_and_each_entity_in_its_order(
    store: str, tmp_path: Path
) -> None:
    with empty_store(store, tmp_path) as url:
        # A second process beside the one that writes: nobody wakes its listeners, and two assign positions.
        async with opened(Shop, url, feed={"recent": 20}) as kernel, opened(Shop, url) as other:
            async with (await kernel.notes.changes()).unwrap() as feed:
                begin = feed.position
            last: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            listening = [
                asyncio.create_task(listen((kernel, other)[number % 2], begin, number, last))
                for number in range(LISTENERS)
            ]

            _ = await asyncio.gather(*(write(kernel, seed) for seed in range(WRITERS)))
            async with (await other.notes.changes()).unwrap() as feed:
                last.set_result(feed.position)
            async with asyncio.timeout(PATIENCE * 4):
                one, *others = await asyncio.gather(*listening)
            page = (await kernel.notes.list(limit=100, count="exact")).unwrap()

    assert all(each == one for each in others)
    positions = [int(each.position, 16) for each in one]
    assert positions == sorted(set(positions))
    alive: dict[object, object] = {}
    for each in one:
        # SQLite gives the key of what is gone to the next one.
        assert (each.key in alive) is (each.verb != "created")
        alive[each.key] = each.values
        if each.verb == "deleted":
            del alive[each.key]
    assert len(alive) == page.total
    assert all(alive[row.id] == row for row in page.items)


async def test_a_feed_goes_on_in_another_process_that_has_read_less(tmp_path: Path) -> None:
    with empty_store("sqlite", tmp_path) as url:
        slow = Shop(settings=settings_at(url, interval=600))
        async with (
            opened(Shop, url) as quick,
            open_kernel(slow) as kernel,
            (await kernel.notes.changes()).unwrap(),
            (await quick.notes.changes()).unwrap() as feed,
        ):
            made = (await quick.notes.create(text="Emma")).unwrap()
            async with asyncio.timeout(PATIENCE):
                heard = await anext(feed)
            # The other one polls seldom, and has not seen this position yet.
            async with (await kernel.notes.changes(after=heard.position)).unwrap() as resumed:
                assert resumed.position == heard.position

    assert told([heard]) == [("created", made.id, made)]
