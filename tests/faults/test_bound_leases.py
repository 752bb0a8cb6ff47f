"""Units of work that are bound to a lease which is kept elsewhere than the data, and lost before the commit.

Nothing here waits for time to pass.
"""

import uuid

import pytest
from returns.result import Failure, Success

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.domain import Everything, LockLost
from tests.faults.locks.losses import ANYWHERE, TTL, WITH_A_TTL, Bench

NEW = {"balance": 1, "written_by": "late"}


@pytest.fixture
def bench(request, tmp_path):
    data, locks = request.param.split(", locks in ")
    data_url = (
        f"sqlite:///{tmp_path / 'data.sqlite3'}"
        if data == "sqlite"
        else request.getfixturevalue(f"{data}_url")
    )
    return Bench(
        data_url, f"file://{tmp_path / 'locks'}" if locks == "files" else request.getfixturevalue("redis_url")
    )


DATA = ("sqlite", "postgres", "mariadb", "mongo")
LOSSES = {
    **{f"{each}, locks in redis": ANYWHERE + WITH_A_TTL for each in DATA},
    **dict.fromkeys([f"{each}, locks in files" for each in DATA], ANYWHERE),
}


@pytest.mark.parametrize("bench", LOSSES, indirect=True)
@pytest.mark.parametrize("guards_first", [True, False], ids=["guarded at first", "bound only"])
async def test_nothing_is_committed_under_a_lost_lease(bench, guards_first, request):
    name = f"bound:{uuid.uuid4().hex}"
    async with open_kernel(bench.bank):
        accounts = bench.bank.accounts.repository()
        before = (await accounts.count(Everything())).unwrap()
        for lose in LOSSES[request.node.callspec.params["bench"]]:
            bench.clock.ahead = 0.0
            async with (
                bench.bank.locks().hold(name, ttl=TTL, on_lost="event") as lease,
                bench.bank.unit_of_work() as work,
            ):
                work.bind(lease)
                if guards_first:
                    _ = (await lease.guard(work)).unwrap()
                _ = (await work.repository("accounts").add(NEW)).unwrap()
                async with lose(bench, lease):
                    committed = await work.commit()
                    was_noticed = lease.lost.is_set()

            assert (lose, committed, was_noticed) == (lose, Failure(LockLost(name)), True)
            assert (await accounts.count(Everything())).unwrap() == before


@pytest.mark.parametrize("bench", LOSSES, indirect=True)
async def test_work_under_a_held_lease_is_committed(bench):
    async with open_kernel(bench.bank):
        accounts = bench.bank.accounts.repository()
        before = (await accounts.count(Everything())).unwrap()
        async with (
            bench.bank.locks().hold("held", ttl=TTL, on_lost="event") as lease,
            bench.bank.unit_of_work() as work,
        ):
            work.bind(lease)
            _ = (await work.repository("accounts").add(NEW)).unwrap()
            assert await work.commit() == Success(None)

        assert (await accounts.count(Everything())).unwrap() == before + 1
