"""A process is killed at each point between a change and its mark in the outbox: nothing is lost, and order is kept."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from fastapi_easy.bootstrap import open_kernel
from tests.faults.relay_processes import LEASE, FileBroker, killed_at, office, published

POINTS = {
    "before the commit": {(0, 2)},
    "after the commit, before the claim": {(0, 1, 2)},
    "after the claim, before the publish": {(0, 1, 2)},
    "after the publish, before the mark": {(0, 1, 1, 2)},
    "during the mark": {(0, 1, 2), (0, 1, 1, 2)},
}
"""What may be published of a letter whose line 1 is written by a process that is killed there."""

ROUNDS = 20 if os.environ.get("THOROUGH") == "1" else 1


async def test_a_kill_loses_nothing_and_changes_no_order(tmp_path: Path) -> None:
    broker = FileBroker(tmp_path / "published.txt")
    shop = office(tmp_path, broker)
    async with open_kernel(shop) as kernel, asyncio.timeout(120 * ROUNDS):
        for turns in range(2, 2 + ROUNDS):
            for point, expected in POINTS.items():
                letter = (await kernel.letters.create({})).unwrap()["id"]
                await _publish_all(shop)

                code = await asyncio.to_thread(killed_at, point, tmp_path, letter, turns)
                (await kernel.letters.update(letter, {"line": 2})).unwrap()
                await _publish_all(shop)

                messages = [each for each in published(broker.file) if each[1] == letter]
                assert code == -signal.SIGKILL, point
                assert tuple(line for _, _, line in messages) in expected, point
                # What is published twice is the same message, so that an inbox knows it.
                assert len({each for each, _, _ in messages}) == len({line for _, _, line in messages}), point


async def _publish_all(shop: Any) -> None:
    """Publish until nothing waits, also what a dead process has claimed."""
    while True:
        await shop.relay().drain()
        if not (await shop.outboxes()["default"].lag()).unwrap().waiting:
            return
        await asyncio.sleep(LEASE / 5)
