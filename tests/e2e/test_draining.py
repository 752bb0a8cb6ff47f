"""How a process ends: it says so first, finishes what it has begun, and then lets everything go."""

import http.client
import signal
import threading
import time

import pytest

from tests.e2e.commands import Served, program_in, serving

DRAIN_DELAY = 3.0
"""Seconds in which a process is not ready and answers all the same."""

PROGRAM = """
import asyncio
import os

from shop import Shop
from fastapi_easy.bootstrap import create_app

app = create_app(Shop())


@app.get("/who")
async def who() -> int:
    return os.getpid()


@app.get("/slow")
async def slow(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"
"""


@pytest.fixture
def folder(tmp_path):
    made = program_in(tmp_path)
    (made / "slow.py").write_text(PROGRAM)
    return made


def status_of(served: Served, path: str) -> int:
    connection = served.connection()
    connection.request("GET", path)
    return connection.getresponse().status


def asking(served: Served, seconds: float) -> tuple[threading.Thread, list[object]]:
    """A request that takes so long, under way, and what will be heard of it."""
    connection, heard = served.connection(), []

    def ask() -> None:
        try:
            connection.request("GET", f"/slow?seconds={seconds}")
            heard.append(connection.getresponse().status)
        except (OSError, http.client.HTTPException) as error:
            heard.append(type(error))

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.3)
    return thread, heard


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_is_not_ready_at_once_and_answers_what_comes_meanwhile(folder, workers):
    variables = {"FASTAPI_EASY_HTTP__DRAIN_DELAY": str(DRAIN_DELAY)}
    with serving(folder, "slow:app", "--workers", workers, **variables) as served:
        assert status_of(served, "/health/ready") == 200
        thread, heard = asking(served, DRAIN_DELAY + 1)
        began = time.monotonic()

        served.process.send_signal(signal.SIGTERM)
        # Whoever looks after several workers looks at signals twice a second.
        while (
            ready := status_of(served, "/health/ready")
        ) == 200 and time.monotonic() - began < DRAIN_DELAY / 2:
            time.sleep(0.05)
        during = ready, status_of(served, "/books")
        code, _, _ = served.end(signal.SIGCONT)
        seconds = time.monotonic() - began
        thread.join()

    assert during == (503, 200)
    assert heard == [200]
    assert code == 0
    assert seconds > DRAIN_DELAY


def test_what_does_not_end_within_the_grace_is_cut(folder):
    with serving(folder, "slow:app", FASTAPI_EASY_HTTP__GRACE="1") as served:
        thread, heard = asking(served, 120)
        began = time.monotonic()

        code, _, _ = served.end(signal.SIGTERM)
        thread.join()

    # Without the cut the call would have gone on.
    assert time.monotonic() - began < 60
    assert heard != [200]
    assert code == 0
