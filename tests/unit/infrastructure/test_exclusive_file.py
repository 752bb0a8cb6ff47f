"""The lock of migrations where there is no `flock`."""

import subprocess
import sys
from pathlib import Path

from returns.result import Success

from fastapi_easy.domain.locks.lease import Acquired, Busy
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.infrastructure.locks.exclusive_file import ExclusiveFileLeases

HOLDER = """
import asyncio, sys
from pathlib import Path
from fastapi_easy.infrastructure.locks.exclusive_file import ExclusiveFileLeases

async def main():
    await leases.try_acquire("x", "theirs", 1.0)

leases = ExclusiveFileLeases(Path(sys.argv[1]))
asyncio.run(main())
print("held", flush=True)
sys.stdin.read()
"""


async def test_one_owner_has_it_at_a_time(tmp_path: Path) -> None:
    ours, theirs = (ExclusiveFileLeases(tmp_path / "app.sqlite3-lock") for _ in range(2))

    first = (await ours.try_acquire("x", "us", 1.0)).unwrap()
    again = await ours.try_acquire("x", "us", 1.0)
    second = await theirs.try_acquire("x", "them", 1.0)
    renewed = await ours.renew([Renewal("x", "us", first.token, 1.0)])
    released = await ours.release("x", "us")
    third = (await theirs.try_acquire("x", "them", 1.0)).unwrap()
    await theirs.close()

    assert isinstance(first, Acquired)
    assert again == Success(Acquired(first.token))
    assert second == Success(Busy(None))
    assert (renewed, released) == (Success([True]), Success(True))
    assert isinstance(third, Acquired)


async def test_it_ends_with_the_process_that_has_it(tmp_path: Path) -> None:
    file = tmp_path / "app.sqlite3-lock"
    ours = ExclusiveFileLeases(file)
    with subprocess.Popen(  # noqa: ASYNC220 (it is waited for)
        [sys.executable, "-c", HOLDER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        meanwhile = await ours.try_acquire("x", "us", 1.0)
        holder.kill()

    afterwards = (await ours.try_acquire("x", "us", 1.0)).unwrap()
    await ours.close()

    assert meanwhile == Success(Busy(None))
    assert isinstance(afterwards, Acquired)
