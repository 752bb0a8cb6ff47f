"""Lock files that are removed when their lock is released."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar

import pytest
from returns.result import Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.locks.lease import Acquired, Busy
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.infrastructure.locks.file import FileLeaseStore

T = TypeVar("T")

_PROCESS = """
import asyncio, os, sys
from pathlib import Path
from fastapi_easy.domain.locks.lease import Acquired
from fastapi_easy.infrastructure.locks.file import FileLeaseStore

async def main(folder, rounds):
    store, owner, held = FileLeaseStore(folder / "locks", keeps_files=False), str(os.getpid()), 0
    while held < rounds:
        answer = (await store.try_acquire("a", owner, 1.0)).unwrap()
        if isinstance(answer, Acquired):
            os.close(os.open(folder / "inside", os.O_CREAT | os.O_EXCL))
            os.unlink(folder / "inside")
            held += 1
            await store.release("a", owner)
        else:
            await asyncio.sleep(0.001)

asyncio.run(main(Path(sys.argv[1]), 150))
"""

_FORKING = """
import asyncio, multiprocessing, sys, time
from pathlib import Path
from fastapi_easy.infrastructure.locks.file import FileLeaseStore

async def main(folder):
    store = FileLeaseStore(folder)
    await store.try_acquire("released", "parent", 1.0)
    await store.try_acquire("held", "parent", 1.0)
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
    child.start()
    print(child.pid, flush=True)
    sys.stdin.readline()
    await store.release("released", "parent")
    print("released", flush=True)
    sys.stdin.readline()

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "app.sqlite3-locks"


def left_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def test_a_released_lock_leaves_nothing_behind(folder: Path) -> None:
    store = FileLeaseStore(folder, keeps_files=False)
    _ = await store.try_acquire("a", "me", 1.0)

    await store.release("a", "me")

    assert left_in(folder.parent) == []


async def test_a_closed_store_leaves_nothing_behind(folder: Path) -> None:
    store = FileLeaseStore(folder, keeps_files=False)
    _ = await store.try_acquire("a", "me", 1.0)

    await store.close()

    assert left_in(folder.parent) == []


async def test_the_locks_of_others_stay(folder: Path) -> None:
    mine, other = (FileLeaseStore(folder, keeps_files=False) for _ in range(2))
    _ = await mine.try_acquire("a", "me", 1.0)
    _ = await other.try_acquire("b", "you", 1.0)

    await mine.release("a", "me")
    held = await mine.try_acquire("b", "me", 1.0)

    assert held == Success(Busy("you"))
    await other.close()


async def test_the_file_of_a_process_that_was_killed_is_taken_over(folder: Path) -> None:
    killed = FileLeaseStore(folder)
    _ = await killed.try_acquire("a", "killed", 1.0)
    await killed.close()
    store = FileLeaseStore(folder, keeps_files=False)

    answer = await store.try_acquire("a", "me", 1.0)
    await store.close()

    assert isinstance(answer.unwrap(), Acquired)
    assert left_in(folder.parent) == []


async def test_never_two_processes_have_the_lock_while_files_come_and_go(tmp_path: Path) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _PROCESS,
            str(tmp_path),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]

    ended = [await each.communicate() for each in processes]

    assert [(each.returncode, error) for each, (_, error) in zip(processes, ended, strict=True)] == [
        (0, b"")
    ] * 4
    assert left_in(tmp_path) == []


async def test_a_forked_process_keeps_no_lock_of_its_parent(folder: Path) -> None:
    parent = subprocess.Popen(  # noqa: ASYNC220 (a moment, and nobody else is here)
        [sys.executable, "-c", _FORKING, str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    store = FileLeaseStore(folder)
    try:
        before = [await store.try_acquire(each, "me", 1.0) for each in ("released", "held")]
        _ = parent.stdin.write("release\n")
        parent.stdin.flush()
        assert parent.stdout.readline() == "released\n"
        after_release = (await store.try_acquire("released", "me", 1.0)).unwrap()
        parent.kill()
        _ = parent.wait()
        after_kill = (await store.try_acquire("held", "me", 1.0)).unwrap()
    finally:
        os.kill(child, signal.SIGKILL)
        parent.kill()
        _ = parent.communicate()
        await store.close()

    assert before == [Success(Busy("parent"))] * 2
    assert [type(each) for each in (after_release, after_kill)] == [Acquired, Acquired]


async def test_a_forked_process_holds_nothing_by_the_store_of_its_parent(folder: Path) -> None:
    store = FileLeaseStore(folder)
    acquired = (await store.try_acquire("a", "me", 1.0)).unwrap()
    assert isinstance(acquired, Acquired)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            released = _answer_of(store.release("a", "me"))
            renewed = _answer_of(store.renew([Renewal("a", "me", acquired.token, 1.0)]))
            _ = os.write(writer, f"{released} {renewed}".encode())
        finally:
            # Whatever happens: the tests go on in the parent only.
            os._exit(0)
    _, status = os.waitpid(child, 0)  # noqa: ASYNC222 (it ends at once)
    os.close(writer)
    said = os.read(reader, 100).decode()
    os.close(reader)
    still_held = await store.renew([Renewal("a", "me", acquired.token, 1.0)])
    await store.close()

    assert (status, said, still_held) == (0, "False [False]", Success([True]))


def _answer_of(asked: Coroutine[object, object, Outcome[T]]) -> T:
    """Return what *asked* answers without waiting for anything: the loop is that of the parent."""
    try:
        asked.send(None)
    except StopIteration as answered:
        outcome: Outcome[T] = answered.value
        return outcome.unwrap()
    raise AssertionError("it waits")
